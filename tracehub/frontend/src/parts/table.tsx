import { formatDay } from "../format";
import type { ShipmentSummary } from "../shipment";
import { Link } from "./link";
import { Status } from "./status";

interface Props {
  items: ShipmentSummary[];
  busy: boolean;
}

export function ShipmentTable({ items, busy }: Props) {
  return (
    <table aria-label="Shipments" aria-busy={busy}>
      <thead>
        <tr>
          <th scope="col">Reference</th>
          <th scope="col" className="wide">
            Container
          </th>
          <th scope="col">Route</th>
          <th scope="col">Status</th>
          <th scope="col" className="wide">
            Updated
          </th>
        </tr>
      </thead>
      <tbody>
        {items.map((shipment) => (
          <tr key={shipment.id}>
            <td>
              <Link href={`/shipments/${shipment.id}`}>{shipment.reference}</Link>
            </td>
            <td className="wide">{shipment.container_number}</td>
            <td>
              {shipment.origin} → {shipment.destination}
            </td>
            <td>
              <Status code={shipment.status} />
            </td>
            <td className="wide">{formatDay(shipment.updated_at)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
