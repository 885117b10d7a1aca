"""Which questions to the gate were about the whole of their run; of earlier ones that is not known, so none was."""

import sqlalchemy as sa
from alembic import op

revision = "2026_11_27_whole_runs"
down_revision = "2026_11_27_links"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("validations", sa.Column("whole", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.alter_column("validations", "whole", server_default=None)


def downgrade() -> None:
    op.drop_column("validations", "whole")
