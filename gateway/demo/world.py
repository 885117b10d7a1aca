"""The simulated company's systems on loopback ports, and the installation that reads them."""

import os
import shlex
import shutil
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Self

import yaml

from gateway.config import load
from gateway.demo.clock import AHEAD_VARIABLE, clock_from
from gateway.demo.settings import settings
from gateway.installation import Installation
from sandbox.company import Company, build
from sandbox.netsuite import NetSuiteAccount, NetSuiteServer, make_key_pair
from sandbox.salesforce import SalesforceOrg, SalesforceServer
from sandbox.slack_sink import SlackSink
from sandbox.smtp_sink import SmtpSink
from sandbox.webhook_sink import WebhookSink
from sandbox.zuora import ZuoraServer, ZuoraTenant

CLIENT_ID, CLIENT_SECRET = "tieout-demo", "only-for-the-sandbox"
OWNERS = Path(__file__).parents[2] / "owners.yaml"
# A shell reads it with `. .tieout/demo/environment`.
ENVIRONMENT_FILE = "environment"
# A file is read once nobody has written to it for a while.
SETTLED = timedelta(minutes=5)


class World:
    """Company, simulators, sinks and installation; a context manager that starts and stops them.

    `folder` is emptied first: each demo begins with nothing.
    """

    def __init__(self, folder: Path, seed: int, accounts: int, public_url: str) -> None:
        self.folder = folder
        self.company: Company = build(seed=seed, accounts=accounts, ours=False)
        self.clock: Callable[[], datetime] = clock_from(self.company.now)
        self._public_url = public_url
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        self._start_systems()
        self._start_sinks()
        self._write_files()
        self._set_environment()
        self._write_environment()
        config = self.folder / "tieout.yaml"
        said = settings(self.folder, self._urls(), self._public_url, (self.mail.host, self.mail.port))
        config.write_text(yaml.safe_dump(said, sort_keys=False), encoding="utf-8")
        shutil.copy(OWNERS, self.folder / "owners.yaml")
        self.installed = Installation(load(config), self.clock)
        self._stack.callback(self.installed.close)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def _start_systems(self) -> None:
        org, account = SalesforceOrg(self.clock), NetSuiteAccount(self.clock)
        self.tenant = ZuoraTenant(self.clock)
        self.company.load_salesforce(org)
        self.company.load_zuora(self.tenant)
        self.company.load_netsuite(account)
        self._private_key, public_key = make_key_pair("ES256")
        self.salesforce = SalesforceServer(org, client_id=CLIENT_ID, client_secret=CLIENT_SECRET)
        self.zuora = ZuoraServer(self.tenant, client_id=CLIENT_ID, client_secret=CLIENT_SECRET)
        self.netsuite = NetSuiteServer(
            account,
            client_id=CLIENT_ID,
            certificate_id="demo-certificate",
            public_key_pem=public_key,
            wall_clock=self.clock,
        )
        for server in (self.salesforce, self.zuora, self.netsuite):
            self._stack.enter_context(server)

    def _urls(self) -> dict[str, str]:
        return {"salesforce": self.salesforce.url, "zuora": self.zuora.url, "netsuite": self.netsuite.url}

    def _start_sinks(self) -> None:
        self.slack = self._stack.enter_context(SlackSink())
        self.mail = self._stack.enter_context(SmtpSink())
        self.webhook = self._stack.enter_context(WebhookSink())

    def _write_files(self) -> None:
        self.company.write_files(self.folder / "files")
        settled = (self.clock() - SETTLED).timestamp()
        for file in (self.folder / "files").rglob("*"):
            os.utime(file, (settled, settled))

    def _set_environment(self) -> None:
        """The systems' secrets are where the product looks for them, for as long as the world stands."""
        said = self._environment()
        for name, before in {name: os.environ.get(name) for name in said}.items():
            self._stack.callback(_put_back, name, before)
        os.environ.update(said)

    def _write_environment(self) -> None:
        """What another shell needs to run commands on this installation: secrets of the simulators, and the clock."""
        ahead = (self.clock() - datetime.now(UTC)).total_seconds()
        said = {**self._environment(), AHEAD_VARIABLE: f"{ahead:.0f}"}
        file = self.folder / ENVIRONMENT_FILE
        file.touch(mode=0o600)
        lines = (f"export {name}={shlex.quote(value)}\n" for name, value in said.items())
        file.write_text("".join(lines), encoding="utf-8")

    def _environment(self) -> dict[str, str]:
        return {
            "TIEOUT_SALESFORCE_CONSUMER_KEY": CLIENT_ID,
            "TIEOUT_SALESFORCE_CONSUMER_SECRET": CLIENT_SECRET,
            "TIEOUT_ZUORA_CLIENT_ID": CLIENT_ID,
            "TIEOUT_ZUORA_CLIENT_SECRET": CLIENT_SECRET,
            "TIEOUT_NETSUITE_CLIENT_ID": CLIENT_ID,
            "TIEOUT_NETSUITE_CERTIFICATE_ID": "demo-certificate",
            "TIEOUT_NETSUITE_PRIVATE_KEY_PEM": self._private_key,
            "TIEOUT_SLACK_BILLING": self.slack.webhook_url,
            "TIEOUT_SLACK_REVOPS": self.slack.webhook_url,
            "TIEOUT_SLACK_IT": self.slack.webhook_url,
            "TIEOUT_IT_WEBHOOK_URL": self.webhook.url,
            "TIEOUT_IT_WEBHOOK_SECRET": "demo-signing-secret",
        }


def _put_back(name: str, before: str | None) -> None:
    if before is None:
        os.environ.pop(name, None)
    else:
        os.environ[name] = before
