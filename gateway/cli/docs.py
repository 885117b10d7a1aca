"""`tieout docs`: a page per check."""

from pathlib import Path
from typing import Annotated

import typer

from checks.page import index, page
from gateway.cli.shared import DEFAULT_CONFIG, ConfigOption, installation, out

FolderOption = Annotated[Path, typer.Option("--folder", help="Where the pages go; other pages there are removed.")]


def register(app: typer.Typer) -> None:
    app.command("docs", epilog="Example: `tieout docs --folder docs/checks`")(docs)


def docs(folder: FolderOption = Path("docs/checks"), config: ConfigOption = DEFAULT_CONFIG) -> None:
    """Write a page for every check, the installation's own included, and one that leads to them."""
    checks = installation(config).checks
    pages = {f"{id_}.md": page(check) for id_, check in checks.items()} | {"README.md": index(checks.values())}
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.md"):
        if old.name not in pages:
            old.unlink()
    for name, text in pages.items():
        (folder / name).write_text(text, encoding="utf-8")
    out.print(f"{len(checks)} pages are in {folder}.", highlight=False)
