"""SuiteQL answered: expressions, dates, display values, grouping and joins, and what is refused."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.netsuite import NetSuiteAccount
from sandbox.netsuite.paging import read_page
from sandbox.netsuite.refusals import QueryRefused, RecordNotFound, Refusal, UnknownIdentifier
from tests.sandbox.netsuite.netsuite_asking import Clock, column, select

UTC_TEXT = 'TO_CHAR(SYS_EXTRACT_UTC(t.lastmodifieddate),\'YYYY-MM-DD"T"HH24:MI:SS"Z"\')'

NUMBERS = NetSuiteAccount(Clock())


@pytest.fixture(scope="module")
def books() -> NetSuiteAccount:
    """Two customers, three invoices and a credit memo with lines; the tests only read it."""
    account = NetSuiteAccount(Clock())
    account.put("customer", {"id": 7, "companyname": "Acme", "isperson": False})
    account.put("customer", {"id": 8, "companyname": "Brass & Co", "parent": 7, "isperson": True})
    account.put("accountingperiod", {"id": 200, "periodname": "Nov 2026"})
    stamp = datetime(2026, 7, 1, 1, 30, tzinfo=UTC)
    for key, kind, status, entity, total, day in [
        (1, "CustInvc", "A", 7, "100.50", 1),
        (2, "CustInvc", "B", 7, "20000", 2),
        (3, "CustInvc", "A", 8, "0.05", 3),
        (4, "CustCred", "A", 8, "-3", 4),
    ]:
        account.put(
            "transaction",
            {
                "id": key,
                "tranid": f"DOC{key}",
                "type": kind,
                "status": status,
                "entity": entity,
                "foreigntotal": total,
                "trandate": date(2026, 11, day),
                "postingperiod": 200,
                "posting": True,
                "lastmodifieddate": stamp,
            },
        )
        account.put("transactionline", {"transaction": key, "id": 0, "mainline": "T", "foreignamount": total})
    account.put("transaction", {"id": 4, "memo": "goodwill", "lastmodifieddate": stamp})
    account.put("transactionline", {"transaction": 1, "id": 1, "mainline": "F", "quantity": -2})
    return account


def test_values_are_text_keys_lower_case_and_nulls_absent(books: NetSuiteAccount) -> None:
    query = "SELECT t.ID, t.TranID AS Doc, Memo, ForeignTotal, posting FROM Transaction t WHERE id IN (1, 4) ORDER BY 1"
    assert select(books, query) == [
        {"id": "1", "doc": "DOC1", "foreigntotal": "100.5", "posting": "T"},
        {"id": "4", "doc": "DOC4", "memo": "goodwill", "foreigntotal": "-3", "posting": "T"},
    ]


def test_star_is_every_column_of_one_table(books: NetSuiteAccount) -> None:
    [row] = select(books, "SELECT * FROM customer WHERE id = 8")
    assert row == {
        "id": "8",
        "companyname": "Brass & Co",
        "parent": "7",
        "isperson": "T",
        "lastmodifieddate": "11/20/2026",
    }
    assert select(books, "SELECT c.* FROM customer c WHERE c.id = 8") == [row]


def test_an_expression_without_alias_is_numbered_by_its_place(books: NetSuiteAccount) -> None:
    assert select(books, "SELECT id, UPPER(companyname), id + 1 FROM customer WHERE id = 7") == [
        {"id": "7", "expr2": "ACME", "expr3": "8"}
    ]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("NVL(t.memo, 'none')", "none"),
        ("COALESCE(t.memo, t.tranid)", "DOC1"),
        ("CASE WHEN t.status = 'A' THEN 'open' ELSE 'other' END", "open"),
        ("DECODE(t.status, 'B', 'paid', 'open')", "open"),
        ("NVL2(t.memo, 'noted', 'bare')", "bare"),
        ("t.tranid || '/' || t.memo || t.foreigntotal", "DOC1/100.5"),
        ("t.foreigntotal * 2 - 1", "200"),
        ("-t.foreigntotal / 3", "-33.5"),
        ("1 / 8", "0.125"),
        ("ROUND(t.foreigntotal, 0)", "101"),
        ("TO_CHAR(t.foreigntotal)", "100.5"),
        ("TO_NUMBER('7') + 1", "8"),
        ("SUBSTR(t.tranid, 1, 3)", "DOC"),
        ("t.trandate", "11/01/2026"),
        ("t.lastmodifieddate", "06/30/2026"),
        ("TO_CHAR(t.trandate)", "11/01/2026"),
        ("TO_CHAR(t.trandate, 'YYYY-MM-DD')", "2026-11-01"),
        ("TO_CHAR(t.trandate, 'DD Mon YY, 100%')", None),
        ("TO_CHAR(t.lastmodifieddate, 'YYYY-MM-DD HH24:MI:SS')", "2026-06-30 18:30:00"),
        ("TO_CHAR(t.lastmodifieddate, 'HH12:MI AM')", "06:30 PM"),
        (UTC_TEXT, "2026-07-01T01:30:00Z"),
        ("SYS_EXTRACT_UTC(t.lastmodifieddate)", "07/01/2026"),
        ("TO_CHAR(SYS_EXTRACT_UTC(TO_TIMESTAMP('2026-01-01 00:00:00','YYYY-MM-DD HH24:MI:SS')),'HH24')", "08"),
        ("TO_CHAR(TRUNC(t.lastmodifieddate), 'YYYY-MM-DD HH24')", "2026-06-30 00"),
        ("TO_CHAR(t.trandate - 0.5, 'YYYY-MM-DD HH24')", "2026-10-31 12"),
        ("TO_CHAR(SYSDATE, 'YYYY-MM-DD HH24:MI')", "2026-11-20 04:00"),
        ("TO_CHAR(SYSDATE + 1, 'YYYY-MM-DD HH24:MI')", "2026-11-21 04:00"),
        ("TO_CHAR(DATE '2026-02-28' + 1, 'MM/DD')", "03/01"),
        ("BUILTIN.DF(t.status)", "Invoice : Open"),
        ("BUILTIN.DF(t.type)", "Invoice"),
        ("BUILTIN.DF(t.entity)", "Acme"),
        ("BUILTIN.DF(t.postingperiod)", "Nov 2026"),
        ("BUILTIN.DF(t.trandate)", "11/01/2026"),
        ("BUILTIN.DF(t.tranid)", "DOC1"),
        ("(SELECT COUNT(*) FROM transactionline l WHERE l.transaction = t.id)", "2"),
    ],
)
def test_expressions(books: NetSuiteAccount, expression: str, expected: str | None) -> None:
    query = f"SELECT {expression} AS answer FROM transaction t WHERE t.id = 1"
    if expected is None:
        with pytest.raises(QueryRefused, match="date mask"):
            select(books, query)
    else:
        assert column(books, query) == [expected]


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("t.id = 2", "2"),
        ("t.id = '2'", "2"),
        ("t.id <> 2 AND NOT t.id = 3", "14"),
        ("t.type = 'CustInvc' AND (t.status = 'B' OR t.entity = 8)", "23"),
        ("t.id IN (1, 3, 9)", "13"),
        ("t.id NOT IN (1, 3)", "24"),
        ("t.foreigntotal BETWEEN 0 AND 100.5", "13"),
        ("t.tranid LIKE 'DOC%' AND t.tranid NOT LIKE '%3'", "124"),
        ("t.tranid LIKE 'doc%'", ""),
        ("t.memo IS NULL", "123"),
        ("t.memo IS NOT NULL", "4"),
        ("t.memo = ''", ""),
        ("t.memo <> ''", ""),
        ("t.trandate >= TO_DATE('2026-11-03','YYYY-MM-DD')", "34"),
        ("t.trandate BETWEEN TO_DATE('2026-11-02 12','YYYY-MM-DD HH24') AND DATE '2026-11-03'", "3"),
        ("t.trandate > '11/02/2026'", "34"),
        ("t.trandate IN ('11/01/2026', '11/04/2026')", "14"),
        ("t.trandate < SYSDATE - 18", "12"),
        ("t.lastmodifieddate = TO_DATE('2026-06-30 18:30:00','YYYY-MM-DD HH24:MI:SS')", "1234"),
        ("t.lastmodifieddate > TO_DATE('2026-06-30 18:30:00','YYYY-MM-DD HH24:MI:SS')", ""),
        ("SYS_EXTRACT_UTC(t.lastmodifieddate) >= TO_TIMESTAMP('2026-07-01 01:30:00','YYYY-MM-DD HH24:MI:SS')", "1234"),
        ("SYS_EXTRACT_UTC(t.lastmodifieddate) < TO_TIMESTAMP('2026-07-01 01:30:00','YYYY-MM-DD HH24:MI:SS')", ""),
        ("EXISTS (SELECT 1 FROM customer c WHERE c.id = t.entity AND c.isperson = 'T')", "34"),
        ("t.entity IN (SELECT c.id FROM customer c WHERE c.parent IS NULL)", "12"),
        ("t.posting = 'F'", ""),
    ],
)
def test_conditions(books: NetSuiteAccount, condition: str, expected: str) -> None:
    found = column(books, f"SELECT t.id FROM transaction t WHERE {condition} ORDER BY t.id ASC")
    assert found == list(expected)


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ("t.id ASC", "1234"),
        ("id DESC", "4321"),
        ("1 DESC", "4321"),
        ("t.entity DESC, t.foreigntotal", "4312"),
        ("total", "4312"),
        ("t.memo ASC, t.id ASC", "4123"),
        ("t.memo DESC, t.id ASC", "1234"),
        ("CASE WHEN t.id = 3 THEN 0 ELSE t.id END", "3124"),
    ],
)
def test_order(books: NetSuiteAccount, order: str, expected: str) -> None:
    """Nulls are last going up and first going down, as in Oracle."""
    found = column(books, f"SELECT t.id, t.foreigntotal AS total FROM transaction t ORDER BY {order}")
    assert found == list(expected)


def test_groups(books: NetSuiteAccount) -> None:
    query = """SELECT type, COUNT(*) AS n, SUM(foreigntotal) AS total, MIN(trandate) AS first_day, MAX(tranid) AS last
               FROM transaction GROUP BY type HAVING COUNT(*) >= 1 ORDER BY n DESC"""
    assert select(books, query) == [
        {"type": "CustInvc", "n": "3", "total": "20100.55", "first_day": "11/01/2026", "last": "DOC3"},
        {"type": "CustCred", "n": "1", "total": "-3", "first_day": "11/04/2026", "last": "DOC4"},
    ]
    assert column(books, "SELECT COUNT(DISTINCT entity) AS n FROM transaction WHERE id > 99") == ["0"]
    shown = "SELECT BUILTIN.DF(status) AS s, COUNT(*) n FROM transaction GROUP BY BUILTIN.DF(status) ORDER BY s ASC"
    assert select(books, shown) == [
        {"s": "Credit Memo : Open", "n": "1"},
        {"s": "Invoice : Open", "n": "2"},
        {"s": "Invoice : Paid In Full", "n": "1"},
    ]


def test_joins(books: NetSuiteAccount) -> None:
    lines = """SELECT t.id AS doc, l.quantity AS q FROM transaction t
               {kind} JOIN transactionline l ON l.transaction = t.id AND l.mainline = 'F' ORDER BY t.id ASC"""
    assert select(books, lines.format(kind="INNER")) == [{"doc": "1", "q": "-2"}]
    assert select(books, lines.format(kind="LEFT OUTER")) == [
        {"doc": "1", "q": "-2"},
        {"doc": "2"},
        {"doc": "3"},
        {"doc": "4"},
    ]
    comma = "SELECT t.id FROM transaction t, customer c WHERE c.id = t.entity AND c.companyname LIKE 'B%' ORDER BY t.id"
    assert column(books, comma) == ["3", "4"]


def test_queries_joined_and_derived(books: NetSuiteAccount) -> None:
    assert column(books, "SELECT id FROM customer UNION SELECT id FROM transaction WHERE id < 3 ORDER BY id DESC") == [
        "8",
        "7",
        "2",
        "1",
    ]
    derived = "SELECT MAX(x.n) AS most FROM (SELECT entity, COUNT(*) AS n FROM transaction GROUP BY entity) x"
    assert column(books, derived) == ["2"]
    assert sorted(select(books, "SELECT DISTINCT type FROM transaction"), key=str) == [
        {"type": "CustCred"},
        {"type": "CustInvc"},
    ]
    assert column(books, "SELECT 1 FROM dual") == ["1"]


def test_parameters_are_bound_as_values(books: NetSuiteAccount) -> None:
    query = "SELECT id FROM transaction WHERE tranid = ? AND id <> ? AND posting = ? AND '?' = '?'"
    assert column(books, query, "DOC1", 2, True) == ["1"]
    assert column(books, query, "DOC1' OR 'a' = 'a", 2, True) == []
    assert column(books, "SELECT id FROM transaction WHERE memo = ?", None) == []


def test_rownum_counts_before_the_order(account: NetSuiteAccount) -> None:
    for key in range(1, 201):
        account.put("customer", {"id": key})
    early = column(account, "SELECT id FROM customer WHERE ROWNUM <= 10 ORDER BY id ASC")
    assert len(early) == 10
    assert early != [str(key) for key in range(1, 11)]
    assert column(account, "SELECT id FROM customer ORDER BY id ASC FETCH FIRST 3 ROWS ONLY") == ["1", "2", "3"]
    derived = "SELECT * FROM (SELECT id FROM customer ORDER BY id ASC) WHERE ROWNUM <= 3"
    assert sorted(str(key) for key in column(account, derived)) == ["1", "2", "3"]
    assert column(account, "SELECT COUNT(*) FROM customer WHERE ROWNUM < 6 AND id > 0") == ["5"]
    assert [row["n"] for row in select(account, "SELECT ROWNUM n FROM customer WHERE 3 >= ROWNUM ORDER BY n")] == [
        "1",
        "2",
        "3",
    ]


@pytest.mark.parametrize(
    ("limit", "rows"),
    [("= 1", 1), ("= 2", 0), ("> 0", 5), ("> 1", 0), (">= 1", 5), ("BETWEEN 1 AND 4", 4), ("BETWEEN 2 AND 4", 0)],
)
def test_no_row_is_the_second_before_there_is_a_first(account: NetSuiteAccount, limit: str, rows: int) -> None:
    for key in range(5):
        account.put("customer", {"id": key})
    assert len(select(account, f"SELECT id FROM customer WHERE ROWNUM {limit}")) == rows


def test_without_a_unique_order_paging_loses_rows(account: NetSuiteAccount) -> None:
    for key in range(300):
        account.put("customer", {"id": key})

    def walk(order: str) -> set[str]:
        query = f"SELECT id FROM customer {order}"
        pages = [read_page(account, query, (), 50, offset) for offset in range(0, 300, 50)]
        return {row["id"] for page in pages for row in page.rows}

    assert len(walk("ORDER BY id ASC")) == 300
    assert len(walk("")) < 300
    assert len(walk("ORDER BY lastmodifieddate ASC")) < 300
    once, again = (read_page(account, "SELECT id FROM customer", (), 50, 100) for _ in range(2))
    assert once == again


@pytest.mark.parametrize(
    ("query", "message"),
    [
        (
            "SELECT balance FROM customer",
            "Unknown identifier 'balance'. Available identifiers are: {customer=customer}",
        ),
        ("SELECT t.total FROM transaction t", "Unknown identifier 'total'. Available identifiers are: {t=transaction}"),
        ("SELECT x.id FROM customer c", "Unknown identifier 'x'. Available identifiers are: {c=customer}"),
        ("SELECT id FROM customer WHERE nope = 1", "Unknown identifier 'nope'"),
        ("SELECT id AS k FROM customer WHERE k = 1", "Unknown identifier 'k'"),
        ("SELECT id FROM customer ORDER BY nope", "Unknown identifier 'nope'"),
        ("SELECT c.id FROM customer c JOIN transaction t ON t.nope = c.id", "Unknown identifier 'nope'"),
    ],
)
def test_unknown_columns(account: NetSuiteAccount, query: str, message: str) -> None:
    with pytest.raises(UnknownIdentifier) as caught:
        select(account, query)
    assert caught.value.detail.startswith("Invalid search query. Detailed unprocessed description follows. ")
    assert message in caught.value.detail


@pytest.mark.parametrize("query", ["SELECT id FROM nosuch", "SELECT 1 FROM customer JOIN nosuch n ON 1 = 1"])
def test_unknown_tables(account: NetSuiteAccount, query: str) -> None:
    with pytest.raises(RecordNotFound, match="Search error occurred: Record 'nosuch' was not found"):
        select(account, query)


@pytest.mark.parametrize(
    "query",
    [
        "",
        "SELEC id FROM customer",
        "SELECT FROM customer",
        "SELECT id,, email FROM customer",
        "SELECT id, FROM customer",
        "SELECT id FROM",
        "SELECT id",
        "SELECT id FROM customer WHERE",
        "SELECT id FROM customer WHERE id = 'unclosed",
        "SELECT id FROM customer LIMIT 5",
        "SELECT TOP 5 id FROM customer FOR UPDATE",
        "SELECT id FROM customer; DELETE FROM customer",
        "DELETE FROM customer",
        "UPDATE customer SET id = 1",
        "INSERT INTO customer (id) VALUES (1)",
        "DROP TABLE customer",
        "CREATE TABLE x AS SELECT id FROM customer",
        "ATTACH 'elsewhere.db'",
        "SELECT * FROM read_csv('secrets.csv')",
        "SELECT getenv('HOME') FROM customer",
        "SELECT __number FROM customer",
        "SELECT customer.__number FROM customer",
        "SELECT * FROM customer c JOIN transaction t ON t.entity = c.id",
        "SELECT id, * FROM customer",
        "SELECT c.id FROM customer c, transaction t WHERE c.id = t.entity(+)",
        "SELECT id FROM customer c JOIN transaction t ON t.entity = c.id",
        "SELECT c.id, t.id FROM customer c JOIN transaction t ON t.entity = c.id",
        "SELECT c.id FROM customer c JOIN customer c ON 1 = 1",
        "SELECT id, COUNT(*) FROM customer",
        "SELECT id FROM customer WHERE ROWNUM <= 5 OR id = 1",
        "SELECT BUILTIN.CONSOLIDATE(id, 'INCOME') FROM customer",
        "SELECT BUILTIN.DF('x') FROM customer",
        "SELECT TO_CHAR(id, '999') FROM customer",
        "SELECT TO_CHAR(lastmodifieddate, email) FROM customer",
        "SELECT TO_DATE('01/02/2026 10:00', 'YYYY-MM-DD') FROM dual",
        "SELECT id FROM customer WHERE lastmodifieddate > '2026-01-01'",
        "SELECT id FROM customer WHERE id = 'seven'",
        "SELECT id FROM customer ORDER BY 3",
        "SELECT id FROM customer UNION SELECT id, email FROM customer",
        "SELECT lastmodifieddate - datecreated FROM customer",
        "SELECT id FROM customer WHERE id IN (" + ", ".join(map(str, range(1001))) + ")",
    ],
)
def test_refused(account: NetSuiteAccount, query: str) -> None:
    account.put("customer", {"id": 7})
    with pytest.raises(QueryRefused):
        select(account, query)


@pytest.mark.parametrize("params", [(), (1, 2), ([1],)])
def test_parameters_that_do_not_fit_are_refused(account: NetSuiteAccount, params: Sequence[object]) -> None:
    with pytest.raises(Refusal) as caught:
        select(account, "SELECT id FROM customer WHERE id = ?", *params)
    assert caught.value.query_param == "params"


def test_the_display_format_is_the_users(clock: Clock) -> None:
    account = NetSuiteAccount(clock, session_zone=ZoneInfo("Europe/Berlin"), date_format="D/M/YYYY")
    account.put("customer", {"id": 1, "lastmodifieddate": datetime(2026, 3, 4, 23, 30, tzinfo=UTC)})
    assert column(account, "SELECT lastmodifieddate FROM customer") == ["5/3/2026"]
    assert column(account, "SELECT id FROM customer WHERE lastmodifieddate >= '5/3/2026'") == ["1"]


def test_a_forbidden_record_is_shown_by_its_id(account: NetSuiteAccount) -> None:
    account.put("transaction", {"id": 1, "entity": 7})
    account.forbid("customer")
    assert column(account, "SELECT BUILTIN.DF(entity) AS e FROM transaction WHERE id = 1") == ["7"]


@settings(max_examples=50, deadline=None)
@given(st.decimals(min_value=Decimal("-1e17"), max_value=Decimal("1e17"), places=10))
def test_numbers_come_back_as_plain_text(value: Decimal) -> None:
    NUMBERS.put("transaction", {"id": 1, "foreigntotal": value})
    [text] = column(NUMBERS, "SELECT foreigntotal FROM transaction")
    assert text is not None
    assert Decimal(text) == value
    assert "E" not in text.upper()
    assert not ("." in text and text.endswith(("0", ".")))
