"""Every mapping of files that comes with Tieout takes the files that its page describes, without a reject."""

import json
import os
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from connectors.files.connector import Files, FilesConfig
from connectors.mapping_file import shipped
from tests.connectors.conftest import NOON, Clock

# Per mapping and object: a file's name, its content, and some of what the row must say.
DELIVERED: dict[tuple[str, str], tuple[str, str, dict[str, Any]]] = {
    ("integrations", "runs"): (
        "runs/1.jsonl",
        json.dumps(
            {
                "run_id": "R-1",
                "flow": "quotes",
                "status": "Success",
                "read": 120,
                "written": 118,
                "rejected": 2,
                "source_count": 120,
                "amount": "48210.00",
                "currency": "USD",
                "started_at": "2026-11-30T08:00:00Z",
                "reported_at": "2026-11-30T08:01:00Z",
            }
        ),
        {"key": "R-1", "status": "success", "read_count": 120, "written_count": 118, "rejected_count": 2}
        | {"source_count": 120, "amount": Decimal("48210.0000"), "currency": "USD"},
    ),
    ("integrations", "errors"): (
        "errors/1.jsonl",
        '{"error_id": "E-1", "flow": "quotes", "amount": 0.10, "currency": "USD", "customer": "C", "attempts": 5}',
        {"key": "E-1", "status": "open", "amount": Decimal("0.1000"), "account_id": "C", "attempts": 5},
    ),
    ("audit", "record_changes"): (
        "record_changes/1.jsonl",
        '{"change_id": "H-1", "object": "Invoice", "record_key": "I-1", "field": "Amount", "before": "1", "after": "2",'
        ' "changed_at": "2026-11-30T08:00:00Z", "changed_by": "bob", "via": "Import", "sequence": 7}',
        {"key": "H-1", "via": "import", "record_key": "I-1", "before": "1", "after": "2", "sequence": 7},
    ),
    ("audit", "approvals"): (
        "approvals/1.jsonl",
        '{"approval_id": "P-1", "kind": "Exception", "object": "pricing_drift", "status": "Approved",'
        ' "approver": "bob", "decided_at": "2026-11-30T08:00:00Z", "until": "2027-01-01", "customer": "C"}',
        {"key": "P-1", "kind": "exception", "status": "approved", "account_id": "C", "approver": "bob"},
    ),
    ("audit", "metadata_changes"): (
        "metadata_changes/1.jsonl",
        '{"change_id": "M-1", "object": "Contract", "field": "Term__c", "change": "Type", "before": "double",'
        ' "after": "string", "seen_at": "2026-11-30T08:00:00Z"}',
        {"key": "M-1", "change": "type", "object": "Contract", "before": "double", "after": "string"},
    ),
    ("shipping", "shipments"): (
        "shipments/1.csv",
        "shipment_line_id,order_line_id,contract_line_id,product_code,quantity,unit_price,currency,shipped_date,status,customer\n"
        "S-1,OL-1,CL-1,P,2.5,10.00,USD,2026-11-30,Shipped,C\n",
        {"key": "S-1", "quantity": Decimal("2.500000"), "status": "shipped", "account_id": "C"},
    ),
    ("services", "work_items"): (
        "work_items/1.csv",
        "work_id,customer,contract_id,contract_line_id,kind,status,hours,rate,amount,currency,worked_on,approved_at,"
        "invoice_line_id\n"
        "W-1,C,K-1,CL-1,Change Order,Approved,7.5,160,,USD,2026-11-02,2026-11-03T18:00:00Z,\n",
        {"key": "W-1", "kind": "change_order", "quantity": Decimal("7.500000"), "invoice_line_key": None},
    ),
    ("migration", "accounts"): (
        "accounts/1.csv",
        "account_id,customer,name,number,status,currency,parent_account_id,payment_terms,successor_id,snapshot_date\n"
        "L-1,C,Acme,7,Active,USD,L-0,Net 30,Z-1,2026-06-30\n",
        {"key": "L-1", "parent_key": "L-0", "successor_key": "Z-1", "status": "active"},
    ),
    ("migration", "subscriptions"): (
        "subscriptions/1.csv",
        "subscription_id,customer,number,status,start_date,end_date,cancelled_date,term_type,currency,monthly_amount,"
        "successor_id,expected_delta,approved_by,snapshot_date\n"
        "LS-1,C,7,Active,2025-01-01,2027-01-01,,Termed,USD,1000.00,ZS-1,-50.00,maria,2026-06-30\n",
        {"key": "LS-1", "monthly_amount": Decimal(1000), "expected_delta": Decimal(-50), "approved_by": "maria"},
    ),
    ("migration", "subscription_lines"): (
        "subscription_lines/1.csv",
        "line_id,subscription_id,product_code,name,charge_type,quantity,unit_price,price_period,billing_period,currency,"
        "start_date,end_date,charged_through,monthly_amount,grandfathered,price_until,successor_id,expected_delta,"
        "approved_by,snapshot_date\n"
        "LL-1,LS-1,SEAT,Seats,Recurring,10,1200,Annual,Quarterly,USD,2025-01-01,,2026-07-01,1000,yes,,ZL-1,,,2026-06-30\n",
        {"key": "LL-1", "price_months": 12, "billing_months": 3, "grandfathered": True, "price_until": None},
    ),
    ("migration", "crosswalk"): (
        "crosswalk/1.csv",
        "left_system,left_id,right_system,right_id,basis\nlegacy,L-1,zuora,Z-1,confirmed\n",
        {"key": "legacy/L-1/zuora/Z-1", "basis": "confirmed"},
    ),
    ("ledger", "ledger_entries"): (
        "ledger_entries/1.csv",
        "entry_id,document_id,customer,ledger_account,kind,origin,amount,currency,posted_date,period,service_date,"
        "written_at\nG-1,INV-1,C,4000,Revenue,Invoice,-100.00,USD,2026-11-30,P-11,2026-11-01,2026-11-30T20:00:00Z\n",
        {"key": "G-1", "amount": Decimal(-100), "kind": "revenue", "period_key": "P-11"},
    ),
    ("orders", "orders"): (
        "orders/1.csv",
        "order_id,customer,number,type,status,contract_id,opportunity_id,effective_date,currency,amount\n"
        "O-1,C,1,New,Activated,K-1,P-1,2026-11-30,USD,1\n",
        {"key": "O-1", "status": "activated"},
    ),
    ("orders", "order_lines"): (
        "order_lines/1.csv",
        "order_line_id,order_id,contract_line_id,product_code,quantity,unit_price,currency,start_date,end_date\n"
        "OL-1,O-1,CL-1,SEAT,1,2,USD,2026-11-30,\n",
        {"key": "OL-1", "order_key": "O-1"},
    ),
    ("orders", "prices"): (
        "prices/1.csv",
        "price_id,product_id,product_code,unit,model,unit_price,currency,price_period\nPR-1,P-1,SEAT,seat,Flat,0.00000001,USD,Month\n",
        {"key": "PR-1", "unit_price": Decimal("0.00000001"), "price_months": 1},
    ),
}


@pytest.mark.parametrize(("mapping", "name"), DELIVERED)
def test_a_file_as_it_is_described_lands(tmp_path: Path, clock: Clock, mapping: str, name: str) -> None:
    file, content, wanted = DELIVERED[mapping, name]
    path = tmp_path / file
    path.parent.mkdir()
    path.write_text(content)
    os.utime(path, (NOON.timestamp() - 60,) * 2)
    source = shipped(mapping)
    (page,) = Files(FilesConfig(tmp_path), source, clock).changes(name, None)
    mapped = source.objects[name].book(page.records, "files", NOON)
    assert mapped.rejects == []
    ((_, (row,)),) = mapped.rows
    assert {column: row[column] for column in wanted} == wanted


def test_every_object_of_these_mappings_is_tried() -> None:
    for mapping in {mapping for mapping, _ in DELIVERED}:
        assert {name for of, name in DELIVERED if of == mapping} == set(shipped(mapping).objects)
