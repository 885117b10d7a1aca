"""Checks of an installation's own: what is taken, what is refused with which words, and what they find."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from books.reading import Books
from checks.contract import Check, Need, Outcome, Params
from checks.relation import compiled
from checks.rule import Rule
from gateway.errors import ConfigError
from gateway.user_checks.folder import read
from tests.checks.kit import Ledger, ask, books, clean, only

ABOUT = """\
A posted invoice has no due date.

Why it matters: nobody is reminded of an amount that never falls due.

Usual cause: the account has no payment terms.

How to fix: set the terms on the account, and the due date on the invoice.

What it is not: a draft, which gets its due date when it is posted.
"""
HEADER = """\
pattern: draft_integrity
severity: S3
owners: [finance_ops, billing_ops]
mode: warn
scope: invoice
kind: timing
record: invoices
arithmetic: {expected: total}
message: "Invoice {number} of {total} {currency} is posted and never falls due."
settings:
  least: {default: 100, reason: "Smaller amounts are not worth a call."}
"""
SELECT = """\
SELECT i.system, i.key, i.account_key, i.currency, i.number, i.total
FROM billing.invoices i
WHERE i.status = 'posted' AND i.due_date IS NULL AND i.total >= :least
"""
MODULE = f'''"""{ABOUT}"""

from books.reading import Books
from checks.contract import Arithmetic, Check, Mode, MoneyKind, Need, Owner, Params, Pattern, Scope, Severity, Spans
from checks.rows import candidates, listed, reference


def find(books, params):
    endless = books.table("invoices", "billing").filter(lambda t: (t.status == "posted") & t.due_date.isnull())
    return candidates(
        endless,
        "invoices",
        "number",
        subject=endless.key,
        evidence=listed(reference(endless.system, "invoices", endless.key)),
        invoice=endless.key,
        total=endless.total,
    )


CHECK = Check(
    id="invoice_without_due_date",
    doc=__doc__,
    pattern=Pattern.DRAFT_INTEGRITY,
    severity=Severity.S3,
    owners=(Owner.FINANCE_OPS, Owner.BILLING_OPS),
    mode=Mode.WARN,
    scope=Scope.INVOICE,
    kind=MoneyKind.TIMING,
    spans=Spans.ACCOUNT,
    needs=(Need("invoices", "billing"),),
    arithmetic=Arithmetic.of("total", "0"),
    message="Invoice {{number}} of {{total}} {{currency}} is posted and never falls due.",
    find=find,
)
'''


def sql(header: str = HEADER, select: str = SELECT, about: str = ABOUT) -> str:
    return f"/*\n{about}\n---\n{header}*/\n{select}"


def taken(folder: Path, name: str, text: str, of: Books | None = None) -> Check:
    (folder / name).write_text(text, encoding="utf-8")
    return read(folder, of or books(), {"duplicate_invoice_line"})[Path(name).stem]


def refused(folder: Path, name: str, text: str) -> str:
    with pytest.raises(ConfigError) as error:
        taken(folder, name, text)
    return str(error.value).removeprefix(f"{folder / name}")


def undated() -> Ledger:
    small = {"total": Decimal(99)}
    ledger = clean().invoice("INV-A", date(2026, 11, 3), status="posted", due_date=None, total=Decimal(120))
    ledger.invoice("INV-B", date(2026, 11, 3), status="posted", due_date=None, **small)
    return ledger.invoice("INV-C", date(2026, 11, 3), status="draft", due_date=None, total=Decimal(500))


@pytest.mark.parametrize(("name", "text"), [("invoice_without_due_date.py", MODULE), ("no_due_date.sql", sql())])
def test_a_check_of_ones_own_is_asked_like_a_shipped_one(tmp_path: Path, name: str, text: str) -> None:
    check = taken(tmp_path, name, text)
    ledger = undated().remove("invoices", *(["INV-B"] if name.endswith(".py") else []))
    finding = only(check, ledger)
    assert (finding.record.key, finding.amount, finding.invoice_key) == ("INV-A", Decimal(120), "INV-A")
    assert finding.arithmetic == "expected = total = 120; actual = 0; amount = expected - actual = 120 − 0 = 120"
    assert finding.message == "Invoice INV-A of 120 USD is posted and never falls due."
    assert [str(record) for record in finding.evidence] == ["billing/invoices/INV-A"]
    assert check.advice["not_a_case"].startswith("A draft")
    assert check.needs == (Need("invoices", "billing"),)
    assert ask(check, undated(), stale="billing").outcome is Outcome.NOT_EVALUATED
    assert ask(check, undated(), unmapped=[("billing", "invoices")]).outcome is Outcome.NOT_APPLICABLE


def test_only_live_rows_of_the_systems_in_the_role_are_read(tmp_path: Path) -> None:
    check = taken(tmp_path, "no_due_date.sql", sql())
    ledger = undated()
    ledger.add("invoices", "erp", "E-1", status="posted", total=Decimal(700), currency="USD", number="E-1")
    ledger.change("invoices", "INV-A", deleted=True)
    assert ask(check, ledger).outcome is Outcome.PASSED


def test_a_setting_is_put_in_and_changes_the_digest(tmp_path: Path) -> None:
    check = taken(tmp_path, "no_due_date.sql", sql())
    rules = [Rule(check, Params({"least": least}), books()) for least in (100, 200)]
    assert [f"total >= {least}" in compiled(rule.rows()) for rule, least in zip(rules, (100, 200), strict=True)] == [
        True,
        True,
    ]
    other = taken(tmp_path, "no_due_date.sql", sql(select=SELECT.replace("'posted'", "'sent'")))
    assert len({rule.digest for rule in (*rules, Rule(other, Params({"least": 100}), books()))}) == 3


def test_a_module_that_is_changed_has_another_digest(tmp_path: Path) -> None:
    texts = (MODULE, MODULE.replace('"posted"', '"sent"'))
    checks = [taken(tmp_path, "invoice_without_due_date.py", text) for text in texts]
    (tmp_path / "invoice_without_due_date.py").write_text(texts[0])
    first = Rule(checks[0], Params({}), books()).digest
    assert first != Rule(taken(tmp_path, "invoice_without_due_date.py", texts[1]), Params({}), books()).digest


def test_a_statement_may_join_and_name_its_own_tables(tmp_path: Path) -> None:
    select = """\
    WITH open AS (SELECT * FROM billing.invoices WHERE status = 'posted')
    SELECT o.system, o.key, o.account_key, o.currency, o.number, o.total, o.due_date + 1 AS fails_from,
           o.system || '/accounts/' || a.key AS said, [a.system || '/accounts/' || a.key] AS evidence
    FROM open o JOIN billing.accounts a ON a.account_key = o.account_key, request
    WHERE o.due_date < request.today AND o.total > 1.5 * 100 AND o.total >= :least
    """
    check = taken(tmp_path, "overdue.sql", sql(select=select))
    ledger = clean().invoice(
        "INV-A", date(2026, 10, 3), status="posted", due_date=date(2026, 11, 1), total=Decimal(160)
    )
    rows = Rule(check, Params({"least": 100}), books()).rows()
    assert "[a.system || '/accounts/' || a.key] AS evidence" in compiled(rows)
    assert "ARRAY(" in compiled(rows, "databricks")
    (finding,) = (f for f in ask(check, ledger).findings if f.record.key == "INV-A")
    assert [record.entity for record in finding.evidence] == ["invoices", "accounts"]
    assert finding.fails_from.date() == date(2026, 11, 2)
    assert set(check.needs) == {Need("invoices", "billing"), Need("accounts", "billing")}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("owners: [finance_ops, billing_ops]\n", ""), "line 12: owners: name two roles"),
        (("[finance_ops, billing_ops]", "[finance_ops]"), "line 15: owners: name two roles"),
        (("record: invoices\n", ""), "The header lacks record."),
        (("severity: S3", "sevirity: S3"), "The header knows no word sevirity"),
        (("severity: S3", "severity: [S3"), "The header is not YAML"),
        (("i.key, i.account_key", "i.account_key"), "Its rows name no primary record: they lack key."),
        (("i.due_date", "i.due_dat"), "line 27: There is no column due_dat. Did you mean due_date?"),
        (("billing.invoices", "invoices"), "line 26: Say whose invoices: role.invoices"),
        (("billing.invoices", "zuora.invoices"), "line 26: There is no role zuora; the roles are crm"),
        (("billing.invoices", "billing.invoice"), "line 26: The books have no invoice; they have accounts"),
        (("billing.invoices", "read_csv('/etc/passwd')"), "A check reads the books and nothing else."),
        (("WHERE", "WHERE WHERE"), "line 27: This is not SQL, at or before 'WHERE'"),
        (("SELECT i", "DELETE FROM billing.invoices; SELECT i"), "the file must hold one SELECT"),
        (("SELECT i", "INSERT INTO billing.invoices SELECT i"), "the file must hold one SELECT"),
        (
            ("i.total\n", "i.total / 3 AS total\n"),
            "The column total is float64; it must be a whole number",
        ),
        ((":least", ":most"), "It names the setting :most, which its header does not declare."),
        (("IS NULL", "< current_date"), "Read the moment from request: `now` and `today`."),
        (("i.number,", "i.raw AS number,"), "line 25: The gate does not hold raw."),
        (("{number}", "{nummer}"), "Its message names {nummer}, which is no column of its rows."),
        (("{total} {cur", "{total:,} {cur"), "Its message must say {total} and no more inside the braces"),
        (("expected: total", "expected: totals"), "Its rows lack the columns totals."),
        (("expected: total", "expected: total +"), "total +"),
        (("i.account_key, ", ""), "Its rows lack the columns account_key."),
        (("Why it matters:", "Why:"), "has no paragraph «Why it matters: …»."),
        (("---\n", ""), "line 1: It has no header."),
    ],
)
def test_what_is_wrong_with_a_statement_is_said(tmp_path: Path, change: tuple[str, str], said: str) -> None:
    assert said in refused(tmp_path, "no_due_date.sql", sql().replace(*change, 1))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("t.due_date", "t.due_dat"), "line 18: There is no column due_dat. Did you mean due_date"),
        (("(Owner.FINANCE_OPS, Owner.BILLING_OPS)", "(Owner.FINANCE_OPS,)"), "It must name two owners"),
        (("    owners=(Owner.FINANCE_OPS, Owner.BILLING_OPS),\n", ""), "line 30: The check lacks 'owners'."),
        (("severity=Severity.S3", 'severity="high"'), "Its severity is 'high'; it must be Severity.S1, S2, S3, S4."),
        (("def find(books, params):", "def find(books, params)"), "line 17: This is not Python: expected ':'."),
        (("import candidates", "import candidate"), "line 14: cannot import name 'candidate'"),
        (('"number",', '"numer",'), "numer"),
        (("CHECK = ", "MINE = "), "It declares no check. Write CHECK = Check(...)"),
        (('id="invoice_without_due_date"', 'id="undated"'), "Its id is undated. Name the file undated.py"),
        (
            ('needs=(Need("invoices", "billing"),)', 'needs=(Need("contracts", "crm"),)'),
            "It reads invoices and does not",
        ),
        (("endless.total,", "endless.total.cast('float64'),"), "The column total is float64"),
        (('(t.status == "posted")', "(t.invoice_date < ibis.now().date())"), "name 'ibis' is not defined"),
    ],
)
def test_what_is_wrong_with_a_module_is_said(tmp_path: Path, change: tuple[str, str], said: str) -> None:
    assert said in refused(tmp_path, "invoice_without_due_date.py", MODULE.replace(*change))


def test_every_file_with_a_mistake_is_named_and_an_id_is_taken_once(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("CHECK = 1")
    (tmp_path / "_shared.py").write_text("this is left alone")
    (tmp_path / "duplicate_invoice_line.sql").write_text(sql())
    with pytest.raises(ConfigError) as error:
        read(tmp_path, books(), {"duplicate_invoice_line"})
    first, second = str(error.value).splitlines()
    assert "a.py: It declares no check." in first
    assert "There is a check duplicate_invoice_line already." in second
    with pytest.raises(ConfigError, match="is not a folder"):
        read(tmp_path / "none", books(), ())
