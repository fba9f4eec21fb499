"""Contract: documents.file is gone.

Only when no release that reads `file` runs or may have to be gone back to.
"""

import sqlalchemy as sa

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

BRIDGE = """
CREATE FUNCTION documents_bridge() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.path := coalesce(NEW.path, NEW.file);
    NEW.file := coalesce(NEW.file, NEW.path);
    RETURN NEW;
END $$;
CREATE TRIGGER documents_bridge BEFORE INSERT OR UPDATE ON documents
    FOR EACH ROW EXECUTE FUNCTION documents_bridge();
"""


def upgrade() -> None:
    # SET NOT NULL reads the whole table under a lock that stops all others, unless a valid
    # constraint has proven it before; and that one reads it under a lock that stops nobody.
    with op.get_context().autocommit_block():
        op.execute("ALTER TABLE documents DROP CONSTRAINT IF EXISTS path_set")
        op.execute(
            "ALTER TABLE documents ADD CONSTRAINT path_set CHECK (path IS NOT NULL) NOT VALID"
        )
        op.execute("ALTER TABLE documents VALIDATE CONSTRAINT path_set")
    op.alter_column("documents", "path", nullable=False)
    op.execute("ALTER TABLE documents DROP CONSTRAINT path_set")
    op.execute("DROP TRIGGER documents_bridge ON documents")
    op.execute("DROP FUNCTION documents_bridge()")
    op.drop_column("documents", "file")


def downgrade() -> None:
    op.add_column("documents", sa.Column("file", sa.Text()))
    op.execute(BRIDGE)
    op.execute("UPDATE documents SET file = path")
    op.alter_column("documents", "file", nullable=False)
    op.alter_column("documents", "path", nullable=True)
