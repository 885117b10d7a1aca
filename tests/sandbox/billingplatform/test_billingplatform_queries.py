"""The SQL that the simulated organisation takes, and what it refuses."""

import httpx
import pytest

from sandbox.billingplatform import Organisation


@pytest.fixture(autouse=True)
def _company(organisation: Organisation) -> None:
    kind = organisation.put("ACCOUNT_TYPE", {"AccountType": "Corporate"})
    for n in range(1, 8):
        organisation.put("ACCOUNT", {"Name": f"A{n}", "Status": "ACTIVE" if n % 2 else "", "AccountTypeId": kind})
    profile = organisation.put("BILLING_PROFILE", {"AccountId": "2", "CurrencyCode": "EUR"})
    for n, amount in enumerate(("0.1", "0.2", "20000.00"), start=1):
        organisation.put(
            "INVOICE",
            {"BillingProfileId": profile, "GrandTotalAmount": amount, "BillingCycleEndDate": f"2026-11-{27 + n}"},
        )


def _ask(client: httpx.Client, sql: str) -> httpx.Response:
    return client.get("/query", params={"sql": sql})


def _rows(client: httpx.Client, sql: str) -> list[dict[str, str]]:
    answer = _ask(client, sql)
    assert answer.status_code == 200, answer.text
    rows: list[dict[str, str]] = answer.json()["queryResponse"]
    return rows


@pytest.mark.parametrize(
    ("sql", "rows"),
    [
        ("SELECT Id, name FROM account WHERE ID = '2'", [{"Id": "2", "name": "A2"}]),
        ("SELECT Status FROM ACCOUNT WHERE Id = 2", [{"Status": ""}]),
        ("SELECT Id i FROM ACCOUNT WHERE Status IS NULL ORDER BY i DESC", [{"i": "6"}, {"i": "4"}, {"i": "2"}]),
        ("SELECT Id FROM ACCOUNT ORDER BY Id OFFSET 5 ROWS FETCH NEXT 2 ROWS ONLY", [{"Id": "6"}, {"Id": "7"}]),
        ("SELECT Id FROM ACCOUNT ORDER BY Id FETCH NEXT 1 ROWS ONLY", [{"Id": "1"}]),
        ("SELECT COUNT(Id) AS N, MAX(Id) AS M FROM ACCOUNT", [{"N": "7", "M": "7"}]),
        ("SELECT COUNT(*) N FROM ACCOUNT", [{"N": "7"}]),
        ("SELECT MAX(Id) M FROM CONTRACT", [{"M": ""}]),
        ("SELECT SUM(GrandTotalAmount) s FROM INVOICE WHERE Id < 3", [{"s": "0.3"}]),
        ("SELECT GrandTotalAmount a FROM INVOICE WHERE GrandTotalAmount > 1", [{"a": "20000"}]),
        (
            "SELECT AccountTypeIdObj.AccountType FROM ACCOUNT WHERE Id = 1",
            [{"AccountTypeIdObj.AccountType": "Corporate"}],
        ),
        (
            "SELECT i.BillingProfileIdObj.AccountIdObj.Name FROM INVOICE i WHERE i.Id = 1",
            [{"BillingProfileIdObj.AccountIdObj.Name": "A2"}],
        ),
        (
            "SELECT a.Name, p.CurrencyCode AS currency FROM ACCOUNT a"
            " INNER JOIN BILLING_PROFILE p ON p.AccountId = a.Id",
            [{"Name": "A2", "currency": "EUR"}],
        ),
        (
            "SELECT a.Id, p.Id AS profile FROM ACCOUNT a LEFT JOIN BILLING_PROFILE p ON p.AccountId = a.Id"
            " WHERE a.Id < 3 ORDER BY a.Id",
            [{"Id": "1", "profile": ""}, {"Id": "2", "profile": "1"}],
        ),
        (
            "SELECT Id FROM INVOICE WHERE to_char(BillingCycleEndDate, 'YYYY-MM-DD') = '2026-11-29'",
            [{"Id": "2"}],
        ),
        (
            "SELECT to_char(BillingCycleEndDate, 'DD.MM.YYYY') d FROM INVOICE"
            " WHERE BillingCycleEndDate >= TO_DATE('30/11/2026', 'DD/MM/YYYY')",
            [{"d": "30.11.2026"}],
        ),
        (
            "SELECT to_char(Updated, 'HH24:MI') AS at FROM ACCOUNT WHERE Updated <= SYSDATE AND Id = 1",
            [{"at": "17:30"}],
        ),
        ("SELECT Id FROM ACCOUNT WHERE Name LIKE 'a%' OR Id = 3", [{"Id": "3"}]),
        ("SELECT NVL(Status, 'none') s FROM ACCOUNT WHERE Id IN (2)", [{"s": "none"}]),
        (
            "SELECT Status, COUNT(Id) n FROM ACCOUNT GROUP BY Status HAVING COUNT(Id) > 3",
            [{"Status": "ACTIVE", "n": "4"}],
        ),
    ],
)
def test_a_statement(client: httpx.Client, sql: str, rows: list[dict[str, str]]) -> None:
    assert _rows(client, sql) == rows


def test_rownum_counts_before_the_order(client: httpx.Client) -> None:
    found = _rows(client, "SELECT Id FROM ACCOUNT WHERE Status = 'ACTIVE' AND rownum <= 2 ORDER BY Id DESC")
    assert len(found) == 2
    assert _rows(client, "SELECT COUNT(Id) n FROM ACCOUNT WHERE rownum < 4") == [{"n": "3"}]
    assert _ask(client, "SELECT Id FROM ACCOUNT WHERE rownum = 2").status_code == 404


