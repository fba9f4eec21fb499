"""What goes in and out as JSON."""

from datetime import UTC, datetime
from typing import Annotated, Any, Generic, TypeVar

from fastapi import Query
from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, StringConstraints

from tracehub import containers
from tracehub.tracking import Kind, Status

Item = TypeVar("Item")


def _printable(text: str) -> str:
    # PostgreSQL stores no NUL, and no label needs any other control character.
    if not text.isprintable():
        raise ValueError("control characters are not allowed")
    return text


def _past(moment: datetime) -> datetime:
    if moment > datetime.now(UTC):
        raise ValueError("an event cannot be recorded before it happens")
    return moment


def _at_most(length: int) -> StringConstraints:
    return StringConstraints(strip_whitespace=True, min_length=1, max_length=length)


Line = Annotated[str, _at_most(120), AfterValidator(_printable)]
Reference = Annotated[str, _at_most(40), AfterValidator(_printable)]
ContainerNumber = Annotated[str, AfterValidator(containers.normalise)]
Search = Annotated[str, Query(max_length=100), AfterValidator(_printable)]
Limit = Annotated[int, Query(ge=1, le=200)]
Offset = Annotated[int, Query(ge=0, le=1_000_000)]


class Login(BaseModel):
    email: Annotated[str, StringConstraints(max_length=254), AfterValidator(_printable)]
    password: Annotated[str, StringConstraints(max_length=1024)]


class NewShipment(BaseModel):
    reference: Reference
    container_number: ContainerNumber
    origin: Line
    destination: Line


class NewEvent(BaseModel):
    kind: Kind
    location: Line
    note: Line | None = None
    occurred_at: Annotated[AwareDatetime, AfterValidator(_past)] | None = None


class Row(BaseModel):
    """Read from an object of the tables."""

    model_config = ConfigDict(from_attributes=True)

    id: int


class OrganisationOut(Row):
    name: str


class UserOut(Row):
    email: str
    name: str
    organisation: OrganisationOut


class EventOut(Row):
    kind: Kind
    location: str
    note: str | None
    occurred_at: datetime
    recorded_at: datetime


class DocumentOut(Row):
    shipment_id: int
    name: str
    content_type: str
    size_bytes: int
    sha256: str
    uploaded_at: datetime


class ShipmentOut(Row):
    reference: str
    container_number: str
    status: Status
    origin: str
    destination: str
    created_at: datetime
    updated_at: datetime


class ShipmentDetail(ShipmentOut):
    events: list[EventOut]
    documents: list[DocumentOut]


class AuditOut(Row):
    at: datetime
    user: str | None
    action: str
    subject_id: int | None
    detail: dict[str, Any]


class Page(BaseModel, Generic[Item]):
    items: list[Item]
    total: int


class Token(BaseModel):
    access_token: str
    token_type: str = "bearer"
    expires_in: int
    user: UserOut
