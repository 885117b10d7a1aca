"""What the pages in docs/ name is there: examples that load, variables, commands, settings, links, pages."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.main import get_command
from typer.testing import CliRunner

from checks.catalogue import CATALOGUE
from checks.page import index, page
from connectors.mapping_file import parse as parse_mapping
from connectors.registry import KINDS, needs
from gateway.cli.app import app
from gateway.config import Config, parse
from gateway.source_settings import variable

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = {str(path.relative_to(DOCS)): path.read_text(encoding="utf-8") for path in sorted(DOCS.rglob("*.md"))}
SYSTEMS = [name for name in PAGES if name.startswith("systems/")]
SOURCES = PAGES["sources.md"]
CODE = "\n".join(
    path.read_text(encoding="utf-8")
    for part in ("gateway", "alerts", "connectors", "books", "tests")
    for path in sorted((ROOT / part).rglob("*.py"))
    if path != Path(__file__)
)
# The variables that the tools of object stores read by themselves.
STORES = re.compile(r"(AWS|GOOGLE|AZURE)_")


def examples() -> Iterator[tuple[str, str]]:
    """Every YAML block with the page that it is on; a block inside a list is indented."""
    for name, text in PAGES.items():
        for number, found in enumerate(re.finditer(r"^( *)```yaml\n(.*?)^\1```", text, re.MULTILINE | re.DOTALL), 1):
            yield f"{name}:{number}", re.sub(f"^{found[1]}", "", found[2], flags=re.MULTILINE)


EXAMPLES = dict(examples())


def documented(page: str) -> Iterator[dict[str, Any]]:
    """The sources of the examples on a page."""
    for place, text in EXAMPLES.items():
        if place.startswith(f"{page}:"):
            yield from (yaml.safe_load(text).get("sources") or {}).values()


def named_sources() -> dict[str, str]:
    """The sources of all examples by name, with their kinds; two pages may not mean different kinds by one name."""
    found: dict[str, str] = {}
    for text in EXAMPLES.values():
        for name, said in (yaml.safe_load(text).get("sources") or {}).items():
            if "connector" in said:
                assert found.setdefault(name, said["connector"]) == said["connector"]
    return found


def as_mapping(said: dict[str, Any]) -> str:
    """The example as a whole mapping file; some show only further objects of the page's kind, which is Salesforce."""
    whole = said if "objects" in said else {"connector": "salesforce", "objects": said}
    return yaml.safe_dump(whole, sort_keys=False)


@pytest.mark.parametrize("place", EXAMPLES)
def test_every_example_loads(place: str, tmp_path: Path) -> None:
    """As tieout.yaml without a secret in sight, or as a mapping file."""
    said = yaml.safe_load(EXAMPLES[place])
    if said.keys() <= Config.model_fields.keys():
        for source in (said.get("sources") or {}).values():
            # An example that shows how one thing is set names no more of the source than that.
            source.setdefault("connector", "files")
            source.setdefault("roles", ["usage"])
            source.setdefault("mapping", "metering")
        assert parse(said, tmp_path)
    else:
        assert parse_mapping(as_mapping(said)).objects


def known_variables() -> set[str]:
    """Those of the examples' sources, and those that stand in the code."""
    of_sources = {variable(name, key) for name, kind in named_sources().items() for key in needs(kind)}
    posted = {variable(name, key) for name in named_sources() for key in ("webhook_secret", "inbox_secret")}
    return of_sources | posted | set(re.findall(r"TIEOUT_[A-Z_]+[A-Z]", CODE))


@pytest.mark.parametrize("name", sorted({n for text in PAGES.values() for n in re.findall(r"\bTIEOUT_[A-Z_]+", text)}))
def test_every_variable_is_read(name: str) -> None:
    """`TIEOUT_<SOURCE>_…` is the rule itself."""
    assert name == "TIEOUT_" or name in known_variables()


