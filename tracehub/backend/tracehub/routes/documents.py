"""Documents: received while they arrive, sent while they are read."""

import logging
from datetime import UTC, datetime

from fastapi import APIRouter, HTTPException, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import FileResponse
from sqlalchemy import select

from tracehub import audit, feed
from tracehub.context import Context, CurrentUser, Database, Here
from tracehub.models import Document, Shipment, User
from tracehub.multipart import FilePart, FormError
from tracehub.routes import API, shipments
from tracehub.schemas import DocumentOut
from tracehub.uploads import Stored, TooLarge

router = APIRouter(prefix=API)
log = logging.getLogger(__name__)

FORM = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {"file": {"type": "string", "format": "binary"}},
                }
            }
        },
    }
}


@router.get("/shipments/{shipment_id}/documents")
def list_documents(shipment_id: int, user: CurrentUser, session: Database) -> list[DocumentOut]:
    shipment = shipments.find(session, user, shipment_id)
    return [DocumentOut.model_validate(document) for document in shipment.documents]


@router.post("/shipments/{shipment_id}/documents", status_code=201, openapi_extra=FORM)
async def upload(shipment_id: int, request: Request, user: CurrentUser, here: Here) -> DocumentOut:
    # A session for the question and one for the answer: none while the client takes its time.
    await run_in_threadpool(_check, here, user, shipment_id)
    with here.uploads.incoming() as incoming:
        part = FilePart(incoming.write)
        try:
            await part.receive(request)
        except TooLarge:
            limit = here.uploads.limit_bytes
            raise HTTPException(413, f"a document may have at most {limit} bytes") from None
        except FormError as error:
            raise HTTPException(400, str(error)) from None
        name = part.name or ""
        stored = await run_in_threadpool(incoming.publish, name)
    return await run_in_threadpool(
        _insert, here, user, shipment_id, name, part.content_type, stored
    )


def _check(here: Context, user: User, shipment_id: int) -> None:
    with here.session() as session:
        shipments.find(session, user, shipment_id)


def _insert(
    here: Context, user: User, shipment_id: int, name: str, content_type: str, stored: Stored
) -> DocumentOut:
    with here.session() as session:
        shipment = shipments.find(session, user, shipment_id)
        document = Document(
            shipment_id=shipment.id,
            uploaded_by=user.id,
            name=name,
            content_type=content_type,
            path=stored.path,
            sha256=stored.sha256,
            size_bytes=stored.size_bytes,
        )
        session.add(document)
        shipment.updated_at = datetime.now(UTC)
        session.flush()
        audit.record(session, user, "document.upload", document.id, name=name)
        feed.publish(session, "document", shipment)
        session.commit()
        return DocumentOut.model_validate(document)


@router.get("/documents/{document_id}/download")
def download(document_id: int, user: CurrentUser, here: Here, session: Database) -> FileResponse:
    document = session.scalar(
        select(Document)
        .join(Shipment)
        .where(Document.id == document_id, Shipment.organisation_id == user.organisation_id)
    )
    if document is None:
        raise HTTPException(404, "there is no such document")
    file = here.uploads.find(document.path)
    if file is None:
        log.error("a document's file is missing", extra={"fields": {"path": document.path}})
        raise HTTPException(404, "the document's file is missing")
    # As an attachment always: what others uploaded must not run in our origin.
    return FileResponse(file, media_type=document.content_type, filename=document.name)
