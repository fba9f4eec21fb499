"""Data to show and to measure with. The same numbers give the same data; twice changes nothing."""

from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from sqlalchemy import Engine, func, insert, select
from sqlalchemy.orm import Session

from tracehub import containers, passwords, pdf
from tracehub.models import Document, Organisation, Shipment, TrackingEvent, User
from tracehub.settings import Settings
from tracehub.tracking import Kind, Status
from tracehub.uploads import Uploads

ORGANISATION = "Northwind Freight"
EMAIL = "demo@tracehub.example"
PORTS = (
    *("Antwerp", "Busan", "Colombo", "Durban", "Felixstowe", "Gdansk", "Hamburg", "Jebel Ali"),
    *("Los Angeles", "Montreal", "Oslo", "Piraeus", "Rotterdam", "Santos", "Shanghai", "Singapore"),
    *("Sydney", "Tanger Med", "Valencia", "Yokohama"),
)
JOURNEY = (
    *(Kind.GATE_IN, Kind.LOADED, Kind.DEPARTED, Kind.ARRIVED, Kind.DISCHARGED),
    *(Kind.CUSTOMS_HOLD, Kind.CUSTOMS_CLEARED, Kind.DELIVERED),
)
BATCH = 500


def seed(engine: Engine, settings: Settings, shipments: int, documents: int) -> dict[str, int]:
    """Add what is missing; returns how much there is of each."""
    uploads = Uploads(settings.uploads_dir, settings.upload_limit_bytes)
    uploads.prepare()
    with Session(engine) as session, session.begin():
        user = _demo_user(session, settings.demo_password)
        mine = Shipment.organisation_id == user.organisation_id
        there = set(session.scalars(select(Shipment.reference).where(mine)))
        missing = [number for number in range(shipments) if _reference(number) not in there]
        for start in range(0, len(missing), BATCH):
            _add_shipments(session, user, missing[start : start + BATCH])
        _add_documents(session, user, uploads, min(documents, shipments * 10))
    with Session(engine) as session:
        tables = (Organisation, User, Shipment, TrackingEvent, Document)
        return {
            table.__tablename__: session.scalar(select(func.count()).select_from(table)) or 0
            for table in tables
        }


def _demo_user(session: Session, password: str) -> User:
    user = session.scalar(select(User).filter_by(email=EMAIL))
    if user is None:
        organisation = Organisation(name=ORGANISATION)
        user = User(organisation=organisation, email=EMAIL, name="Demo", password_hash="")
        session.add(user)
    # A new DEMO_PASSWORD takes effect; the same one leaves the row as it is.
    if not user.password_hash or not passwords.verify_password(password, user.password_hash):
        user.password_hash = passwords.hash_password(password)
    session.flush()
    return user


def _reference(number: int) -> str:
    return f"TH-{number + 1:06}"


def _shipment(number: int) -> dict[str, Any]:
    random = Random(number)
    stem = random.choice(("MSKU", "TGHU", "CMAU", "HLXU")) + f"{random.randrange(1_000_000):06}"
    origin, destination = random.sample(PORTS, 2)
    steps = random.randint(1, len(JOURNEY))
    begun = datetime.now(UTC) - timedelta(days=steps * 2, minutes=random.randrange(100_000))
    times = [begun + timedelta(hours=step * 40 + random.random() * 8) for step in range(steps)]
    return {
        "reference": _reference(number),
        "container_number": stem + str(containers.check_digit(stem)),
        "origin": origin,
        "destination": destination,
        "status": JOURNEY[steps - 1].leads_to if steps > 1 else Status.BOOKED,
        "created_at": times[0],
        "updated_at": times[-1],
        "times": times,
    }


def _add_shipments(session: Session, user: User, numbers: list[int]) -> None:
    rows = [_shipment(number) for number in numbers]
    times = {row["reference"]: row.pop("times") for row in rows}
    added = session.execute(
        insert(Shipment)
        .values([{"organisation_id": user.organisation_id, **row} for row in rows])
        .returning(Shipment.id, Shipment.reference, Shipment.origin, Shipment.destination)
    ).all()
    events = [
        {
            "shipment_id": shipment_id,
            "kind": kind,
            "location": origin if step < 3 else destination,
            "occurred_at": time,
            "recorded_at": time,
            "recorded_by": user.id,
        }
        for shipment_id, reference, origin, destination in added
        for step, (kind, time) in enumerate(zip(JOURNEY, times[reference], strict=False))
    ]
    session.execute(insert(TrackingEvent), events)


def _add_documents(session: Session, user: User, uploads: Uploads, count: int) -> None:
    mine = Shipment.organisation_id == user.organisation_id
    shipments = session.execute(
        select(Shipment.id, Shipment.reference, Shipment.container_number)
        .where(mine)
        .order_by(Shipment.reference)
    ).all()
    there = {
        name: path
        for name, path in session.execute(
            select(Document.name, Document.path).join(Shipment).where(mine)
        )
    }
    for number in range(count):
        shipment_id, reference, container = shipments[number % len(shipments)]
        name = f"bill-of-lading-{number + 1:06}.pdf"
        if name in there and uploads.find(there[name]):
            continue
        lines = ["Bill of lading", f"No. {number + 1}", reference, f"Container {container}"]
        stored = uploads.store(pdf.one_page(lines), name)
        if name not in there:
            session.add(
                Document(
                    shipment_id=shipment_id,
                    uploaded_by=user.id,
                    name=name,
                    content_type="application/pdf",
                    path=stored.path,
                    sha256=stored.sha256,
                    size_bytes=stored.size_bytes,
                )
            )
