export const STATUSES = ["booked", "in_transit", "customs", "delivered"] as const;

export interface ShipmentSummary {
  id: number;
  reference: string;
  container_number: string;
  origin: string;
  destination: string;
  status: string;
  updated_at: string;
}

export interface ShipmentPage {
  items: ShipmentSummary[];
  total: number;
}

export interface TrackingEvent {
  id: number;
  kind: string;
  location: string;
  note: string | null;
  occurred_at: string;
}

export interface ShipmentDocument {
  id: number;
  name: string;
  size_bytes: number;
  uploaded_at: string;
}

export interface Shipment extends ShipmentSummary {
  events: TrackingEvent[];
  documents: ShipmentDocument[];
}
