"""Where the schema is, and where this release wants it."""

from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.exc import ProgrammingError

CONFIG = Path(__file__).parent.parent / "alembic.ini"


@cache
def head() -> str:
    """The newest migration this release comes with."""
    return ScriptDirectory.from_config(Config(CONFIG)).get_current_head() or ""


def current(connection: Connection) -> str | None:
    """The migration the database is at; None when none has run."""
    try:
        found: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    except ProgrammingError:
        connection.rollback()
        return None
    return found


def upgrade(revision: str) -> None:
    """Run what is missing up to `revision`, on the database of DATABASE_URL."""
    command.upgrade(Config(CONFIG), revision)
