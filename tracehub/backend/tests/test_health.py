import pytest
from fastapi.testclient import TestClient

from tests.postgres import Postgres
from tracehub import migrations
from tracehub.app import create_app
from tracehub.settings import Settings


def test_what_the_deploy_tools_ask(anonymous: TestClient) -> None:
    head = migrations.head()
    assert anonymous.get("/health").json() == {"status": "ok"}
    assert anonymous.post("/health/echo", content=b"x" * 2000).json() == {"bytes": 2000}
    assert anonymous.get("/health/ready").json() == {"status": "ready", "head": head}
    assert anonymous.get("/version").json() == {
        "tag": "v1",
        "git_sha": "abc123",
        "head": head,
        "slot": "green",
    }


def test_on_the_next_releases_schema_it_serves_but_is_not_ready(
    client: TestClient, shipment: int, settings: Settings, postgres: Postgres
) -> None:
    name, head = settings.database_url.database or "", migrations.head()
    postgres.execute("UPDATE alembic_version SET version_num = 'next'", name)
    postgres.execute("ALTER TABLE shipments ADD COLUMN next_year text", name)
    try:
        answer = client.get("/health/ready")
        assert answer.status_code == 503
        assert "at migration next, the code at" in answer.json()["detail"]
        assert client.get("/health").status_code == 200
        assert client.get(f"/api/v1/shipments/{shipment}").status_code == 200
    finally:
        postgres.execute(f"UPDATE alembic_version SET version_num = '{head}'", name)
        postgres.execute("ALTER TABLE shipments DROP COLUMN next_year", name)


def test_before_the_first_migration_it_is_not_ready(
    environ: dict[str, str], postgres: Postgres
) -> None:
    environ["DATABASE_URL"] = postgres.create_database().render_as_string(False)
    with TestClient(create_app(Settings.read(environ=environ))) as client:
        assert "at migration None" in client.get("/health/ready").json()["detail"]


def test_without_a_database_it_lives_and_says_so(environ: dict[str, str]) -> None:
    environ["DATABASE_URL"] = "postgresql://u@/x?host=/nonexistent"
    with TestClient(create_app(Settings.read(environ=environ))) as client:
        assert client.get("/health").status_code == 200
        for answer in (
            client.get("/health/ready"),
            client.post("/api/v1/auth/login", json={"email": "a", "password": "b"}),
        ):
            assert answer.status_code == 503
            assert answer.json() == {"detail": "the database does not answer"}


def test_metrics(client: TestClient, shipment: int) -> None:
    client.get(f"/api/v1/shipments/{shipment}")
    client.get("/no/such/page")
    client.request("BREW", "/health")
    text = client.get("/metrics").text
    route = 'route="/api/v1/shipments/{shipment_id}"'
    assert f'tracehub_requests_total{{method="GET",{route},status="200"}}' in text
    assert f'tracehub_request_seconds_bucket{{le="0.2",method="GET",{route}}}' in text
    assert 'tracehub_requests_total{method="GET",route="unmatched",status="404"}' in text
    assert 'method="other"' in text
    for name in (
        "process_cpu_seconds_total",
        "process_resident_memory_bytes",
        "tracehub_cpu_percent",
        "tracehub_memory_percent",
        "tracehub_disk_percent",
    ):
        assert f"\n{name} " in text


def test_a_failure_is_json_and_tells_nothing(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise RuntimeError("a secret of ours")

    monkeypatch.setattr(migrations, "head", fail)
    answer = client.get("/version")
    assert answer.status_code == 500
    assert answer.json() == {"detail": "the server failed; its log says why"}
    assert client.get("/no/such/page").json() == {"detail": "Not Found"}
