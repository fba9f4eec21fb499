"""Expand: who recorded an event.

Nullable, so that the release before this one can go on writing events without it.
"""

import sqlalchemy as sa

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


NAME = "fk_tracking_events_recorded_by"


def upgrade() -> None:
    op.add_column("tracking_events", sa.Column("recorded_by", sa.BigInteger()))
    op.create_foreign_key(
        NAME, "tracking_events", "users", ["recorded_by"], ["id"], postgresql_not_valid=True
    )
    with op.get_context().autocommit_block():
        op.execute(f"ALTER TABLE tracking_events VALIDATE CONSTRAINT {NAME}")


def downgrade() -> None:
    op.drop_column("tracking_events", "recorded_by")
