import { request } from "./client";
import type { ShipmentDocument } from "./shipment";

export async function uploadDocument(shipmentId: number, file: File): Promise<void> {
  const body = new FormData();
  body.set("file", file);
  await request(`/shipments/${shipmentId}/documents`, { method: "POST", body });
}

/** Fetches the document with the session's token and gives it to the browser to save. */
export async function downloadDocument({ id, name }: ShipmentDocument): Promise<void> {
  const response = await request(`/documents/${id}/download`);
  const url = URL.createObjectURL(await response.blob());
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  // Not at once: the browser reads the blob after this has returned.
  setTimeout(() => {
    URL.revokeObjectURL(url);
  }, 60_000);
}
