from dataclasses import replace

import ibis.expr.types as ir
import pytest

from books.reading import Books
from checks.catalogue import CATALOGUE
from checks.contract import Basis, Mode, Owner, Params, Severity
from checks.errors import DeclarationError
from checks.ruleset import Ruleset
from checks.system_of_record import DECLARED, Change, implied, in_force


def test_every_attribute_has_one_name_and_copies_in_several_roles() -> None:
    assert len({one.name for one in DECLARED}) == len(DECLARED)
    for one in DECLARED:
        roles = [copy.role for copy in one.copies]
        assert len(set(roles)) == len(roles) > 1, one.name


def test_the_file_moves_who_is_right_and_keeps_the_rest_in_order() -> None:
    said = Change(right="crm", owner=Owner.REVOPS, severity=Severity.S1, mode=Mode.BLOCK, means={"erp": "granted"})
    terms = in_force({"payment_terms": said})["payment_terms"]
    assert [copy.role for copy in terms.copies] == ["crm", "erp", "billing"]
    assert (terms.right.column, terms.others[0].means) == ("payment_terms", "granted")
    assert (terms.owner, terms.severity, terms.mode) == (Owner.REVOPS, Severity.S1, Mode.BLOCK)


def test_what_a_contract_value_covers_can_be_said() -> None:
    said = Change(places={"crm": "quotes.net_amount"}, basis={"crm": Basis.ACV})
    value = in_force({"contract_value": said})["contract_value"]
    assert (value.right.entity, value.right.column, value.right.basis) == ("quotes", "net_amount", Basis.ACV)


def test_the_first_that_is_connected_is_right() -> None:
    terms = in_force({})["payment_terms"]
    books = Books({"crm": ("sf",), "billing": ("zuora",)}, {"sf": frozenset({"accounts"}), "zuora": frozenset()})
    assert [copy.role for copy in terms.held(books)] == ["crm"]


def test_a_new_attribute_needs_all_of_its_words() -> None:
    places = {"erp": "invoices.po_number", "billing": "invoices.po_number"}
    made = in_force({"printed_po": Change(about="As printed.", owner=Owner.IT, places=places)})["printed_po"]
    assert made.right.role == "erp"
    with pytest.raises(DeclarationError, match=r"system_of_record.printed_po is not declared"):
        in_force({"printed_po": Change(places=places)})


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (Change(right="usage"), "names the role usage, which has no copy of it; there are copies in erp, billing, crm"),
        (Change(places={"erp": "accounts.terms"}), "The books hold no accounts.terms in the role erp"),
        (Change(places={"treasury": "accounts.name"}), "no such role, entity or column"),
    ],
)
def test_what_does_not_fit_is_refused(change: Change, said: str) -> None:
    with pytest.raises(DeclarationError, match=said):
        in_force({"payment_terms": change})


def test_an_undeclared_column_follows_its_record() -> None:
    one = implied("invoices", "status", ["erp", "crm", "billing"])
    assert ([copy.role for copy in one.copies], one.owner) == (["billing", "erp", "crm"], Owner.BILLING_OPS)


def test_a_check_reads_the_registry_that_is_in_force() -> None:
    seen: dict[str, str] = {}
    base = CATALOGUE["duplicate_invoice_line"]

    def find(books: Books, params: Params) -> ir.Table:
        seen["right"] = params.attribute("payment_terms").right.role
        with pytest.raises(DeclarationError, match="no attribute 'color'"):
            params.attribute("color")
        return base.find(books, params)

    check = replace(base, find=find)
    books = Books({"billing": ("b",)}, {"b": frozenset({"invoices", "invoice_lines", "subscription_lines"})})
    moved = Ruleset([check], books, attributes=in_force({"payment_terms": Change(right="crm")}))
    moved.prepare([check.id])
    assert seen == {"right": "crm"}
    as_declared = Ruleset([check], books)
    as_declared.prepare([check.id])
    assert seen == {"right": "erp"}
    assert moved.digest != as_declared.digest
