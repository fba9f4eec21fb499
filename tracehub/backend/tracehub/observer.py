"""Counts, times and logs every request. A plain ASGI layer: it never holds a body."""

import logging
import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tracehub.metrics import IN_FLIGHT, REQUESTS, SECONDS

log = logging.getLogger("tracehub.access")

METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
# Asked every few seconds by whatever keeps watch: counted, but not worth a line each.
QUIET = {"/health", "/health/ready", "/metrics"}


class Observer:
    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        status = 500
        start = time.perf_counter()

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            with IN_FLIGHT.track_inprogress():
                await self.app(scope, receive, sending)
        finally:
            _observe(scope, status, time.perf_counter() - start)


def _observe(scope: Scope, status: int, seconds: float) -> None:
    # The pattern of the path, not the path, and no invented methods: labels must stay few.
    route = getattr(scope.get("route"), "path", "unmatched")
    method = scope["method"] if scope["method"] in METHODS else "other"
    REQUESTS.labels(method, route, status).inc()
    SECONDS.labels(method, route).observe(seconds)
    quiet = scope["path"] in QUIET and status < 500
    log.log(
        logging.DEBUG if quiet else logging.INFO,
        "request",
        # Without the query: a websocket's holds the token, a search may hold a name.
        extra={
            "fields": {
                "method": scope["method"],
                "path": scope["path"],
                "status": status,
                "duration_ms": round(seconds * 1000, 1),
            }
        },
    )
