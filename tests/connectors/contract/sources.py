"""The kinds of source that must keep the contract. A new kind is a module `<kind>_source.py`, and a line here."""

from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path

from tests.connectors.contract.billingplatform_source import BillingPlatformSource
from tests.connectors.contract.files_source import FilesSource
from tests.connectors.contract.lake_source import LakeSource
from tests.connectors.contract.netsuite_soap_source import NetSuiteSoapSource
from tests.connectors.contract.netsuite_source import NetSuiteSource
from tests.connectors.contract.salesforce_source import SalesforceSource
from tests.connectors.contract.source import ContractSource
from tests.connectors.contract.stripe_source import StripeSource
from tests.connectors.contract.zuora_source import ZuoraSource

# The clock, and an empty folder.
Make = Callable[[Callable[[], datetime], Path], ContractSource]

SOURCES: Mapping[str, Make] = {
    "salesforce": lambda clock, _: SalesforceSource(clock),
    "zuora": lambda clock, _: ZuoraSource(clock),
    "stripe": lambda clock, _: StripeSource(clock),
    "billingplatform": lambda clock, _: BillingPlatformSource(clock),
    "netsuite": lambda clock, _: NetSuiteSource(clock),
    "netsuite_soap": lambda clock, _: NetSuiteSoapSource(clock),
    "files": lambda clock, folder: FilesSource(clock, folder / "files"),
    "lake": lambda clock, _: LakeSource(clock),
}
# Read in place: there is no server that could fail.
LOCAL = frozenset({"files", "lake"})
SERVED = [name for name in SOURCES if name not in LOCAL]
