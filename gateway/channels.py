"""The channels that owners.yaml names, ready to send: secrets come from the environment."""

import os
from collections.abc import Callable, Mapping
from datetime import datetime

from alerts.channel import Channel, Receipt
from alerts.email import EmailChannel
from alerts.errors import PermanentError
from alerts.message import Notice
from alerts.slack import SlackChannel
from alerts.webhook import WebhookChannel
from gateway.config import Mail
from gateway.owners.channels import every_channel
from gateway.owners.model import ChannelSetting, EmailSetting, Owners, SlackSetting

PASSWORD = "TIEOUT_SMTP_PASSWORD"


class Unset:
    """A channel whose secret is not in the environment: what it should send becomes a case for IT."""

    def __init__(self, variable: str) -> None:
        self._variable = variable

    def send(self, notice: Notice) -> Receipt:
        raise PermanentError(f"{self._variable} is not set, so notice {notice.dedupe_key} can't be sent. Set it.")


def open_channels(
    owners: Owners, mail: Mail, clock: Callable[[], datetime], environment: Mapping[str, str] | None = None
) -> dict[str, Channel]:
    """Every channel by name."""
    known = os.environ if environment is None else environment
    return {name: _channel(setting, mail, clock, known) for name, setting in every_channel(owners).items()}


def _channel(
    setting: ChannelSetting, mail: Mail, clock: Callable[[], datetime], environment: Mapping[str, str]
) -> Channel:
    if isinstance(setting, EmailSetting):
        return EmailChannel(
            mail.host,
            mail.port,
            mail.sender,
            setting.address,
            starttls=mail.starttls,
            username=mail.username,
            password=environment.get(PASSWORD) if mail.username else None,
        )
    needed = (setting.url_env,) if isinstance(setting, SlackSetting) else (setting.url_env, setting.secret_env)
    missing = next((variable for variable in needed if not environment.get(variable)), None)
    if missing is not None:
        return Unset(missing)
    if isinstance(setting, SlackSetting):
        return SlackChannel(environment[setting.url_env])
    return WebhookChannel(environment[setting.url_env], environment[setting.secret_env], clock)
