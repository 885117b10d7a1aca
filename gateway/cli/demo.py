"""`tieout demo`: the whole product on a simulated company."""

import json
import socket
import threading
from pathlib import Path
from typing import Annotated

import typer
import uvicorn

from gateway.api.app import create_app
from gateway.cli.shared import err, out
from gateway.cli.sync import progress
from gateway.demo import story
from gateway.demo.report import summarise
from gateway.demo.world import ENVIRONMENT_FILE, World
from gateway.jobs import all_jobs
from gateway.scheduler import lead

HOST = "127.0.0.1"
KEY_FILE = "api-key"
EXAMPLE = "Example: `tieout demo --once --report demo.json`"


def register(app: typer.Typer) -> None:
    app.command("demo", epilog=EXAMPLE)(demo)


def demo(
    once: Annotated[bool, typer.Option("--once", help="End after the summary instead of serving the console.")] = False,
    report: Annotated[Path | None, typer.Option(help="Write what was found to this JSON file.")] = None,
    port: Annotated[int, typer.Option(help="The console's port; 0 takes any free one.")] = 8080,
    accounts: Annotated[int, typer.Option(min=200, help="How many customers the company has.")] = 240,
    seed: Annotated[int, typer.Option(help="Which company.")] = 7,
    folder: Annotated[Path, typer.Option(help="Where its state is kept; emptied at each start.")] = Path(
        ".tieout/demo"
    ),
) -> None:
    """Simulate a company, poll its systems, check the books, block a bad invoice run, tell the owners."""
    address = f"http://{HOST}:{_free(port)}"
    _say(f"A company of {accounts} accounts (seed {seed}), its Salesforce, Zuora and NetSuite on loopback ports")
    with World(folder.resolve(), seed, accounts, address) as world:
        _say(f"Its clock stands at {world.clock():%A %Y-%m-%d %H:%M} UTC. Reading the systems")
        with progress() as bars:
            story.poll(world, bars.show)
        _say("Checking the books")
        swept = story.check(world)
        _say("Putting the open invoice runs to the gate")
        answers = story.ask_gate(world)
        _say("Telling the owners")
        story.tell(world)
        found = story.finish(world, swept, answers)
        summarise(found, out)
        if report is not None:
            report.write_text(json.dumps(found.document(), indent=2) + "\n", encoding="utf-8")
            _say(f"Wrote {report}")
        if not once:
            _serve(world, address)


def _serve(world: World, address: str) -> None:
    """The console and the API until Ctrl-C, with the periodic jobs beside them."""
    stop = threading.Event()
    jobs = threading.Thread(target=lead, args=(world.installed.database, all_jobs(world.installed), stop), daemon=True)
    jobs.start()
    key = story.api_key(world)
    (world.folder / KEY_FILE).write_text(key, encoding="utf-8")
    out.print(f"\nConsole  [bold]{address}/[/]   (Ctrl-C ends the demo)")
    shown = folder_shown(world.folder)
    out.print(f"API key  {key}   (kept in {shown}/{KEY_FILE})", highlight=False)
    out.print(
        f"Commands [bold]. {shown}/{ENVIRONMENT_FILE}[/] and then: tieout doctor -c {shown}/tieout.yaml",
        highlight=False,
    )
    try:
        port = int(address.rsplit(":", 1)[1])
        uvicorn.run(create_app(world.installed), host=HOST, port=port, log_level="warning")
    finally:
        stop.set()
        jobs.join(timeout=10)


def folder_shown(folder: Path) -> str:
    """The folder as it may be typed: relative to where the command was started, where it lies below."""
    here = Path.cwd()
    return str(folder.relative_to(here)) if folder.is_relative_to(here) else str(folder)


def _free(port: int) -> int:
    """The port, or any free one where somebody has it already."""
    with socket.socket() as probe:
        try:
            probe.bind((HOST, port))
        except OSError:
            probe.bind((HOST, 0))
        found: int = probe.getsockname()[1]
        return found


def _say(text: str) -> None:
    err.print(f"[cyan]·[/] {text}", highlight=False)
