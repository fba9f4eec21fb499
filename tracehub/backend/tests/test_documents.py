import hashlib
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.postgres import Postgres
from tracehub.settings import Settings
from tracehub.uploads import INCOMING, Uploads


def upload(client: TestClient, shipment: int, name: str, content: bytes) -> Any:
    files = {"file": (name, content, "application/pdf")}
    answer = client.post(f"/api/v1/shipments/{shipment}/documents", files=files)
    assert answer.status_code == 201, answer.text
    return answer.json()


def leftovers(settings: Settings) -> list[Path]:
    return list((settings.uploads_dir / INCOMING).iterdir())


def test_up_and_down_again(
    client: TestClient, shipment: int, settings: Settings, postgres: Postgres
) -> None:
    content = os.urandom(70_000)
    document = upload(client, shipment, "Bill of lading.PDF", content)
    sha256 = hashlib.sha256(content).hexdigest()
    assert document["sha256"] == sha256
    assert document["size_bytes"] == 70_000
    [(path,)] = postgres.execute("SELECT path FROM documents", settings.database_url.database or "")
    assert path == f"{sha256[:2]}/{sha256}.pdf"
    assert (settings.uploads_dir / path).read_bytes() == content
    assert leftovers(settings) == []

    answer = client.get(f"/api/v1/documents/{document['id']}/download")
    assert answer.content == content
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.headers["content-disposition"].startswith("attachment;")
    listed = client.get(f"/api/v1/shipments/{shipment}/documents").json()
    assert listed == [document] == client.get(f"/api/v1/shipments/{shipment}").json()["documents"]


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\papers\\bill.pdf", "bill.pdf"),
        ("Zoll-Erklärung.pdf", "Zoll-Erklärung.pdf"),
        ("dir/", "unnamed"),
        ("x" * 300 + ".pdf", "x" * 251 + ".pdf"),
    ],
)
def test_names_are_tidied(client: TestClient, shipment: int, given: str, kept: str) -> None:
    assert upload(client, shipment, given, b"x")["name"] == kept


def test_the_same_content_is_one_file(
    client: TestClient, shipment: int, settings: Settings
) -> None:
    first, second = (upload(client, shipment, name, b"same") for name in ("a.txt", "b.txt"))
    assert first["id"] != second["id"]
    assert len(list(settings.uploads_dir.glob("??/*"))) == 1


def test_too_large_leaves_nothing(client: TestClient, shipment: int, settings: Settings) -> None:
    answer = client.post(
        f"/api/v1/shipments/{shipment}/documents", files={"file": ("a", b"x" * 100_001)}
    )
    assert answer.status_code == 413
    assert answer.json() == {"detail": "a document may have at most 100000 bytes"}
    assert leftovers(settings) == []
    assert client.get(f"/api/v1/shipments/{shipment}/documents").json() == []


PART = b'--b\r\nContent-Disposition: form-data; name="%s"; filename="a"\r\n\r\nx\r\n'


@pytest.mark.parametrize(
    ("content_type", "body", "sentence"),
    [
        ("application/json", b"{}", "expected a form"),
        ("multipart/form-data", b"", "expected a form"),
        ("multipart/form-data; boundary=b", b"", "cut short"),
        ("multipart/form-data; boundary=b", PART % b"file", "cut short"),
        ("multipart/form-data; boundary=b", b"--c\r\n", "cut short"),
        ("multipart/form-data; boundary=b", PART % b"other" + b"--b--\r\n", "no file in a field"),
    ],
)
def test_forms_that_cannot_be_used(
    client: TestClient,
    shipment: int,
    settings: Settings,
    content_type: str,
    body: bytes,
    sentence: str,
) -> None:
    def chunks() -> Iterator[bytes]:
        for start in range(0, len(body), 7):
            yield body[start : start + 7]

    answer = client.post(
        f"/api/v1/shipments/{shipment}/documents",
        headers={"Content-Type": content_type},
        content=chunks(),
    )
    assert answer.status_code == 400
    assert sentence in answer.json()["detail"]
    assert leftovers(settings) == []


def test_a_lost_file_and_other_peoples_documents(
    client: TestClient, shipment: int, settings: Settings, stranger: TestClient
) -> None:
    document = upload(client, shipment, "a.txt", b"x")
    url = f"/api/v1/documents/{document['id']}/download"
    assert stranger.get(url).json() == {"detail": "there is no such document"}
    for path in settings.uploads_dir.glob("??/*"):
        path.unlink()
    assert client.get(url).json() == {"detail": "the document's file is missing"}


def test_what_a_killed_process_left_goes_after_a_day(tmp_path: Path) -> None:
    uploads = Uploads(tmp_path, 10)
    uploads.prepare()
    for name, age in (("old", 90_000), ("new", 10)):
        path = tmp_path / INCOMING / name
        path.touch()
        os.utime(path, (time.time() - age,) * 2)
    uploads.prepare()
    assert [path.name for path in (tmp_path / INCOMING).iterdir()] == ["new"]


def test_a_path_out_of_the_directory_finds_nothing(tmp_path: Path) -> None:
    (tmp_path / "outside").write_text("x")
    assert Uploads(tmp_path / "inside", 10).find("../outside") is None
