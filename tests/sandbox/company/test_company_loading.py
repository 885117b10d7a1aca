"""The rows fit the simulators that serve them."""

from pathlib import Path

import pytest

from sandbox.company import Company
from sandbox.netsuite import NetSuiteAccount
from sandbox.salesforce import SalesforceOrg
from sandbox.zuora import ZuoraTenant


def test_salesforce_takes_every_row_as_it_is(shipped: Company) -> None:
    org = SalesforceOrg(lambda: shipped.now)
    shipped.load_salesforce(org)
    for name, rows in shipped.salesforce.items():
        kept = {row["Id"]: row for row in org.rows(name)}
        assert len(kept) == len(rows)
        assert all(kept[row["Id"]]["SystemModstamp"] == row["SystemModstamp"] for row in rows)


def test_zuora_takes_every_row_as_it_is(shipped: Company) -> None:
    tenant = ZuoraTenant(lambda: shipped.now)
    shipped.load_zuora(tenant)
    for name, rows in shipped.zuora.items():
        kept = {row["Id"]: row for row in tenant.rows(name)}
        assert len(kept) == len(rows)
        assert all(kept[row["Id"]]["UpdatedDate"] == row["UpdatedDate"] for row in rows)


def test_zuora_knows_the_runs_by_number_with_their_drafts(shipped: Company) -> None:
    tenant = ZuoraTenant(lambda: shipped.now)
    shipped.load_zuora(tenant)
    run = tenant.bill_runs.find(shipped.bad_run.number)
    assert run["Status"] == "Completed"
    assert {invoice["Id"] for invoice in tenant.bill_runs.invoices(run)} == set(shipped.drafts(shipped.bad_run))


@pytest.mark.parametrize(
    ("table", "column", "shown"), [("transaction", "currency", "USD"), ("transactionline", "item", "PLATFORM")]
)
def test_netsuite_shows_codes_as_names(shipped: Company, table: str, column: str, shown: str) -> None:
    account = NetSuiteAccount(lambda: shipped.now)
    shipped.load_netsuite(account)
    names = {row["id"]: row.get("itemid", row.get("name")) for row in account.rows(column)}
    assert shown in {names[row[column]] for row in account.rows(table) if column in row}


def test_netsuite_takes_every_row(shipped: Company) -> None:
    account = NetSuiteAccount(lambda: shipped.now)
    shipped.load_netsuite(account)
    for name, rows in shipped.netsuite.items():
        assert len(account.rows(name)) == len(rows)


def test_files_are_written_by_source(shipped: Company, tmp_path: Path) -> None:
    shipped.write_files(tmp_path)
    month = f"{shipped.now:%Y}-11"
    assert (tmp_path / "metering" / "usage" / f"{month}.jsonl").read_text() == shipped.files["metering"][
        f"usage/{month}.jsonl"
    ]
    header = (tmp_path / "metering" / "seats" / f"{month}.csv").read_text().splitlines()[0]
    assert header == "contract_line_id,month,product_code,active_seats,measure,customer,trial"
    assert (tmp_path / "reference" / "rates.csv").read_text().startswith("date,from_currency,to_currency,rate\n")
