"""Expand: an index for the search in the middle of words.

Built concurrently: shipments can be read and written meanwhile.
"""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

INDEX = "ix_shipments_search"


def upgrade() -> None:
    op.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
    with op.get_context().autocommit_block():
        # A build that was cut short leaves an invalid index behind, which would block this one.
        op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {INDEX}")
        op.execute(
            f"CREATE INDEX CONCURRENTLY {INDEX} ON shipments USING gin (reference gin_trgm_ops,"
            " container_number gin_trgm_ops, origin gin_trgm_ops, destination gin_trgm_ops)"
        )


def downgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {INDEX}")
    op.execute("DROP EXTENSION IF EXISTS pg_trgm")
