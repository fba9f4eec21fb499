from typing import Any

import pytest
from fastapi.testclient import TestClient

URL = "/api/v1/shipments"
NEW = {
    "reference": "R-2",
    "container_number": "msku 907032-3",
    "origin": "Oslo",
    "destination": "100%_sure\\",
}


def references(client: TestClient, **query: Any) -> list[str]:
    answer = client.get(URL, params=query)
    assert answer.status_code == 200, answer.text
    return [item["reference"] for item in answer.json()["items"]]


def test_create_and_read(client: TestClient) -> None:
    made = client.post(URL, json=NEW)
    assert made.status_code == 201
    assert made.json()["container_number"] == "MSKU9070323"
    assert made.json()["status"] == "booked"
    read = client.get(f"{URL}/{made.json()['id']}").json()
    assert read == made.json() | {"events": [], "documents": []}


def test_a_reference_is_taken_once(client: TestClient, shipment: int) -> None:
    answer = client.post(URL, json=NEW | {"reference": "R-1"})
    assert answer.status_code == 409
    assert answer.json() == {"detail": "there is a shipment R-1 already"}


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"container_number": "MSKU9070324"}, "container_number: the check digit"),
        ({"origin": "  "}, "origin: String should have at least 1 character"),
        ({"origin": "a\0b"}, "origin: control characters"),
        ({"reference": "x" * 41}, "reference: String should have at most 40"),
        ({"destination": None}, "destination: Input should be a valid string"),
    ],
)
def test_what_is_wrong_is_said(client: TestClient, change: dict[str, Any], sentence: str) -> None:
    answer = client.post(URL, json=NEW | change)
    assert answer.status_code == 422
    assert answer.json()["detail"].startswith(sentence)


@pytest.mark.parametrize("word", ["csqu305", "HAMB", "usan", "r-1", "", " busan "])
def test_found_by_a_part_of_any_field(client: TestClient, shipment: int, word: str) -> None:
    client.post(URL, json=NEW | {"destination": "Gdansk"})
    found = references(client, q=word)
    assert found == (["R-1"] if word.strip() else ["R-2", "R-1"])


@pytest.mark.parametrize("word", ["%", "_", "\\", "0%_s"])
def test_wildcards_are_only_characters(client: TestClient, shipment: int, word: str) -> None:
    client.post(URL, json=NEW)
    assert references(client, q=word) == ["R-2"]


def test_list_by_status_and_page(client: TestClient, shipment: int) -> None:
    client.post(URL, json=NEW)
    client.post(f"{URL}/{shipment}/events", json={"kind": "departed", "location": "Hamburg"})
    assert references(client) == ["R-1", "R-2"]
    assert references(client, status="in_transit") == ["R-1"]
    assert references(client, limit=1, offset=1) == ["R-2"]
    assert client.get(URL, params={"limit": 1}).json()["total"] == 2
    for query in ({"status": "lost"}, {"limit": 201}, {"offset": -1}, {"q": "a\0"}):
        assert client.get(URL, params=query).status_code == 422


def test_events_move_the_status_and_late_ones_do_not(client: TestClient, shipment: int) -> None:
    def record(kind: str, day: int) -> None:
        event = {"kind": kind, "location": "Busan", "occurred_at": f"2024-05-0{day}T12:00:00Z"}
        assert client.post(f"{URL}/{shipment}/events", json=event).status_code == 201

    def status() -> str:
        text: str = client.get(f"{URL}/{shipment}").json()["status"]
        return text

    record("customs_hold", 3)
    assert status() == "customs"
    record("departed", 1)
    assert status() == "customs"
    record("delivered", 4)
    assert status() == "delivered"
    events = client.get(f"{URL}/{shipment}").json()["events"]
    assert [event["kind"] for event in events] == ["departed", "customs_hold", "delivered"]


def test_events_of_the_future_and_without_a_zone_are_refused(
    client: TestClient, shipment: int
) -> None:
    for moment in ("2999-01-01T00:00:00Z", "2024-01-01T00:00:00"):
        event = {"kind": "loaded", "location": "Busan", "occurred_at": moment}
        assert client.post(f"{URL}/{shipment}/events", json=event).status_code == 422


def test_other_organisations_see_nothing(
    client: TestClient, shipment: int, stranger: TestClient
) -> None:
    assert references(stranger) == []
    event = {"kind": "loaded", "location": "Busan"}
    for answer in (
        stranger.get(f"{URL}/{shipment}"),
        stranger.post(f"{URL}/{shipment}/events", json=event),
        stranger.get(f"{URL}/{shipment}/documents"),
        stranger.post(f"{URL}/{shipment}/documents", files={"file": ("a.txt", b"a")}),
    ):
        assert answer.status_code == 404
        assert answer.json() == {"detail": "there is no such shipment"}


def test_the_audit_trail_says_who_did_what(client: TestClient, shipment: int) -> None:
    client.post(f"{URL}/{shipment}/events", json={"kind": "loaded", "location": "Hamburg"})
    trail = client.get("/api/v1/audit").json()
    assert trail["total"] == 2
    assert [entry["action"] for entry in trail["items"]] == ["event.create", "shipment.create"]
    newest = trail["items"][0]
    assert newest["user"] == "ada@acme.example"
    assert newest["subject_id"] == shipment
    assert newest["detail"] == {"kind": "loaded"}
