"""What a sweep leaves for the next one, so that it evaluates only what has changed."""

import sqlalchemy as sa
from alembic import op

revision = "2026_11_27_sweeps"
down_revision = "2026_11_27_confidence"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "sweep_marks",
        sa.Column("check_id", sa.Text(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("snapshot", sa.Text(), nullable=False),
        sa.Column("swept_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("whole_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("known_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("unowned", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.PrimaryKeyConstraint("check_id", name=op.f("pk_sweep_marks")),
    )
    op.create_table(
        "sweep_later",
        sa.Column("check_id", sa.Text(), nullable=False),
        sa.Column("account_key", sa.Text(), nullable=False),
        sa.Column("waits_for", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("check_id", "account_key", "waits_for", name=op.f("pk_sweep_later")),
    )
    op.create_index("ix_sweep_later_waits_for_at", "sweep_later", ["waits_for", "at"], unique=False)


def downgrade() -> None:
    op.drop_table("sweep_later")
    op.drop_table("sweep_marks")
