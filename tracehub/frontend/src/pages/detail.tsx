import { formatTime } from "../format";
import { useLiveRefresh } from "../live";
import { Documents } from "../parts/documents";
import { Heading } from "../parts/heading";
import { Link } from "../parts/link";
import { Notice } from "../parts/notice";
import { Status } from "../parts/status";
import { Timeline } from "../parts/timeline";
import { useResource } from "../resource";
import type { Shipment } from "../shipment";

export function DetailPage({ id }: { id: string }) {
  const { data, error, loading, reload } = useResource<Shipment>(`/shipments/${id}`);
  useLiveRefresh((event) => String(event.shipment_id) === id, reload);

  return (
    <>
      <p>
        <Link href="/">All shipments</Link>
      </p>
      <Notice text={error} onRetry={reload} />
      {loading && !data && <p role="status">Loading…</p>}
      {data && (
        <>
          <Heading>{data.reference}</Heading>
          <Facts shipment={data} />
          <div className="columns">
            <Timeline events={data.events} />
            <Documents shipmentId={data.id} documents={data.documents} onUploaded={reload} />
          </div>
        </>
      )}
    </>
  );
}

function Facts({ shipment }: { shipment: Shipment }) {
  return (
    <dl className="facts">
      <div>
        <dt>Status</dt>
        <dd>
          <Status code={shipment.status} />
        </dd>
      </div>
      <div>
        <dt>Route</dt>
        <dd>
          {shipment.origin} → {shipment.destination}
        </dd>
      </div>
      <div>
        <dt>Container</dt>
        <dd>{shipment.container_number}</dd>
      </div>
      <div>
        <dt>Updated</dt>
        <dd>{formatTime(shipment.updated_at)}</dd>
      </div>
    </dl>
  );
}
