"""A migrated database, the application on it, and somebody who is logged in."""

import logging
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from fastapi.testclient import TestClient
from sqlalchemy import URL, Engine, create_engine

from tests.postgres import Postgres, running
from tracehub import migrations, tokens
from tracehub.app import create_app
from tracehub.models import Base, Organisation, User
from tracehub.passwords import hash_password
from tracehub.settings import Settings

PASSWORD = "correct horse"
HASH = hash_password(PASSWORD)
SECRET = "a secret that is long enough to be one"


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    with running() as server:
        yield server


@pytest.fixture(scope="session")
def migrated(postgres: Postgres) -> URL:
    url = postgres.create_database()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DATABASE_URL", url.render_as_string(False))
        command.upgrade(Config(migrations.CONFIG), "head")
    return url


@pytest.fixture
def database(postgres: Postgres, migrated: URL) -> URL:
    """Migrated, and as empty as after the migrations."""
    tables = ", ".join(Base.metadata.tables)
    postgres.execute(f"TRUNCATE {tables} RESTART IDENTITY", migrated.database or "")
    return migrated


@pytest.fixture
def environ(database: URL, tmp_path: Path) -> dict[str, str]:
    return {
        "DATABASE_URL": database.render_as_string(False),
        "JWT_SECRET": SECRET,
        "DEMO_PASSWORD": PASSWORD,
        "UPLOADS_DIR": str(tmp_path / "uploads"),
        "UPLOAD_LIMIT_BYTES": "100000",
        "TH_TAG": "v1",
        "TH_SLOT": "green",
        "GIT_SHA": "abc123",
    }


@pytest.fixture
def settings(environ: dict[str, str]) -> Settings:
    return Settings.read(environ=environ)


@pytest.fixture
def anonymous(settings: Settings) -> Iterator[TestClient]:
    app = create_app(settings)
    app.state.context.uploads.prepare()
    # Without an address, as behind a unix socket.
    with TestClient(app, raise_server_exceptions=False, client=("", 0)) as client:
        yield client


def add_user(client: TestClient, organisation: str, email: str) -> int:
    with client.app.state.context.session() as session:  # type: ignore[attr-defined]
        owner = Organisation(name=organisation)
        user = User(organisation=owner, email=email, name="Ada", password_hash=HASH)
        session.add(user)
        session.commit()
        return user.id


def log_in(client: TestClient, user_id: int) -> str:
    """Without the password, which takes its time by design; test_auth.py does it with."""
    token = tokens.issue(user_id, SECRET)
    client.headers["Authorization"] = f"Bearer {token}"
    return token


@pytest.fixture
def client(anonymous: TestClient) -> TestClient:
    log_in(anonymous, add_user(anonymous, "Acme", "ada@acme.example"))
    return anonymous


@pytest.fixture
def stranger(client: TestClient, settings: Settings) -> Iterator[TestClient]:
    """Somebody of another organisation."""
    eve = add_user(client, "Other", "eve@other.example")
    app = create_app(settings)
    with TestClient(app, raise_server_exceptions=False) as other:
        log_in(other, eve)
        yield other


@pytest.fixture
def shipment(client: TestClient) -> int:
    answer = client.post(
        "/api/v1/shipments",
        json={
            "reference": "R-1",
            "container_number": "CSQU3054383",
            "origin": "Hamburg",
            "destination": "Busan",
        },
    )
    assert answer.status_code == 201, answer.text
    number: int = answer.json()["id"]
    return number


@pytest.fixture(autouse=True)
def logging_as_it_was() -> Iterator[None]:
    """Commands send the logs to a stdout that a test has borrowed."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture
def alembic_config() -> dict[str, str]:
    return {"file": str(migrations.CONFIG)}


@pytest.fixture
def alembic_engine(postgres: Postgres) -> Iterator[Engine]:
    engine = create_engine(postgres.create_database())
    yield engine
    engine.dispose()


# A variable of the machine the tests run on is nobody's setting.
for name in ("DATABASE_URL", "JWT_SECRET", "DEMO_PASSWORD", "TH_SOCKET", "TH_PORT", "TH_SLOT"):
    os.environ.pop(name, None)
