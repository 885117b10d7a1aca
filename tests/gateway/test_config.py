"""tieout.yaml: what it may say, and the sentence for what it may not."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml

from checks.contract import Mode, Tolerance
from connectors.errors import PermanentError
from connectors.registry import KINDS
from gateway.config import Config, load, parse
from gateway.errors import ConfigError
from gateway.installation import Installation
from gateway.source_settings import opened_with, variable

ROOT = Path(__file__).resolve().parents[2]
ZUORA = {
    "connector": "zuora",
    "roles": ["billing"],
    "mapping": "zuora",
    "settings": {"base_url": "https://rest.na.zuora.com"},
}


def mistake(said: Any) -> str:
    with pytest.raises(ConfigError) as refused:
        parse(said, Path())
    return str(refused.value)


def with_zuora(**changes: Any) -> dict[str, Any]:
    return {"sources": {"zuora": {**ZUORA, **changes}}}


def test_the_shipped_example_is_usable() -> None:
    config = load(ROOT / "tieout.yaml")
    assert set(config.sources) == {"salesforce", "zuora", "netsuite", "metering", "integrations", "reference"}
    roles = {role: names for role, names in config.roles().items() if names}
    assert roles == {
        "crm": ("salesforce",),
        "billing": ("zuora",),
        "erp": ("netsuite",),
        "usage": ("metering",),
        "seats": ("metering",),
        "integration": ("integrations",),
        "reference": ("reference",),
    }
    installed = Installation(config, lambda: datetime(2026, 12, 1, tzinfo=UTC))
    assert set(installed.mappings) == set(config.sources)
    assert installed.ruleset.rules
    assert installed.owners.people


def test_the_example_holds_no_secret() -> None:
    said = yaml.safe_load((ROOT / "tieout.yaml").read_text(encoding="utf-8"))
    for source in said["sources"].values():
        assert not set(KINDS[source["connector"]].secrets) & source["settings"].keys()


def test_an_empty_file_is_an_installation_without_sources(tmp_path: Path) -> None:
    (tmp_path / "tieout.yaml").write_text("")
    config = load(tmp_path / "tieout.yaml")
    assert config.sources == {}
    assert config.books_root == str(tmp_path.resolve() / ".tieout" / "books")


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        (["a"], "tieout.yaml must hold a mapping of settings."),
        ({"source": {}}, "tieout.yaml is not usable. source: Extra inputs are not permitted."),
        (with_zuora(role=["billing"]), "sources.zuora.role: Extra inputs are not permitted"),
        (with_zuora(roles=["biling"]), "sources.zuora.roles.0: Input should be 'crm', 'billing'"),
        (with_zuora(roles=[]), "sources.zuora.roles: Tuple should have at least 1 item"),
        (with_zuora(mapping=None), "sources.zuora.mapping: Input should be a valid string"),
        (with_zuora(freshness_minutes=0), "sources.zuora.freshness_minutes: Input should be greater than 0"),
        (with_zuora(census_hours=-1), "sources.zuora.census_hours: Input should be greater than or equal to 0"),
        (
            with_zuora(connector="zoura"),
            f"sources.zuora: connector: there is no connector 'zoura'; there are {', '.join(KINDS)}.",
        ),
        (
            with_zuora(settings={"base_ulr": "x"}),
            "sources.zuora: settings.base_ulr: zuora has no such setting; it has base_url, client_id,",
        ),
        (
            with_zuora(settings={"client_secret": "s3cret-9a1f"}),
            "sources.zuora: settings.client_secret: a secret must not stand in the file; set it in the environment.",
        ),
        (
            with_zuora(settings={"window_days": "many-2b7d"}),
            "sources.zuora: settings.window_days: Input should be a valid integer, unable to parse",
        ),
        (
            with_zuora(settings={"history_start": "2026-01-01T00:00:00"}),
            "sources.zuora: settings.history_start: an instant needs its time zone, such as 2026-01-01T00:00:00Z.",
        ),
        ({"sources": {"Zuora EU": ZUORA}}, "sources.Zuora EU.[key]: String should match pattern"),
        (
            {"sources": {"tieout": ZUORA}},
            "tieout.yaml is not usable. sources.tieout: this name is kept for Tieout's own records.",
        ),
        ({"sources": {"a-b": ZUORA, "a_b": ZUORA}}, "sources.a-b: its variables would be those of a_b"),
        ({"checks": {"x": {"mode": "blok"}}}, "checks.x.mode: Input should be 'block', 'warn', 'monitor' or 'shadow'"),
        ({"checks": {"x": {"tolerance": {"relative": -1}}}}, "checks.x.tolerance.relative: Input should be greater"),
        ({"checks": {"x": {"lag_minutes": -5}}}, "checks.x.lag_minutes: Input should be greater than or equal to 0"),
        ({"gate": {"verdict_minutes": 0}}, "gate.verdict_minutes: Input should be greater than 0"),
        ({"console": {"access": "all"}}, "console.access: Input should be 'key' or 'open'"),
        ({"mail": {"port": 70000}}, "mail.port: Input should be less than 65536"),
        ({"severity_bands": {"S2": 30000}}, "severity_bands: S1 must be above S2, S2 above S3, and none below 0."),
        ({"retention": {"days": 0}}, "retention.days: Input should be greater than or equal to 1"),
        ({"reporting_currency": "dollar"}, "reporting_currency: String should match pattern"),
        ({"public_url": "tieout.example.com"}, "public_url: String should match pattern"),
    ],
)
def test_a_mistake_is_a_sentence_that_names_its_place(said: Any, sentence: str) -> None:
    message = mistake(said)
    assert sentence in message
    assert "s3cret-9a1f" not in message
    assert "many-2b7d" not in message


def test_every_mistake_is_named_not_only_the_first() -> None:
    message = mistake({**with_zuora(freshness_minutes=0, settings={"x": 1, "client_id": "y"}), "gate": {"a": 1}})
    assert "sources.zuora.freshness_minutes: " in message
    assert "gate.a: " in message
    message = mistake(with_zuora(settings={"x": 1, "client_id": "y"}))
    assert "settings.x: " in message
    assert "settings.client_id: " in message


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("gate: {}\ngate: {}\n", "tieout.yaml is not YAML: the key 'gate' stands twice"),
        ("sources: [", "tieout.yaml is not YAML: while parsing"),
        ("- a\n", "tieout.yaml must hold a mapping of settings."),
    ],
)
def test_text_that_is_no_settings_is_refused(tmp_path: Path, text: str, sentence: str) -> None:
    (tmp_path / "tieout.yaml").write_text(text)
    with pytest.raises(ConfigError, match="tieout") as refused:
        load(tmp_path / "tieout.yaml")
    assert str(refused.value).startswith(sentence)


def test_a_file_that_is_not_there_or_not_text(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"There is no .*Write one, or name another with --config\."):
        load(tmp_path / "tieout.yaml")
    with pytest.raises(ConfigError, match="cannot be read"):
        load(tmp_path)
    (tmp_path / "tieout.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="cannot be read"):
        load(tmp_path / "tieout.yaml")


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ({"mapping": "zoura"}, "sources.zuora.mapping: The mapping file zoura.yaml cannot be read"),
        ({"mapping": "./ours.yaml"}, "sources.zuora.mapping: The mapping file ours.yaml cannot be read"),
        ({"mapping": "netsuite"}, "sources.zuora.mapping: netsuite is for netsuite, and zuora is a zuora source."),
    ],
)
def test_a_mapping_that_does_not_fit_names_the_source(tmp_path: Path, source: dict[str, str], sentence: str) -> None:
    installed = Installation(parse(with_zuora(**source), tmp_path))
    with pytest.raises(ConfigError) as refused:
        _ = installed.mappings
    assert str(refused.value).startswith(sentence)


def test_values_of_checks_are_what_the_checks_take() -> None:
    config = parse(
        {
            "checks": {
                "x": {"mode": "warn", "tolerance": {"absolute": "0.005", "relative": 0.02}, "lag_minutes": 30},
                "y": {"fail_open": "maria"},
            }
        },
        Path(),
    )
    override = config.overrides()["x"]
    assert override.mode is Mode.WARN
    assert override.tolerance == Tolerance(Decimal("0.005"), Decimal("0.02"))
    assert override.lag_minutes == 30
    assert config.fail_open() == {"y": "maria"}


ENVIRONMENT = {
    "TIEOUT_ZUORA_CLIENT_ID": "id",
    "TIEOUT_ZUORA_CLIENT_SECRET": "secret",
    "TIEOUT_ZUORA_EU_CLIENT_SECRET": "of another source",
    "TIEOUT_DATABASE_URL": "postgresql://elsewhere",
}
SETTINGS = {"base_url": "https://rest.na.zuora.com"}


def test_secrets_come_from_the_environment_and_only_those_of_the_source() -> None:
    assert opened_with("zuora", "zuora", SETTINGS, Path(), ENVIRONMENT) == {
        "system": "zuora",
        "base_url": "https://rest.na.zuora.com",
        "client_id": "id",
        "client_secret": "secret",
    }


def test_the_environment_wins_and_is_of_the_right_type() -> None:
    more = {
        "TIEOUT_ZUORA_BASE_URL": "https://rest.test.zuora.com",
        "TIEOUT_ZUORA_TIMEOUT_S": "12.5",
        "TIEOUT_ZUORA_HISTORY_START": "2024-01-01T00:00:00Z",
    }
    opened = opened_with("zuora", "zuora", SETTINGS, Path(), ENVIRONMENT | more)
    assert opened["base_url"] == "https://rest.test.zuora.com"
    assert opened["timeout_s"] == 12.5
    assert opened["history_start"] == datetime(2024, 1, 1, tzinfo=UTC)


def test_the_name_of_a_variable() -> None:
    assert variable("zuora-eu", "client_secret") == "TIEOUT_ZUORA_EU_CLIENT_SECRET"


@pytest.mark.parametrize(
    ("settings", "environment", "sentence"),
    [
        (SETTINGS, {}, "The source zuora lacks client_id: set TIEOUT_ZUORA_CLIENT_ID."),
        (
            {},
            ENVIRONMENT,
            "The source zuora lacks base_url: write sources.zuora.settings.base_url, or set TIEOUT_ZUORA_BASE_URL.",
        ),
        (
            SETTINGS,
            ENVIRONMENT | {"TIEOUT_ZUORA_TIMEOUT_S": "soon-77a1"},
            "TIEOUT_ZUORA_TIMEOUT_S: Input should be a valid number, unable to parse string as a number.",
        ),
    ],
)
def test_what_is_missing_or_wrong_names_the_variable(
    settings: dict[str, str], environment: dict[str, str], sentence: str
) -> None:
    with pytest.raises(PermanentError) as refused:
        opened_with("zuora", "zuora", settings, Path(), environment)
    assert str(refused.value) == sentence


def test_folders_are_beside_the_file(tmp_path: Path) -> None:
    assert opened_with("m", "files", {"folder": "in"}, tmp_path, {})["folder"] == tmp_path / "in"
    assert opened_with("m", "files", {"folder": "/in"}, tmp_path, {})["folder"] == Path("/in")
    assert opened_with("m", "files", {"folder": "s3://in/box"}, tmp_path, {})["folder"] == "s3://in/box"
    assert opened_with("l", "lake", {"root": "gold"}, tmp_path, {})["root"] == tmp_path / "gold"


def test_an_unknown_source_is_named_with_the_known_ones() -> None:
    installed = Installation(parse(with_zuora(), Path()))
    with pytest.raises(ConfigError, match=r"has no source 'zoura'; it has: zuora\."):
        installed.source("zoura")


def test_freshness_is_a_span() -> None:
    config: Config = parse(with_zuora(freshness_minutes=90), Path())
    assert config.sources["zuora"].freshness == timedelta(minutes=90)
