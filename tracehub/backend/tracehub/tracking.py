"""What can happen to a shipment, and what it is after that."""

from enum import StrEnum


class Status(StrEnum):
    BOOKED = "booked"
    IN_TRANSIT = "in_transit"
    CUSTOMS = "customs"
    DELIVERED = "delivered"


class Kind(StrEnum):
    GATE_IN = "gate_in"
    LOADED = "loaded"
    DEPARTED = "departed"
    ARRIVED = "arrived"
    DISCHARGED = "discharged"
    CUSTOMS_HOLD = "customs_hold"
    CUSTOMS_CLEARED = "customs_cleared"
    DELIVERED = "delivered"

    @property
    def leads_to(self) -> Status:
        """The status of a shipment whose newest event this is."""
        match self:
            case Kind.GATE_IN:
                return Status.BOOKED
            case Kind.CUSTOMS_HOLD:
                return Status.CUSTOMS
            case Kind.DELIVERED:
                return Status.DELIVERED
            case _:
                return Status.IN_TRANSIT
