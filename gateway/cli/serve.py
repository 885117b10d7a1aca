"""`tieout serve`: the API and the console."""

import ipaddress
from typing import Annotated

import typer
import uvicorn

from gateway import telemetry
from gateway.api.app import create_app
from gateway.cli.shared import DEFAULT_CONFIG, ConfigOption, deciding
from gateway.config import Config
from gateway.errors import ConfigError


def register(app: typer.Typer) -> None:
    app.command("serve", epilog="Example: `tieout serve --host 127.0.0.1 --port 8080`")(serve)


def serve(
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The port to listen on.")] = 8080,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Serve the pre-bill gate, the API and the console until Ctrl-C."""
    installed = deciding(config)
    refuse_open_console(installed.config, host)
    telemetry.install("tieout-api")
    app = create_app(installed)
    app.state.gate.warm()
    uvicorn.run(app, host=host, port=port, log_level="info", access_log=False)


def refuse_open_console(config: Config, host: str) -> None:
    """A console without sign-in is for one's own machine only. Raises ConfigError."""
    if config.console.access == "open" and not _is_loopback(host):
        raise ConfigError(f"console.access is open, so the console is not served on {host}; use 127.0.0.1, or `key`.")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
