"""tieout.yaml: sources and their roles, freshness, tolerances, the gate's policy, the console.

Secrets are never in the file: the key `client_secret` of the source `zuora` comes from the environment
variable `TIEOUT_ZUORA_CLIENT_SECRET`; any other key of a source may be given the same way.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeVar

import yaml
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, model_validator

from books.reading import ROLES, Role
from checks.contract import Attributes, Basis, Mode, Owner, Severity, Tolerance
from checks.errors import DeclarationError
from checks.judging import Bands as SeverityLimits
from checks.ruleset import Override
from checks.system_of_record import Change, in_force
from gateway import yaml_file
from gateway.errors import ConfigError
from gateway.notices.tiers import Tiers
from gateway.source_settings import mistakes
from gateway.sync.profile import Bands

SourceName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,62}$")]
# The system under which the gateway publishes its own records.
RESERVED = "tieout"
P = TypeVar("P", bound="Part")
NotNegative = Annotated[Decimal, Field(ge=0)]


class Part(BaseModel):
    """A part of tieout.yaml: unknown words are mistakes, and are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _refused(part: P, found: Iterable[str]) -> P:
    """The part, unless something is wrong with it."""
    sentences = list(found)
    if sentences:
        raise ValueError("; ".join(sentences))
    return part


class Maintenance(Part):
    """An announced time in which a source does not answer; half-open."""

    start: AwareDatetime = Field(alias="from")
    end: AwareDatetime = Field(alias="to")
    reason: str = Field(min_length=1)

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        return _refused(
            self, [] if self.start < self.end else [f"the maintenance from {self.start} does not end later"]
        )


class Source(Part):
    """One system that is read. `settings` are the connector's own."""

    connector: str
    roles: tuple[Role, ...] = Field(min_length=1)
    mapping: str
    settings: dict[str, Any] = Field(default_factory=dict)
    freshness_minutes: Annotated[int, Field(gt=0)] = 60
    # A calendar of owners.yaml: only its open time makes readings older. Without it every hour does.
    freshness_calendar: str | None = None
    # Nor do these make readings older.
    maintenance: tuple[Maintenance, ...] = ()
    every_minutes: Annotated[int, Field(gt=0)] = 15
    # How long a row may take to become visible after its stamp; the watermark stays this far behind the clock.
    commit_lag_minutes: Annotated[int, Field(ge=0)] = 0
    # How often all keys are compared with the source's, for what vanished without a trace; 0 at every poll.
    census_hours: Annotated[int, Field(ge=0)] = 24
    # How many records are held in memory and written at once; after a kill no more are read again.
    batch_records: Annotated[int, Field(ge=1, le=1_000_000)] = 20_000

    @model_validator(mode="after")
    def _fits_its_connector(self) -> Self:
        return _refused(self, mistakes(self.connector, self.settings))

    @property
    def freshness(self) -> timedelta:
        return timedelta(minutes=self.freshness_minutes)

    def pauses(self) -> Iterator[tuple[datetime, datetime]]:
        """The announced maintenance, in the order of the file."""
        return ((window.start, window.end) for window in self.maintenance)


class ToleranceSetting(Part):
    absolute: NotNegative = Decimal(0)
    relative: NotNegative = Decimal(0)


class CheckSetting(Part):
    """What is said about one check; `fail_open` names the person who answers for it."""

    mode: Mode | None = None
    tolerance: ToleranceSetting | None = None
    lag_minutes: Annotated[int, Field(ge=0)] | None = None
    settings: dict[str, int | Decimal | str | tuple[str, ...]] = Field(default_factory=dict)
    fail_open: str | None = None


class AttributeSetting(Part):
    """What is said about one attribute that several systems hold; `columns` are role to `entity.column`."""

    about: str | None = None
    right: Role | None = None
    then: tuple[Role, ...] = ()
    owner: Owner | None = None
    severity: Severity | None = None
    mode: Mode | None = None
    columns: dict[Role, str] = Field(default_factory=dict)
    means: dict[Role, str] = Field(default_factory=dict)
    basis: dict[Role, Basis] = Field(default_factory=dict)


Share = Annotated[Decimal, Field(ge=0, le=1)]


