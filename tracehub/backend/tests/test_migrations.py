"""Up and down, one by one and all at once; and two releases on one schema."""

import re
from pathlib import Path

import pytest
from pytest_alembic.runner import MigrationContext
from pytest_alembic.tests import (  # noqa: F401
    test_model_definitions_match_ddl,
    test_single_head_revision,
    test_up_down_consistency,
    test_upgrade,
)
from sqlalchemy import Engine, text

from tracehub import migrations

VERSIONS = migrations.CONFIG.parent / "alembic" / "versions"
BASICS = """
    INSERT INTO organisations (name) VALUES ('Acme');
    INSERT INTO shipments (organisation_id, reference, container_number, origin, destination)
        SELECT id, 'R-1', 'CSQU3054383', 'Hamburg', 'Busan' FROM organisations;
"""


def insert_document(engine: Engine, column: str, value: str) -> None:
    with engine.begin() as connection:
        connection.execute(
            text(
                f"INSERT INTO documents (shipment_id, name, content_type, sha256, size_bytes,"
                f" {column}) SELECT id, 'a', 'b', 'c', 1, '{value}' FROM shipments"
            )
        )


def values(engine: Engine, column: str) -> list[str]:
    with engine.connect() as connection:
        return sorted(connection.scalars(text(f"SELECT {column} FROM documents")))


def test_documents_survive_the_move_from_file_to_path(
    alembic_runner: MigrationContext, alembic_engine: Engine
) -> None:
    alembic_runner.migrate_up_to("0004")
    with alembic_engine.begin() as connection:
        connection.execute(text(BASICS))
    insert_document(alembic_engine, "file", "before")
    alembic_runner.migrate_up_to("0005")
    insert_document(alembic_engine, "file", "by the old release")
    insert_document(alembic_engine, "path", "by the new release")
    everything = ["before", "by the new release", "by the old release"]
    assert values(alembic_engine, "path") == values(alembic_engine, "file") == everything
    alembic_runner.migrate_up_to("0006")
    assert values(alembic_engine, "path") == everything
    alembic_runner.migrate_down_to("0004")
    assert values(alembic_engine, "file") == everything


@pytest.mark.parametrize("path", sorted(VERSIONS.glob("*.py")), ids=lambda path: path.stem)
def test_every_migration_says_what_it_is(path: Path) -> None:
    assert re.match(r'"""(Expand|Contract): .+\.\n\n.+', path.read_text())
