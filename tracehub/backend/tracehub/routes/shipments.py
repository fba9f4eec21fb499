"""Shipments and their events. People see those of their own organisation, and no others."""

from datetime import UTC, datetime

from fastapi import APIRouter, HTTPException
from sqlalchemy import func, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session, selectinload

from tracehub import audit, feed
from tracehub.context import CurrentUser, Database
from tracehub.models import SEARCHED, Shipment, TrackingEvent, User
from tracehub.routes import API
from tracehub.schemas import EventOut, Limit, NewEvent, NewShipment, Offset, Page
from tracehub.schemas import Search, ShipmentDetail, ShipmentOut
from tracehub.tracking import Status

router = APIRouter(prefix=f"{API}/shipments")


def find(session: Session, user: User, shipment_id: int) -> Shipment:
    """A shipment of the user's organisation. Those of others might as well not exist."""
    shipment = session.get(Shipment, shipment_id)
    if shipment is None or shipment.organisation_id != user.organisation_id:
        raise HTTPException(404, "there is no such shipment")
    return shipment


@router.get("")
def list_shipments(
    user: CurrentUser,
    session: Database,
    q: Search = "",
    status: Status | None = None,
    limit: Limit = 50,
    offset: Offset = 0,
) -> Page[ShipmentOut]:
    """The ones something happened to last come first; `q` is found anywhere in a field."""
    wanted = [Shipment.organisation_id == user.organisation_id]
    if status:
        wanted.append(Shipment.status == status)
    if words := q.strip():
        pattern = "%" + words.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_") + "%"
        wanted.append(or_(*(getattr(Shipment, column).ilike(pattern) for column in SEARCHED)))
    total = session.scalar(select(func.count()).select_from(Shipment).where(*wanted)) or 0
    newest = (
        select(Shipment)
        .where(*wanted)
        .order_by(Shipment.updated_at.desc(), Shipment.id.desc())
        .limit(limit)
        .offset(offset)
    )
    items = [ShipmentOut.model_validate(row) for row in session.scalars(newest)]
    return Page(items=items, total=total)


@router.get("/{shipment_id}")
def get_shipment(shipment_id: int, user: CurrentUser, session: Database) -> ShipmentDetail:
    shipment = session.scalar(
        select(Shipment)
        .where(Shipment.id == shipment_id, Shipment.organisation_id == user.organisation_id)
        .options(selectinload(Shipment.events), selectinload(Shipment.documents))
    )
    if shipment is None:
        raise HTTPException(404, "there is no such shipment")
    return ShipmentDetail.model_validate(shipment)


@router.post("", status_code=201)
def create_shipment(form: NewShipment, user: CurrentUser, session: Database) -> ShipmentOut:
    shipment = session.scalar(
        insert(Shipment)
        .values(organisation_id=user.organisation_id, **form.model_dump())
        .on_conflict_do_nothing(index_elements=["organisation_id", "reference"])
        .returning(Shipment)
    )
    if shipment is None:
        raise HTTPException(409, f"there is a shipment {form.reference} already")
    audit.record(session, user, "shipment.create", shipment.id, reference=form.reference)
    feed.publish(session, "shipment", shipment)
    session.commit()
    return ShipmentOut.model_validate(shipment)


@router.post("/{shipment_id}/events", status_code=201)
def add_event(shipment_id: int, form: NewEvent, user: CurrentUser, session: Database) -> EventOut:
    now = datetime.now(UTC)
    shipment = find(session, user, shipment_id)
    # Two events at once: the second waits here, and then sees the first.
    session.refresh(shipment, with_for_update=True)
    event = TrackingEvent(
        shipment_id=shipment.id,
        kind=form.kind,
        location=form.location,
        note=form.note,
        occurred_at=form.occurred_at or now,
        recorded_at=now,
        recorded_by=user.id,
    )
    session.add(event)
    session.flush()
    # An event recorded late does not turn the shipment back.
    newest = session.scalars(
        select(TrackingEvent)
        .where(TrackingEvent.shipment_id == shipment.id)
        .order_by(TrackingEvent.occurred_at.desc(), TrackingEvent.id.desc())
        .limit(1)
    ).one()
    shipment.updated_at = now
    if newest is event:
        shipment.status = form.kind.leads_to
    audit.record(session, user, "event.create", shipment.id, kind=form.kind)
    feed.publish(session, "event", shipment)
    session.commit()
    return EventOut.model_validate(event)