class ConfidenceLimits(Part):
    """How S3 and S4 are told of, by confidence; `review_limit` is in the reporting currency."""

    alert_above: Share = Tiers.alert_above
    digest_from: Share = Tiers.digest_from
    review_limit: NotNegative = Tiers.review_limit

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        in_order = self.digest_from <= self.alert_above
        return _refused(self, [] if in_order else ["digest_from must not be above alert_above"])


class CrosswalkPolicy(Part):
    """`propose_from`: how alike names must be for a link to be proposed. Lower, and a person has more to reject."""

    # Below it, names of one trade resemble each other.
    propose_from: Share = Decimal("0.85")


class GatePolicy(Part):
    verdict_minutes: Annotated[int, Field(gt=0)] = 60
    max_body_bytes: Annotated[int, Field(gt=0)] = 32 * 1024 * 1024


class ConsolePolicy(Part):
    """`open` lets anybody who reaches the port act as `act_as`; it is refused on any address but loopback."""

    access: Literal["key", "open"] = "key"
    act_as: str | None = None


class Retention(Part):
    """How long old versions of the books are kept; decisions keep their own inputs and need none of them."""

    days: Annotated[int, Field(ge=1)] = 7


class Mail(Part):
    """The relay for e-mail. The password, where it needs one, is TIEOUT_SMTP_PASSWORD."""

    host: str = "127.0.0.1"
    port: Annotated[int, Field(gt=0, lt=65536)] = 25
    sender: str = "tieout@localhost"
    starttls: bool = False
    username: str | None = None


class Drift(Part):
    """When the values of a field are said to have changed their meaning (`tieout mappings diff`).

    The records of the last `window_days` are compared with the baseline; a week holds every weekday once.
    """

    window_days: Annotated[int, Field(ge=1)] = 7
    # With fewer records on either side nothing is said: a share of fewer is mostly chance.
    min_rows: Annotated[int, Field(ge=1)] = 50
    # How far the share of empty values may move. Month ends and campaigns move it by some percent.
    null_rate: Annotated[float, Field(ge=0, le=1)] = 0.1
    # The same for the share of values that look like numbers, dates or words.
    shape: Annotated[float, Field(ge=0, le=1)] = 0.2
    # A field with more distinct values than this is no set of which a new member would be news.
    most_values: Annotated[int, Field(ge=1)] = 20
    # A new value must stand in so many records: one is a typing mistake.
    new_value_rows: Annotated[int, Field(ge=1)] = 5
    # A value that is gone must have been expected in so many; at 10, chance makes it absent once in 22,000 times.
    vanished_expected: Annotated[int, Field(ge=1)] = 10
    # How many times the typical number may grow or shrink: cents for dollars is a hundred.
    scale: Annotated[float, Field(gt=1)] = 20.0

    @property
    def window(self) -> timedelta:
        return timedelta(days=self.window_days)

    def bands(self) -> Bands:
        return Bands(
            self.min_rows,
            self.null_rate,
            self.shape,
            self.most_values,
            self.new_value_rows,
            self.vanished_expected,
            self.scale,
        )


class Spark(Part):
    """Where Spark is: `local[…]` on this machine, a cluster, or `sc://…` by Spark Connect, Databricks among them."""

    master: str = "local[2]"
    settings: dict[str, str] = Field(default_factory=dict)


class SeverityBands(Part):
    S1: Decimal = Decimal(25_000)
    S2: Decimal = Decimal(2_500)
    S3: Decimal = Decimal(250)

    @model_validator(mode="after")
    def _fall(self) -> Self:
        falling = self.S1 > self.S2 > self.S3 >= 0
        return _refused(self, [] if falling else ["S1 must be above S2, S2 above S3, and none below 0"])


