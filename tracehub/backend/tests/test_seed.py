import json
import re

import pytest

from tests.postgres import Postgres
from tracehub.__main__ import main
from tracehub.settings import Settings

ARGUMENTS = ["seed", "--shipments", "40", "--documents", "50"]


def test_twice_is_once(
    environ: dict[str, str],
    settings: Settings,
    postgres: Postgres,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name, value in environ.items():
        monkeypatch.setenv(name, value)

    name = settings.database_url.database or ""

    def content() -> list[object]:
        return [
            postgres.execute(f"SELECT * FROM {table} ORDER BY id", name)
            for table in ("organisations", "users", "shipments", "tracking_events", "documents")
        ]

    assert main(ARGUMENTS) == 0
    counts = json.loads(capsys.readouterr().out)
    assert (counts["shipments"], counts["documents"], counts["users"]) == (40, 50, 1)
    first = content()
    assert main(ARGUMENTS) == 0
    assert content() == first

    files = sorted(settings.uploads_dir.glob("??/*.pdf"))
    assert len(files) == 50
    pdf = files[0].read_bytes()
    assert pdf.startswith(b"%PDF-1.4") and pdf.endswith(b"%%EOF\n")
    # The table at the end points at the objects.
    for number, offset in enumerate(re.findall(rb"(\d{10}) 00000 n", pdf), 1):
        assert pdf[int(offset) :].startswith(b"%d 0 obj" % number)

    # A lost file comes back, a new password takes effect.
    files[0].unlink()
    monkeypatch.setenv("DEMO_PASSWORD", "another one")
    assert main(ARGUMENTS) == 0
    assert files[0].read_bytes() == pdf
    assert content()[1] != first[1]
    assert content()[2:] == first[2:]