@pytest.mark.parametrize("kind", KINDS)
def test_every_secret_of_a_kind_is_on_its_page(kind: str) -> None:
    upper = {name: variable(name, "")[:-1] for name, of in named_sources().items() if of == kind}
    text = PAGES[f"systems/{kind}.md"]
    for secret in KINDS[kind].secrets:
        assert any(f"{prefix}_{secret.upper()}" in text for prefix in upper.values()), secret


COMMANDS = sorted(
    {line for text in PAGES.values() for line in re.findall(r"(?:`|^\$ )(tieout [^`\n]+)", text, re.MULTILINE)}
)


@pytest.mark.parametrize("line", COMMANDS)
def test_every_command_exists_with_its_options(line: str) -> None:
    words = line.split()[1:]
    path = []
    command: Any = get_command(app)
    while words and words[0] in getattr(command, "commands", {}):
        path.append(words.pop(0))
        command = command.commands[path[-1]]
    assert path, line
    assert not hasattr(command, "commands"), line
    known = {option for parameter in command.params for option in parameter.opts}
    assert {word for word in words if word.startswith("--")} <= known
    assert CliRunner().invoke(app, [*path, "--help"]).exit_code == 0


def test_the_pages_of_the_checks_are_what_the_checks_say() -> None:
    """`make docs` makes them."""
    made = {f"checks/{id_}.md": page(check) for id_, check in CATALOGUE.items()}
    made["checks/README.md"] = index(CATALOGUE.values())
    there = {name: text for name, text in PAGES.items() if name.startswith("checks/")}
    old = sorted(name for name in made | there if made.get(name) != there.get(name))
    assert not old, f"Run make docs: {', '.join(old)} would change."


LINKS = [
    (name, target)
    for name, text in PAGES.items()
    for target in dict.fromkeys(re.findall(r"\]\((?!https?://)([^)\s]+)\)", text))
]


@pytest.mark.parametrize(("name", "target"), LINKS)
def test_every_link_leads_somewhere(name: str, target: str) -> None:
    path, _, heading = target.partition("#")
    file = (DOCS / name).parent / path if path else DOCS / name
    assert file.exists()
    if heading:
        titles = re.findall(r"^#+ (.+)$", file.read_text(encoding="utf-8"), re.MULTILINE)
        assert heading in {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", SYSTEMS)
def test_the_entry_page_leads_to_every_page(page: str) -> None:
    assert f"({page})" in SOURCES


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_a_page_and_an_example_on_it(kind: str) -> None:
    assert kind in {said.get("connector") for said in documented(f"systems/{kind}.md")}


@pytest.mark.parametrize("kind", KINDS)
def test_the_entry_page_names_settings_that_are_there(kind: str) -> None:
    rows = re.findall(rf"^\| `{kind}`[^|]*\|([^|]*)\|([^|]*)\|", SOURCES, re.MULTILINE)
    assert rows
    for settings, secrets in rows:
        named = {word.partition(":")[0] for word in re.findall(r"`([a-z_: ]+)`", settings)}
        assert named - {"netsuite_soap"} <= set(needs(kind)) - set(KINDS[kind].secrets)
        assert set(re.findall(r"`(\w+)`", secrets)) <= set(KINDS[kind].secrets)


@pytest.mark.parametrize("page", SYSTEMS)
def test_every_setting_in_a_table_is_there(page: str) -> None:
    """Tables whose first heading is `setting`."""
    kinds = {said["connector"] for said in documented(page) if "connector" in said}
    known = {key for kind in kinds for key in needs(kind)}
    for table in re.findall(r"^\| setting \|.*\n\|[-| ]+\n((?:\|.*\n)+)", PAGES[page], re.MULTILINE):
        first = [row.split("|")[1] for row in table.splitlines()]
        assert {name for cell in first for name in re.findall(r"`(\w+)`", cell)} <= known


def test_the_entry_page_is_short() -> None:
    assert len(SOURCES.splitlines()) < 80
