"""The connection pool, with limits that keep one bad query from becoming an outage."""

from sqlalchemy import Engine, create_engine

from tracehub.settings import Settings

# Two slots run side by side during a release, each with a pool and one listener: together they
# stay well under PostgreSQL's default of 100 connections.
POOL_SIZE = 10
OVERFLOW = 10

GUARDS = "-c statement_timeout=10s -c idle_in_transaction_session_timeout=30s"


def connect(settings: Settings) -> Engine:
    """A pool that opens nothing until it is asked."""
    return create_engine(
        settings.database_url,
        pool_size=POOL_SIZE,
        max_overflow=OVERFLOW,
        pool_timeout=5,
        # A restore renames databases and a failover cuts connections: find out before a request.
        pool_pre_ping=True,
        connect_args={
            "connect_timeout": 3,
            "application_name": f"tracehub-{settings.slot}",
            "options": GUARDS,
        },
    )
