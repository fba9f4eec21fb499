"""What nginx, Docker, Prometheus and the deploy tools ask. None of it needs a login."""

from fastapi import APIRouter, HTTPException, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from sqlalchemy.exc import SQLAlchemyError

from tracehub import migrations
from tracehub.context import Here

router = APIRouter()


@router.get("/health")
async def health() -> dict[str, str]:
    """The process lives. A database that is away must not get it restarted."""
    return {"status": "ok"}


@router.post("/health/echo")
async def echo(request: Request) -> dict[str, int]:
    """For probes: a POST that changes nothing."""
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
    return {"bytes": size}


@router.get("/health/ready")
def ready(here: Here) -> dict[str, str]:
    """The database answers and its schema is the one this release was made for.

    An older release on a schema that has been expanded goes on serving; only this says no.
    """
    try:
        with here.engine.connect() as connection:
            current = migrations.current(connection)
    except SQLAlchemyError:
        raise HTTPException(503, "the database does not answer") from None
    head = migrations.head()
    if current != head:
        raise HTTPException(503, f"the database is at migration {current}, the code at {head}")
    return {"status": "ready", "head": head}


@router.get("/version")
async def version(here: Here) -> dict[str, str]:
    settings = here.settings
    return {
        "tag": settings.tag,
        "git_sha": settings.git_sha,
        "head": migrations.head(),
        "slot": settings.slot,
    }


@router.get("/metrics")
def metrics() -> Response:
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)
