import { useRef, useState } from "react";

import { downloadDocument, uploadDocument } from "../document";
import { formatBytes, formatDay } from "../format";
import { message } from "../resource";
import type { ShipmentDocument } from "../shipment";
import { Notice } from "./notice";

interface Props {
  shipmentId: number;
  documents: ShipmentDocument[];
  onUploaded: () => void;
}

export function Documents({ shipmentId, documents, onUploaded }: Props) {
  const [error, setError] = useState<string | null>(null);

  const download = (file: ShipmentDocument) => {
    setError(null);
    downloadDocument(file).catch((failure: unknown) => {
      setError(message(failure));
    });
  };

  return (
    <section aria-labelledby="documents">
      <h2 id="documents">Documents</h2>
      {documents.length === 0 && <p>No document yet.</p>}
      <ul className="documents">
        {documents.map((file) => (
          <li key={file.id}>
            <span className="name">{file.name}</span>
            <small>
              {formatBytes(file.size_bytes)}, {formatDay(file.uploaded_at)}
            </small>
            <button
              type="button"
              aria-label={`Download ${file.name}`}
              onClick={() => {
                download(file);
              }}
            >
              Download
            </button>
          </li>
        ))}
      </ul>
      <Notice text={error} />
      <UploadForm shipmentId={shipmentId} onUploaded={onUploaded} />
    </section>
  );
}

function UploadForm({ shipmentId, onUploaded }: Omit<Props, "documents">) {
  const [busy, setBusy] = useState(false);
  const [done, setDone] = useState<string | null>(null);
  const [error, setError] = useState<string | null>(null);
  const input = useRef<HTMLInputElement>(null);

  const upload = async (file: File | undefined) => {
    setDone(null);
    setError(file ? null : "Choose a file first.");
    if (!file) return;
    setBusy(true);
    try {
      await uploadDocument(shipmentId, file);
      setDone(`${file.name} was uploaded.`);
      if (input.current) input.current.value = "";
      onUploaded();
    } catch (failure) {
      setError(message(failure));
    } finally {
      setBusy(false);
    }
  };

  return (
    <form
      className="upload"
      onSubmit={(event) => {
        event.preventDefault();
        void upload(input.current?.files?.[0]);
      }}
    >
      <label htmlFor="file">Add a document</label>
      <input id="file" ref={input} type="file" />
      <button type="submit" disabled={busy}>
        {busy ? "Uploading…" : "Upload"}
      </button>
      <p role="status">{done}</p>
      <Notice text={error} />
    </form>
  );
}
