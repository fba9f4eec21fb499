"""uvicorn, told to start and to stop without anybody noticing."""

import logging
import signal
from socket import socket
from types import FrameType

import uvicorn

from tracehub.app import create_app
from tracehub.settings import Settings

# Longer than nginx keeps an idle connection to us (60 s): the one who closes first must be the
# one who sends requests, or some are sent into a connection that is just being closed.
KEEP_ALIVE_SECONDS = 75
# Docker kills after the compose file's stop_grace_period, 30 s.
GRACE_SECONDS = 20

log = logging.getLogger(__name__)


def headers(slot: str) -> list[tuple[str, str]]:
    """On every response, also uvicorn's own. What is HTTPS's business nginx adds."""
    return [
        ("X-Th-Slot", slot),
        ("X-Content-Type-Options", "nosniff"),
        ("X-Frame-Options", "DENY"),
        ("Referrer-Policy", "no-referrer"),
        ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
        ("Cache-Control", "no-store"),
    ]


def serve(settings: Settings, listener: socket) -> None:
    """Serve until SIGTERM, then finish what is in flight; websockets are closed with 1012."""
    # uvicorn raises the signal again when it is done. Then, and before it has started, the
    # process should end the ordinary way: with status 0 and the socket removed.
    signal.signal(signal.SIGTERM, _exit)
    signal.signal(signal.SIGINT, _exit)
    config = uvicorn.Config(
        create_app(settings),
        http="httptools",
        loop="uvloop",
        ws="websockets-sansio",
        ws_max_size=4096,
        log_config=None,
        access_log=False,
        server_header=False,
        # Whom to believe is decided where it matters: routes/auth.py.
        proxy_headers=False,
        headers=headers(settings.slot),
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    log.info("serving", extra={"fields": {"on": listener.getsockname(), "tag": settings.tag}})
    try:
        uvicorn.Server(config).run(sockets=[listener])
    finally:
        log.info("stopped")


def _exit(signum: int, frame: FrameType | None) -> None:
    raise SystemExit(0)
