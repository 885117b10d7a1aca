import re
from pathlib import Path

import pytest

from sandbox.salesforce.fields import Field
from sandbox.salesforce.lookups import target

FACTS = Path(__file__).resolve().parents[4] / "shared" / "vendors.md"
LOOKUP = re.compile(r"(\w+):(?:Lookup|MasterDetail)->(\w+)")


def published_lookups() -> list[tuple[str, str, str]]:
    """(object, field, target) of every lookup that the vendor facts list."""
    if not FACTS.exists():
        pytest.skip("shared/vendors.md, with the published field lists, is not beside this checkout")
    appendix = FACTS.read_text(encoding="utf-8").partition("# Appendix 1")[2]
    found = []
    for section in appendix.split("\n## ")[1:]:
        object_name = section.split()[0]
        found += [(object_name, field, to) for field, to in LOOKUP.findall(section)]
    return found


def test_every_published_lookup_points_where_it_should() -> None:
    lookups = published_lookups()
    objects = {to for _, _, to in lookups} | {name for name, _, _ in lookups}
    assert len(lookups) > 50
    assert [(name, field, target(name, Field(field, "reference"), objects)) for name, field, _ in lookups] == lookups


@pytest.mark.parametrize(
    ("field", "found"),
    [
        (Field("AccountId", "reference"), "Account"),
        (Field("ParentId", "reference"), "Contact"),
        (Field("OwnerId", "reference"), "User"),
        (Field("Plan__c", "reference"), "Plan__c"),
        (Field("ns__Account__c", "reference"), "Account"),
        (Field("Buyer__c", "reference", "Account"), "Account"),
        (Field("Buyer__c", "reference"), None),
    ],
)
def test_a_lookup_is_known_by_its_name_or_its_declaration(field: Field, found: str | None) -> None:
    assert target("Contact", field, ["Account", "Plan__c", "Contact"]) == found
