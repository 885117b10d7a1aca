"""The first schema: keys, cases with their events, audit, outbox, decisions of the gate, the sync's ledger."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from gateway.db.immutable import immutable_sql
from gateway.exceptions.tables import TransactionId

revision = "2026_11_21_initial"
down_revision = None
branch_labels = None
depends_on = None


RECORDS = ("case_events", "audit_entries", "audit_seals", "sla_terms")


def upgrade() -> None:
    op.execute(sa.schema.CreateSequence(sa.Sequence("case_number")))
    op.create_table(
        "api_keys",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("secret_hash", sa.Text(), nullable=False),
        sa.Column("scopes", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_keys")),
    )
    op.create_table(
        "audit_entries",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("transaction", TransactionId(), server_default=sa.text("pg_current_xact_id()"), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("before", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("after", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_entries")),
    )
    op.create_index("ix_audit_entries_transaction", "audit_entries", ["transaction"], unique=False)
    op.create_table(
        "audit_seals",
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("from_transaction", TransactionId(), nullable=False),
        sa.Column("to_transaction", TransactionId(), nullable=False),
        sa.Column("entries", sa.BigInteger(), nullable=False),
        sa.Column("previous", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("sealed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_audit_seals")),
    )
    op.create_table(
        "case_events",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("case_number", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("move", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("before", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("after", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("step", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case_events")),
    )
    op.create_index("ix_case_events_case_number_id", "case_events", ["case_number", "id"], unique=False)
    op.create_index(
        "uq_case_events_case_number_step",
        "case_events",
        ["case_number", "step"],
        unique=True,
        postgresql_where=sa.text("step IS NOT NULL"),
    )
    op.create_table(
        "case_seen",
        sa.Column("case_number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("data_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("occurrences", sa.BigInteger(), server_default=sa.text("1"), nullable=False),
        sa.Column("clean_streak", sa.SmallInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("clean_data_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("case_number", name=op.f("pk_case_seen")),
        postgresql_with={"fillfactor": "50"},
    )
    op.create_table(
        "cases",
        sa.Column("number", sa.BigInteger(), server_default=sa.text("nextval('case_number')"), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("current", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("check_id", sa.Text(), nullable=False),
        sa.Column("check_version", sa.SmallInteger(), nullable=False),
        sa.Column("pattern", sa.Text(), nullable=False),
        sa.Column("severity", sa.Text(), nullable=False),
        sa.Column("mode", sa.Text(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("money_kind", sa.Text(), nullable=False),
        sa.Column("account_key", sa.Text(), nullable=True),
        sa.Column("account_name", sa.Text(), nullable=True),
        sa.Column("record_system", sa.Text(), nullable=False),
        sa.Column("record_entity", sa.Text(), nullable=False),
        sa.Column("record_key", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("period_start", sa.Date(), nullable=True),
        sa.Column("period_end", sa.Date(), nullable=True),
        sa.Column("invoice_key", sa.Text(), nullable=True),
        sa.Column("line_key", sa.Text(), nullable=True),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("reads", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("expected", sa.Numeric(precision=24, scale=4), nullable=False),
        sa.Column("actual", sa.Numeric(precision=24, scale=4), nullable=False),
        sa.Column("amount", sa.Numeric(precision=24, scale=4), nullable=False),
        sa.Column("currency", sa.Text(), nullable=True),
        sa.Column("reporting_amount", sa.Numeric(precision=24, scale=4), nullable=True),
        sa.Column("terms", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("arithmetic", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("evidence", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("fails_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("first_detected_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("cycle", sa.SmallInteger(), server_default=sa.text("1"), nullable=False),
        sa.Column("regressed", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("overridden", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("disputed", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("orphaned", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("recurrence_of", sa.BigInteger(), nullable=True),
        sa.Column("parent", sa.BigInteger(), nullable=True),
        sa.Column("business_team", sa.Text(), nullable=False),
        sa.Column("business_owner", sa.Text(), nullable=False),
        sa.Column("technical_team", sa.Text(), nullable=False),
        sa.Column("technical_owner", sa.Text(), nullable=False),
        sa.Column("calendar", sa.Text(), nullable=False),
        sa.Column("sla_terms", sa.Text(), nullable=False),
        sa.Column("cut_off_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ack_due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("resolve_due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("next_step_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("acknowledged_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("pending_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("pending_reason", sa.Text(), nullable=True),
        sa.Column("resolved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("verified_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("resolution", sa.Text(), nullable=True),
        sa.Column("resolution_note", sa.Text(), nullable=True),
        sa.Column("duplicate_of", sa.BigInteger(), nullable=True),
        sa.Column("accepted_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("accepted_amount", sa.Numeric(precision=24, scale=4), nullable=True),
        sa.CheckConstraint("amount >= 0", name=op.f("ck_cases_amount_is_a_size")),
        sa.ForeignKeyConstraint(["duplicate_of"], ["cases.number"], name=op.f("fk_cases_duplicate_of_cases")),
        sa.ForeignKeyConstraint(["parent"], ["cases.number"], name=op.f("fk_cases_parent_cases")),
        sa.ForeignKeyConstraint(["recurrence_of"], ["cases.number"], name=op.f("fk_cases_recurrence_of_cases")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_cases")),
    )
    op.create_index("ix_cases_account_key", "cases", ["account_key"], unique=False)
    op.create_index(
        "ix_cases_next_step_at",
        "cases",
        ["next_step_at"],
        unique=False,
        postgresql_where=sa.text("next_step_at IS NOT NULL"),
    )
    op.create_index("ix_cases_state_check_id", "cases", ["state", "check_id"], unique=False)
    op.create_index(
        "uq_cases_current_fingerprint", "cases", ["fingerprint"], unique=True, postgresql_where=sa.text("current")
    )
    op.create_table(
        "notices",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("dedupe_key", sa.Text(), nullable=False),
        sa.Column("group_key", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("recipient", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("severity", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("payload", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempts", sa.SmallInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("next_attempt_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("receipt", sa.Text(), nullable=True),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notices")),
        sa.UniqueConstraint("dedupe_key", name=op.f("uq_notices_dedupe_key")),
    )
    op.create_index("ix_notices_group_key_created_at", "notices", ["group_key", "created_at"], unique=False)
    op.create_index(
        "ix_notices_next_attempt_at",
        "notices",
        ["next_attempt_at"],
        unique=False,
        postgresql_where=sa.text("state IN ('queued','sending','failed')"),
    )
    op.create_table(
        "sla_terms",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("document", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("frozen_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sla_terms")),
    )
    op.create_index(op.f("ix_sla_terms_digest"), "sla_terms", ["digest"], unique=False)
    op.create_table(
        "snapshots",
        sa.Column("number", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("versions", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("readings", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("mappings", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("ownership", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_snapshots")),
        sa.UniqueConstraint("id", name=op.f("uq_snapshots_id")),
    )
    op.create_table(
        "sync_objects",
        sa.Column("system", sa.Text(), nullable=False),
        sa.Column("object", sa.Text(), nullable=False),
        sa.Column("mapping_hash", sa.Text(), nullable=False),
        sa.Column("stamp", sa.DateTime(timezone=True), nullable=True),
        sa.Column("record_id", sa.Text(), nullable=True),
        sa.Column("token", sa.Text(), nullable=True),
        sa.Column("watermark", sa.DateTime(timezone=True), nullable=True),
        sa.Column("deletions_from", sa.DateTime(timezone=True), nullable=True),
        sa.Column("census_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failure", sa.Text(), nullable=True),
        sa.Column("polled_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("system", "object", name=op.f("pk_sync_objects")),
    )
    op.create_table(
        "sync_rejects",
        sa.Column("system", sa.Text(), nullable=False),
        sa.Column("object", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("system", "object", "key", "reason", name=op.f("pk_sync_rejects")),
    )
    op.create_table(
        "validations",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("asked_by", sa.Text(), nullable=False),
        sa.Column("idempotency_key", sa.Text(), nullable=False),
        sa.Column("body_hash", sa.Text(), nullable=False),
        sa.Column("run_system", sa.Text(), nullable=False),
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("mode", sa.Text(), nullable=False),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column("content_hash", sa.Text(), nullable=False),
        sa.Column("snapshot_id", sa.Text(), nullable=True),
        sa.Column("evaluated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("request", sa.LargeBinary(), nullable=False),
        sa.Column("answer", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_validations")),
        sa.UniqueConstraint("asked_by", "idempotency_key", name=op.f("uq_validations_asked_by_idempotency_key")),
    )
    op.create_index("ix_validations_evaluated_at", "validations", ["evaluated_at"], unique=False)
    op.create_index("ix_validations_run", "validations", ["run_system", "run_id"], unique=False)
    op.create_table(
        "notice_items",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("case_number", sa.BigInteger(), nullable=False),
        sa.Column("recipient", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("severity", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("queued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ready_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("notice_id", sa.BigInteger(), nullable=True),
        sa.Column("dropped", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["notice_id"], ["notices.id"], name=op.f("fk_notice_items_notice_id_notices")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice_items")),
    )
    op.create_index("ix_notice_items_case_number", "notice_items", ["case_number"], unique=False)
    op.create_index(
        "ix_notice_items_ready_at",
        "notice_items",
        ["ready_at"],
        unique=False,
        postgresql_where=sa.text("notice_id IS NULL AND dropped IS NULL"),
    )
    for table in RECORDS:
        for statement in immutable_sql(table):
            op.execute(statement)


def downgrade() -> None:
    op.drop_index(
        "ix_notice_items_ready_at",
        table_name="notice_items",
        postgresql_where=sa.text("notice_id IS NULL AND dropped IS NULL"),
    )
    op.drop_index("ix_notice_items_case_number", table_name="notice_items")
    op.drop_table("notice_items")
    op.drop_index("ix_validations_run", table_name="validations")
    op.drop_index("ix_validations_evaluated_at", table_name="validations")
    op.drop_table("validations")
    op.drop_table("sync_rejects")
    op.drop_table("sync_objects")
    op.drop_table("snapshots")
    op.drop_index(op.f("ix_sla_terms_digest"), table_name="sla_terms")
    op.drop_table("sla_terms")
    op.drop_index(
        "ix_notices_next_attempt_at",
        table_name="notices",
        postgresql_where=sa.text("state IN ('queued','sending','failed')"),
    )
    op.drop_index("ix_notices_group_key_created_at", table_name="notices")
    op.drop_table("notices")
    op.drop_index("uq_cases_current_fingerprint", table_name="cases", postgresql_where=sa.text("current"))
    op.drop_index("ix_cases_state_check_id", table_name="cases")
    op.drop_index("ix_cases_next_step_at", table_name="cases", postgresql_where=sa.text("next_step_at IS NOT NULL"))
    op.drop_index("ix_cases_account_key", table_name="cases")
    op.drop_table("cases")
    op.drop_table("case_seen")
    op.drop_index(
        "uq_case_events_case_number_step", table_name="case_events", postgresql_where=sa.text("step IS NOT NULL")
    )
    op.drop_index("ix_case_events_case_number_id", table_name="case_events")
    op.drop_table("case_events")
    op.drop_table("audit_seals")
    op.drop_index("ix_audit_entries_transaction", table_name="audit_entries")
    op.drop_table("audit_entries")
    op.drop_table("api_keys")
    op.execute("DROP FUNCTION refuse_change()")
    op.execute(sa.schema.DropSequence(sa.Sequence("case_number")))
