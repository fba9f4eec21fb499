"""Live events. PostgreSQL carries them, so that both slots hear what either one did."""

import asyncio
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from sqlalchemy import URL, func, select
from sqlalchemy.orm import Session

from tracehub.metrics import WEBSOCKETS
from tracehub.models import Shipment

CHANNEL = "tracehub_events"
QUEUE_SIZE = 100
RETRY_SECONDS = 2.0

log = logging.getLogger(__name__)

Message = dict[str, Any]


def publish(session: Session, kind: str, shipment: Shipment) -> None:
    """Tell everybody, when and only if the transaction commits."""
    message = {
        "organisation_id": shipment.organisation_id,
        "type": kind,
        "shipment_id": shipment.id,
        "reference": shipment.reference,
        "status": shipment.status,
        "at": shipment.updated_at.isoformat(),
    }
    session.execute(select(func.pg_notify(CHANNEL, json.dumps(message))))


class Listener:
    """One websocket's place in the feed."""

    def __init__(self, organisation_id: int) -> None:
        self.organisation_id = organisation_id
        self.queue: asyncio.Queue[Message] = asyncio.Queue(QUEUE_SIZE)
        self.lagging = asyncio.Event()


class Feed:
    """Hears the database's notifications and hands them to the websockets they concern."""

    def __init__(self, url: URL, slot: str) -> None:
        self._conninfo = url.set(drivername="postgresql").render_as_string(hide_password=False)
        self._name = f"tracehub-{slot}-feed"
        self._listeners: set[Listener] = set()
        self.connected = asyncio.Event()

    async def run(self) -> None:
        """Listen until cancelled. A lost connection is one that is made again."""
        while True:
            try:
                await self._listen()
            except psycopg.Error as error:
                log.warning("the feed lost the database: %s", str(error).strip())
            self.connected.clear()
            await asyncio.sleep(RETRY_SECONDS)

    async def _listen(self) -> None:
        connection = await psycopg.AsyncConnection.connect(
            self._conninfo,
            autocommit=True,
            application_name=self._name,
            connect_timeout=5,
            # A server that vanished without a word is noticed in about a minute.
            keepalives_idle=30,
            keepalives_interval=10,
            keepalives_count=3,
        )
        async with connection:
            await connection.execute(f"LISTEN {CHANNEL}")
            self.connected.set()
            async for notification in connection.notifies():
                self._deliver(json.loads(notification.payload))

    def _deliver(self, message: Message) -> None:
        organisation_id = message.pop("organisation_id")
        for listener in self._listeners:
            if listener.organisation_id != organisation_id:
                continue
            try:
                listener.queue.put_nowait(message)
            except asyncio.QueueFull:
                listener.lagging.set()

    @contextmanager
    def listener(self, organisation_id: int) -> Iterator[Listener]:
        listener = Listener(organisation_id)
        self._listeners.add(listener)
        WEBSOCKETS.inc()
        try:
            yield listener
        finally:
            self._listeners.discard(listener)
            WEBSOCKETS.dec()