def test_what_no_order_is_asked_for_comes_in_none(client: httpx.Client) -> None:
    ids = [row["Id"] for row in _rows(client, "SELECT Id FROM ACCOUNT")]
    tied = [row["Id"] for row in _rows(client, "SELECT Id FROM ACCOUNT ORDER BY Updated")]
    assert sorted(ids) == sorted(tied) == list("1234567")
    assert ids != sorted(ids)
    assert tied != ids


def test_a_statement_may_come_in_a_body(client: httpx.Client) -> None:
    answer = client.post("/query", json={"sql": "SELECT Id FROM ACCOUNT WHERE Id = 4"})
    assert answer.json() == {"queryResponse": [{"Id": "4"}]}


@pytest.mark.parametrize("sql", ["SELECT Id FROM ACCOUNT WHERE Id = 99", "SELECT Id FROM CONTRACT WHERE Id = ''"])
def test_no_row_is_a_404(client: httpx.Client, sql: str) -> None:
    answer = _ask(client, sql)
    assert answer.status_code == 404
    assert answer.json() == {"ErrorCode": "404", "ErrorText": "Not Found - the request did not return any rows."}


@pytest.mark.parametrize(
    ("sql", "status", "text"),
    [
        ("SELECT Id FROM ACOUNT", 404, 'Invalid entity: "ACOUNT" does not exist.'),
        ("SELECT Nmae FROM ACCOUNT", 400, "Invalid column"),
        ("SELECT x.Name FROM ACCOUNT a", 400, "Invalid column"),
        ("SELECT NameObj.Name FROM ACCOUNT", 400, "Invalid column"),
        ("SELECT AccountTypeIdObj.Nmae FROM ACCOUNT", 400, "Invalid column"),
        ("SELECT Id FROM ACCOUNT a INNER JOIN BILLING_PROFILE p ON p.AccountId = a.Id", 400, "ambiguously defined"),
        ("SELECT a.Id FROM ACCOUNT a INNER JOIN INVOICE a ON a.Id = a.Id", 400, "stands twice"),
        ("SELECT a.Id FROM ACCOUNT a, BILLING_PROFILE p", 400, "joined by"),
        ("SELECT * FROM ACCOUNT", 400, "not supported"),
        ("SELECT Id FROM ACCOUNT LIMIT 3", 400, "LIMIT"),
        ("SELECT Id FROM ACCOUNT FETCH NEXT 10001 ROWS ONLY", 400, "at most 10000"),
        ("SELECT Id WHERE 1=1", 400, "FROM"),
        ("SELECT Id FROM ACCOUNT; SELECT Id FROM ACCOUNT", 400, "one SELECT"),
        ("DELETE FROM ACCOUNT", 400, "one SELECT"),
        ("SELECT FROM WHERE", 400, "Invalid query"),
        ("SELECT Id FROM ACCOUNT WHERE Name = 'open", 400, "not understood"),
        (
            "SELECT Id FROM ACCOUNT WHERE Id IN (SELECT AccountId FROM BILLING_PROFILE)",
            400,
            "Subquery is",
        ),
        ("SELECT Id FROM ACCOUNT WHERE rownum > 2", 400, "ROWNUM"),
        ("SELECT load_extension('x') FROM ACCOUNT", 400, "not supported"),
        ("SELECT to_char(Name, 'YYYY') FROM ACCOUNT", 400, "does not fit"),
        ("", 400, "sql is missing"),
    ],
)
def test_what_is_refused(client: httpx.Client, sql: str, status: int, text: str) -> None:
    answer = _ask(client, sql)
    assert (answer.status_code, answer.json()["ErrorCode"]) == (status, str(status))
    assert text in answer.json()["ErrorText"]


def test_a_list_of_more_than_a_thousand(client: httpx.Client) -> None:
    listed = ", ".join(map(str, range(1, 1_002)))
    assert "ORA-01795" in _ask(client, f"SELECT Id FROM ACCOUNT WHERE Id IN ({listed})").text


def test_what_is_hidden_or_deleted_is_not_seen(client: httpx.Client, organisation: Organisation) -> None:
    organisation.remove("ACCOUNT", "2")
    assert _rows(client, "SELECT COUNT(Id) n FROM ACCOUNT") == [{"n": "6"}]
    organisation.hide("ACCOUNT", "Name")
    assert _ask(client, "SELECT Name FROM ACCOUNT").status_code == 400
    assert _ask(client, "SELECT AccountIdObj.Name FROM BILLING_PROFILE").status_code == 400
    organisation.forbid("ACCOUNT")
    assert _ask(client, "SELECT Id FROM ACCOUNT").status_code == 404
    assert _ask(client, "SELECT AccountIdObj.Id FROM BILLING_PROFILE").status_code == 404
    organisation.permit("ACCOUNT")
    assert _rows(client, "SELECT Name FROM ACCOUNT WHERE Id = 1") == [{"Name": "A1"}]


def test_whole_records(client: httpx.Client, organisation: Organisation) -> None:
    (record,) = client.get("/INVOICE/3").json()["retrieveResponse"]
    assert record == organisation.find("INVOICE", "3")
    assert (record["Id"], record["GrandTotalAmount"], record["BillingCycleEndDate"]) == ("3", "20000", "2026-11-30")
    found = client.get("/INVOICE", params={"queryAnsiSql": "GrandTotalAmount < 1"}).json()["retrieveResponse"]
    assert {record["Id"] for record in found} == {"1", "2"}
    assert client.get("/INVOICE/99").status_code == client.get("/INVOICE/x").status_code == 404
    assert client.get("/INVOICE", params={"queryAnsiSql": "Id > 99"}).status_code == 404
    assert client.get("/INVOICES/1").json()["ErrorText"].startswith("Invalid entity")
    assert client.get("/INVOICE").status_code == 400
