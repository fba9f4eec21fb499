import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from fastapi.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from tests.conftest import log_in
from tests.postgres import Postgres
from tracehub import feed
from tracehub.context import Context
from tracehub.settings import Settings

# Their numbers: every test begins with empty tables.
ADA, EVE = 1, 2


def context(client: TestClient) -> Context:
    found: Context = client.app.state.context  # type: ignore[attr-defined]
    return found


@contextmanager
def listening(client: TestClient, user_id: int = ADA) -> Iterator[Any]:
    wait_for_feed(client)
    with client.websocket_connect(f"/ws?token={log_in(client, user_id)}") as websocket:
        assert websocket.receive_json() == {"type": "hello", "tag": "v1", "slot": "green"}
        yield websocket


def wait_for_feed(client: TestClient) -> None:
    deadline = time.monotonic() + 10
    while not context(client).feed.connected.is_set():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def record(client: TestClient, shipment: int, kind: str) -> None:
    event = {"kind": kind, "location": "Busan"}
    assert client.post(f"/api/v1/shipments/{shipment}/events", json=event).status_code == 201


def test_events_arrive_whichever_process_they_happened_in(
    client: TestClient, shipment: int, stranger: TestClient
) -> None:
    with listening(stranger, ADA) as websocket:
        record(client, shipment, "customs_hold")
        message = websocket.receive_json()
        assert message.pop("at")
        assert message == {
            "type": "event",
            "shipment_id": shipment,
            "reference": "R-1",
            "status": "customs",
        }
        url = f"/api/v1/shipments/{shipment}/documents"
        assert client.post(url, files={"file": ("a.txt", b"a")}).status_code == 201
        assert websocket.receive_json()["type"] == "document"


def test_other_organisations_hear_nothing(
    client: TestClient, shipment: int, stranger: TestClient
) -> None:
    with listening(stranger, EVE) as websocket:
        record(client, shipment, "loaded")
        made = {
            "reference": "E-1",
            "container_number": "MSKU9070323",
            "origin": "Oslo",
            "destination": "Busan",
        }
        assert stranger.post("/api/v1/shipments", json=made).status_code == 201
        assert websocket.receive_json()["reference"] == "E-1"


def test_without_a_good_token_it_is_closed(client: TestClient) -> None:
    with client.websocket_connect("/ws?token=nonsense") as websocket:
        with pytest.raises(WebSocketDisconnect) as closed:
            websocket.receive_json()
    assert closed.value.code == 1008


def test_who_does_not_keep_up_is_sent_away(
    client: TestClient, shipment: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed, "QUEUE_SIZE", 1)
    with listening(client) as websocket:
        [listener] = context(client).feed._listeners
        message = {"organisation_id": listener.organisation_id}

        def flood() -> None:
            for _ in range(2):
                context(client).feed._deliver(dict(message))

        assert client.portal
        client.portal.call(flood)
        with pytest.raises(WebSocketDisconnect) as closed:
            while True:
                websocket.receive_json()
    assert closed.value.code == 1013


def test_the_feed_comes_back_after_a_cut_connection(
    client: TestClient,
    shipment: int,
    settings: Settings,
    postgres: Postgres,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(feed, "RETRY_SECONDS", 0.05)
    with listening(client) as websocket:
        postgres.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            f" WHERE datname = '{settings.database_url.database}'"
        )
        deadline = time.monotonic() + 5
        while context(client).feed.connected.is_set() and time.monotonic() < deadline:
            time.sleep(0.01)
        wait_for_feed(client)
        record(client, shipment, "delivered")
        assert websocket.receive_json()["status"] == "delivered"
