"""How sure a case is, and why."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "2026_11_27_confidence"
down_revision = "2026_11_27_evaluations"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("cases", sa.Column("confidence", sa.Numeric(5, 4), server_default=sa.text("1"), nullable=False))
    op.add_column(
        "cases",
        sa.Column("confidence_reasons", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
    )
    op.create_check_constraint(op.f("ck_cases_confidence_is_a_share"), "cases", "confidence BETWEEN 0 AND 1")


def downgrade() -> None:
    op.drop_column("cases", "confidence_reasons")
    op.drop_column("cases", "confidence")
