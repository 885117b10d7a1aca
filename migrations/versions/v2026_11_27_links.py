"""Proposed links between records and customers, and what people made of them."""

import sqlalchemy as sa
from alembic import op

revision = "2026_11_27_links"
down_revision = "2026_11_27_sweeps"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "links",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("left_system", sa.Text(), nullable=False),
        sa.Column("left_entity", sa.Text(), nullable=False),
        sa.Column("left_key", sa.Text(), nullable=False),
        sa.Column("left_name", sa.Text(), nullable=False),
        sa.Column("right_system", sa.Text(), nullable=False),
        sa.Column("right_key", sa.Text(), nullable=False),
        sa.Column("right_name", sa.Text(), nullable=False),
        sa.Column("basis", sa.Text(), nullable=False),
        sa.Column("score", sa.Numeric(5, 4), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.CheckConstraint("score BETWEEN 0 AND 1", name=op.f("ck_links_score_is_a_share")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_links")),
        sa.UniqueConstraint(
            "left_system", "left_entity", "left_key", "right_system", "right_key", name="uq_links_pair"
        ),
    )
    op.create_index("ix_links_basis", "links", ["basis"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_links_basis", table_name="links")
    op.drop_table("links")
