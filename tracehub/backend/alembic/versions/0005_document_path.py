"""Expand: documents.path, which takes over from documents.file.

The release before this one writes `file`, the next one `path`. A trigger fills in whichever is
missing, so both can run at once; 0006 takes `file` away.
"""

import sqlalchemy as sa

from alembic import op

revision = "0005"
down_revision = "0004"
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
    op.add_column("documents", sa.Column("path", sa.Text()))
    op.execute(BRIDGE)
    op.execute("UPDATE documents SET path = file WHERE path IS NULL")


def downgrade() -> None:
    op.execute("DROP TRIGGER documents_bridge ON documents")
    op.execute("DROP FUNCTION documents_bridge()")
    op.drop_column("documents", "path")
