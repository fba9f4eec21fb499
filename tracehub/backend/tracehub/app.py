"""The application: its parts, put together."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from fastapi import FastAPI

from tracehub import errors
from tracehub.context import Context
from tracehub.database import connect
from tracehub.feed import Feed
from tracehub.limiter import Limiter
from tracehub.metrics import MACHINE
from tracehub.observer import Observer
from tracehub.routes import API, audit, auth, documents, health, live, shipments
from tracehub.settings import Settings
from tracehub.uploads import Uploads

FAILED_LOGINS_PER_MINUTE = 10


def create_app(settings: Settings) -> FastAPI:
    context = Context(
        settings=settings,
        engine=connect(settings),
        uploads=Uploads(settings.uploads_dir, settings.upload_limit_bytes),
        feed=Feed(settings.database_url, settings.slot),
        logins=Limiter(FAILED_LOGINS_PER_MINUTE, 60),
    )
    MACHINE.disk = str(settings.uploads_dir)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        listening = asyncio.create_task(context.feed.run())
        yield
        listening.cancel()
        with suppress(asyncio.CancelledError):
            await listening
        context.engine.dispose()

    app = FastAPI(
        title="TraceHub",
        version=settings.tag,
        lifespan=lifespan,
        openapi_url=f"{API}/openapi.json",
        # Their pages load scripts from elsewhere.
        docs_url=None,
        redoc_url=None,
    )
    app.state.context = context
    app.add_middleware(Observer)
    errors.install(app)
    for noun in (health, live, auth, shipments, documents, audit):
        app.include_router(noun.router)
    return app
