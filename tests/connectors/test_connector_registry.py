"""Connectors opened from plain settings; what is missing is named."""

from contextlib import closing
from typing import Any

import pytest

from connectors.errors import MappingError, PermanentError
from connectors.mapping_file import shipped
from connectors.registry import KINDS, configured, needs, open_connector, open_run_source
from connectors.zuora.runs import ZuoraRuns
from sandbox.netsuite import make_key_pair
from tests.connectors.conftest import Clock

PRIVATE, _ = make_key_pair("ES256")
SETTINGS: dict[str, dict[str, Any]] = {
    "salesforce": {"base_url": "https://acme.my.salesforce.com", "consumer_key": "k"},
    "zuora": {"base_url": "https://rest.zuora.com", "client_id": "k", "client_secret": "s"},
    "billingplatform": {"base_url": "https://my.billingplatform.com/acme"},
    "netsuite": {"account_id": "1"},
    "files": {"folder": "."},
    "stripe": {"api_key": "sk_test_1"},
    "lake": {"root": "."},
}
# What is needed besides, of which a source may choose.
CHOSEN: dict[str, dict[str, Any]] = {
    "salesforce": {"consumer_secret": "s"},
    "netsuite": {"client_id": "k", "certificate_id": "c", "private_key_pem": PRIVATE},
    "billingplatform": {"client_id": "k", "client_secret": "s"},
}
MAPPINGS = {"salesforce": "salesforce_cpq", "files": "metering"}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_opens(kind: str, clock: Clock) -> None:
    settings = {**SETTINGS[kind], **CHOSEN.get(kind, {})}
    with closing(open_connector(kind, settings, shipped(MAPPINGS.get(kind, kind)), clock)) as connector:
        assert type(connector).__name__.lower() == kind


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_missing_is_named(kind: str) -> None:
    needed = [name for name, must in needs(kind).items() if must]
    assert needed == list(SETTINGS[kind])
    for name in needed:
        with pytest.raises(PermanentError, match=f"The {kind} source lacks {name}. It needs {', '.join(needed)}"):
            configured(kind, {**SETTINGS[kind], name: ""})


@pytest.mark.parametrize("kind", KINDS)
def test_secrets_are_settings_and_show_in_no_repr(kind: str) -> None:
    assert set(KINDS[kind].secrets) <= set(needs(kind))
    given = {**SETTINGS[kind], **CHOSEN.get(kind, {})}
    hidden = [
        name for name in KINDS[kind].secrets if any(word in name for word in ("secret", "private", "pass", "api"))
    ]
    told = {name: "hush" for name in hidden if name in given}
    assert "hush" not in repr(configured(kind, {**given, **told}))


def test_an_unknown_setting_or_kind_or_another_mapping(clock: Clock) -> None:
    with pytest.raises(PermanentError, match="unknown setting 'fodler'; it knows folder, system"):
        configured("files", {"folder": ".", "fodler": "."})
    with pytest.raises(PermanentError, match="no connector 'sap'; there are salesforce"):
        configured("sap", {})
    with pytest.raises(MappingError, match="is for zuora, and the source is a files"):
        open_connector("files", SETTINGS["files"], shipped("zuora"), clock)


def test_runs_are_pulled_where_the_platform_has_them(clock: Clock) -> None:
    runs = open_run_source("zuora", SETTINGS["zuora"], shipped("zuora"), clock)
    assert isinstance(runs, ZuoraRuns)
    runs.close()
    assert open_run_source("files", SETTINGS["files"], shipped("metering"), clock) is None
