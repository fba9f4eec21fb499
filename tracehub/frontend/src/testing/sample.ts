import type { Session } from "../session";
import type { Shipment, ShipmentSummary } from "../shipment";

export const SESSION: Session = {
  token: "t0ken",
  user: { id: 1, email: "demo@tracehub.example", name: "Demo" },
};

export function summary(id: number): ShipmentSummary {
  return {
    id,
    reference: `TH-${String(id).padStart(6, "0")}`,
    container_number: "MSKU1234565",
    origin: "Rotterdam",
    destination: "Singapore",
    status: "in_transit",
    updated_at: "2026-03-01T10:00:00Z",
  };
}

export function shipment(id: number): Shipment {
  return {
    ...summary(id),
    events: [
      {
        id: 1,
        kind: "gate_in",
        location: "Rotterdam",
        note: null,
        occurred_at: "2026-02-01T08:00:00Z",
      },
      {
        id: 2,
        kind: "departed",
        location: "Rotterdam",
        note: "On time",
        occurred_at: "2026-02-02T08:00:00Z",
      },
    ],
    documents: [
      { id: 7, name: "bill of lading.pdf", size_bytes: 1234, uploaded_at: "2026-02-01T09:00:00Z" },
    ],
  };
}
