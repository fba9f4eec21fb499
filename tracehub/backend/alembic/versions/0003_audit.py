"""Expand: the audit trail.

A new table; the release before this one does not look at it.
"""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "audit_entries",
        sa.Column("id", sa.BigInteger(), sa.Identity(), primary_key=True),
        sa.Column(
            "organisation_id", sa.BigInteger(), sa.ForeignKey("organisations.id"), nullable=False
        ),
        sa.Column("user_id", sa.BigInteger(), sa.ForeignKey("users.id")),
        sa.Column("action", sa.String(40), nullable=False),
        sa.Column("subject_id", sa.BigInteger()),
        sa.Column("detail", JSONB(), nullable=False, server_default="{}"),
        sa.Column("at", sa.DateTime(True), nullable=False, server_default=sa.func.now()),
        sa.Index(None, "organisation_id", "id"),
    )


def downgrade() -> None:
    op.drop_table("audit_entries")