class Config(Part):
    """The whole file. Relative paths are relative to the file's folder."""

    sources: dict[SourceName, Source] = Field(default_factory=dict)
    checks: dict[str, CheckSetting] = Field(default_factory=dict)
    system_of_record: dict[str, AttributeSetting] = Field(default_factory=dict)
    # A folder of the installation's own checks, Python modules and SQL statements.
    user_checks: str | None = None
    gate: GatePolicy = GatePolicy()
    console: ConsolePolicy = ConsolePolicy()
    mail: Mail = Mail()
    severity_bands: SeverityBands = SeverityBands()
    confidence: ConfidenceLimits = ConfidenceLimits()
    crosswalk: CrosswalkPolicy = CrosswalkPolicy()
    retention: Retention = Retention()
    drift: Drift = Drift()
    # How far a source's clock may differ from ours. A watermark further ahead than that is not believed.
    clock_skew_minutes: Annotated[int, Field(ge=0)] = 5
    # From which share of a source's limit on the doctor warns.
    limit_warning_percent: Annotated[int, Field(gt=0, le=100)] = 80
    reporting_currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] = "USD"
    state: str = ".tieout"
    books: str = ".tieout/books"
    # What a sweep over all of the books runs on; the gate and a share of the books stay with the embedded engine.
    engine: Literal["duckdb", "spark"] = "duckdb"
    spark: Spark = Spark()
    owners: str = "owners.yaml"
    public_url: Annotated[str, Field(pattern=r"^https?://[^/\s]+")] = "http://127.0.0.1:8080"
    folder: Path = Field(default=Path(), exclude=True)

    @model_validator(mode="after")
    def _tells_sources_apart(self) -> Self:
        return _refused(self, _clashes(self.sources))

    def path(self, relative: str) -> Path:
        return (self.folder / relative).resolve()

    @property
    def books_root(self) -> str:
        """A folder or an object-store URL."""
        return self.books if "://" in self.books else str(self.path(self.books))

    def roles(self) -> dict[str, tuple[str, ...]]:
        """Per role the sources that play it, in the order of the file."""
        return {role: tuple(n for n, s in self.sources.items() if role in s.roles) for role in ROLES}

    def overrides(self) -> dict[str, Override]:
        """What the file says about checks, in the checks' own words."""
        return {
            name: Override(
                mode=said.mode,
                tolerance=Tolerance(said.tolerance.absolute, said.tolerance.relative) if said.tolerance else None,
                settings=said.settings,
                lag_minutes=said.lag_minutes,
            )
            for name, said in self.checks.items()
        }

    def attributes(self) -> Attributes:
        """Which system is right about what, by attribute. Raises ConfigError for what fits no attribute."""
        said = {name: dict(one) for name, one in self.system_of_record.items()}
        changes = {name: Change(places=one.pop("columns"), **one) for name, one in said.items()}
        try:
            return in_force(changes)
        except DeclarationError as error:
            raise ConfigError(str(error)) from error

    def tiers(self) -> Tiers:
        """Where news of a finding goes."""
        return Tiers(**self.confidence.model_dump())

    def fail_open(self) -> dict[str, str]:
        """Checks that do not block while they cannot be evaluated, with the person who answers for each."""
        return {name: said.fail_open for name, said in self.checks.items() if said.fail_open}

    def bands(self, rates: Mapping[str, Decimal]) -> SeverityLimits:
        """Severity bands with the rates to the reporting currency."""
        limits = {Severity(name): limit for name, limit in self.severity_bands.model_dump().items()}
        return SeverityLimits(limits, self.reporting_currency, dict(rates))


def load(path: Path) -> Config:
    """Read tieout.yaml. Raises ConfigError with one sentence per mistake."""
    try:
        said = yaml_file.read(path) or {}
    except FileNotFoundError as error:
        raise ConfigError(f"There is no {path}. Write one, or name another with --config.") from error
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} cannot be read: {error}.") from error
    except yaml.YAMLError as error:
        raise ConfigError(f"{path.name} is not YAML: {' '.join(str(error).split())}.") from error
    return parse(said, path.parent, path.name)


def parse(said: object, folder: Path, name: str = "tieout.yaml") -> Config:
    """The same from data that is already read."""
    if not isinstance(said, dict):
        raise ConfigError(f"{name} must hold a mapping of settings.")
    try:
        return Config.model_validate({**said, "folder": folder})
    except ValidationError as error:
        lines = [f"{_place(e['loc'])}{e['msg'].removeprefix('Value error, ')}" for e in error.errors()]
        raise ConfigError(f"{name} is not usable. " + "; ".join(lines) + ".") from error


def _place(steps: tuple[int | str, ...]) -> str:
    return f"{'.'.join(str(step) for step in steps)}: " if steps else ""


def _clashes(sources: Mapping[str, Source]) -> Iterator[str]:
    """Names that mean something else already, or the same variables."""
    if RESERVED in sources:
        yield f"sources.{RESERVED}: this name is kept for Tieout's own records"
    for name in sources:
        if "-" in name and name.replace("-", "_") in sources:
            yield f"sources.{name}: its variables would be those of {name.replace('-', '_')}; choose another name"
