"""How the migrations meet a database that the previous release is using at this moment."""

import sys
import time

from sqlalchemy import Connection, NullPool, create_engine, text

from alembic import context
from tracehub.models import Base
from tracehub.settings import Settings, SettingsError

# Any number that nobody else picks: it names our lock among the server's advisory locks.
LOCK = 0x7472616365687562
LOCK_SECONDS = 60


def take_lock(connection: Connection) -> None:
    """One migration at a time, without waiting inside a statement.

    A session that waits in pg_advisory_lock() holds a snapshot, and CREATE INDEX CONCURRENTLY
    waits for all older snapshots: two migrations would then wait for each other.
    """
    deadline = time.monotonic() + LOCK_SECONDS
    while not connection.scalar(text("SELECT pg_try_advisory_lock(:key)"), {"key": LOCK}):
        connection.rollback()
        if time.monotonic() > deadline:
            sys.exit("tracehub: another migration is running")
        time.sleep(0.5)
    connection.commit()


def migrate(connection: Connection) -> None:
    # A statement that waits for a lock makes everyone behind it wait as well. Better to fail
    # after a moment, with nothing changed, and to be run again.
    connection.execute(text("SET lock_timeout = '5s'"))
    connection.commit()
    take_lock(connection)
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        transaction_per_migration=True,
    )
    with context.begin_transaction():
        context.run_migrations()


def run() -> None:
    engine = context.config.attributes.get("connection")
    if engine is None:
        try:
            settings = Settings.read("DATABASE_URL")
        except SettingsError as error:
            print(f"tracehub: {error}", file=sys.stderr)
            sys.exit(2)
        engine = create_engine(
            settings.database_url,
            # The lock is the session's: it ends with the connection, so that one must end.
            poolclass=NullPool,
            connect_args={"connect_timeout": 5, "application_name": "tracehub-migrate"},
        )
    with engine.connect() as connection:
        migrate(connection)


run()
