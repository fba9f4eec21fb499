"""Contract: a shipment's status is one of four.

The code has written no other since the first release. Checked in two steps: new rows at once,
then the old ones under a lock that lets reads and writes pass.
"""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

NAME = "ck_shipments_status"


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute(f"ALTER TABLE shipments DROP CONSTRAINT IF EXISTS {NAME}")
        op.execute(
            f"ALTER TABLE shipments ADD CONSTRAINT {NAME} CHECK"
            " (status IN ('booked', 'in_transit', 'customs', 'delivered')) NOT VALID"
        )
        op.execute(f"ALTER TABLE shipments VALIDATE CONSTRAINT {NAME}")


def downgrade() -> None:
    op.execute(f"ALTER TABLE shipments DROP CONSTRAINT {NAME}")
