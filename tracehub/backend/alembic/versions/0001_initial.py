"""Expand: organisations, users, shipments and their events.

The first schema; nothing runs on it yet.
"""

import sqlalchemy as sa

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "organisations",
        sa.Column("id", sa.BigInteger(), sa.Identity(), primary_key=True),
        sa.Column("name", sa.String(120), nullable=False, unique=True),
        sa.Column("created_at", sa.DateTime(True), nullable=False, server_default=sa.func.now()),
    )
    op.create_table(
        "users",
        sa.Column("id", sa.BigInteger(), sa.Identity(), primary_key=True),
        sa.Column(
            "organisation_id",
            sa.BigInteger(),
            sa.ForeignKey("organisations.id"),
            nullable=False,
            index=True,
        ),
        sa.Column("email", sa.String(254), nullable=False, unique=True),
        sa.Column("name", sa.String(120), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(True), nullable=False, server_default=sa.func.now()),
    )
    op.create_table(
        "shipments",
        sa.Column("id", sa.BigInteger(), sa.Identity(), primary_key=True),
        sa.Column(
            "organisation_id", sa.BigInteger(), sa.ForeignKey("organisations.id"), nullable=False
        ),
        sa.Column("reference", sa.String(40), nullable=False),
        sa.Column("container_number", sa.String(11), nullable=False),
        sa.Column("origin", sa.String(120), nullable=False),
        sa.Column("destination", sa.String(120), nullable=False),
        sa.Column("status", sa.String(20), nullable=False, server_default="booked"),
        sa.Column("created_at", sa.DateTime(True), nullable=False, server_default=sa.func.now()),
        sa.Column("updated_at", sa.DateTime(True), nullable=False, server_default=sa.func.now()),
        sa.UniqueConstraint("organisation_id", "reference"),
    )
    op.create_index(
        "ix_shipments_organisation_id_updated_at",
        "shipments",
        ["organisation_id", "updated_at", "id"],
    )
    op.create_table(
        "tracking_events",
        sa.Column("id", sa.BigInteger(), sa.Identity(), primary_key=True),
        sa.Column(
            "shipment_id",
            sa.BigInteger(),
            sa.ForeignKey("shipments.id", ondelete="CASCADE"),
            nullable=False,
        ),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("location", sa.String(120), nullable=False),
        sa.Column("note", sa.Text()),
        sa.Column("occurred_at", sa.DateTime(True), nullable=False),
        sa.Column("recorded_at", sa.DateTime(True), nullable=False, server_default=sa.func.now()),
        sa.Index(None, "shipment_id", "occurred_at"),
    )


def downgrade() -> None:
    for table in ("tracking_events", "shipments", "users", "organisations"):
        op.drop_table(table)
