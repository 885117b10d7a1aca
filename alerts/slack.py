"""Send a notice to a Slack channel through an incoming webhook. The webhook's URL is the secret."""

import logging
import re
from http.client import HTTPException

from slack_sdk.webhook import WebhookClient, WebhookResponse

from alerts import http
from alerts.channel import Receipt
from alerts.errors import AlertError, PermanentError, TransientError
from alerts.message import Notice
from alerts.slack_blocks import blocks, fallback

TIMEOUT_S = 10

# Slack answers in one word; what a person does about it.
ADVICE = {
    "action_prohibited": "A workspace rule forbids the post: ask a Slack administrator.",
    "channel_is_archived": "Unarchive the channel, or point the route at another one.",
    "channel_not_found": "Create a new incoming webhook for a channel that exists.",
    "invalid_token": "Create a new incoming webhook and put its URL into the setting.",
    "no_service": "The webhook was removed: create a new one and put its URL into the setting.",
    "no_team": "The workspace no longer exists or the URL is wrong: correct the setting.",
    "posting_to_general_channel_denied": "Point the route at another channel.",
}
_REASON = re.compile(r"[a-z_]{2,60}")


class SlackChannel:
    """Posts through slack_sdk's WebhookClient with three of its habits turned off.

    It logs the secret URL at DEBUG, so it gets a logger that says nothing; it sleeps and retries by itself, where
    the outbox retries; it sends everything through `HTTPS_PROXY` and ignores `NO_PROXY`, so its own proxy
    setting is emptied and urllib decides. urllib turns a redirected POST into a GET without the message: only
    the body "ok" counts as delivered.
    """

    def __init__(self, webhook_url: str, *, timeout: int = TIMEOUT_S) -> None:
        """`timeout` in seconds, for connecting and for each read. PermanentError when the URL cannot be used."""
        self._timeout = timeout
        self._client = WebhookClient(
            http.checked_url(webhook_url, "The Slack webhook URL"),
            timeout=timeout,
            logger=_silent_logger(),
            retry_handlers=[],
        )
        self._client.proxy = None

    def send(self, notice: Notice) -> Receipt:
        response = self._post(notice)
        if error := _refusal(response):
            raise error
        # Header names keep the case that the server gave them.
        headers = {name.lower(): value for name, value in response.headers.items()}
        return Receipt(reference=headers.get("x-slack-req-id", "ok"))

    def _post(self, notice: Notice) -> WebhookResponse:
        try:
            return self._client.send(text=fallback(notice), blocks=blocks(notice))
        except TimeoutError:
            raise TransientError(f"Slack did not answer within {self._timeout} seconds.") from None
        except OSError as error:
            raise TransientError(f"Slack could not be reached ({_cause(error)}).") from None
        except (HTTPException, UnicodeError, LookupError):
            # An answer cut short, or in an encoding that it does not have: something stands between us and Slack.
            raise TransientError("Slack's answer could not be read.") from None


def _refusal(response: WebhookResponse) -> AlertError | None:
    verdict = http.judge(response.status_code)
    reason = response.body.strip()
    if verdict == "ok":
        if reason == "ok":
            return None
        return TransientError(
            f"Slack answered {response.status_code} without its ok: a proxy or a login page may have answered for it."
        )
    said = f" {reason}" if _REASON.fullmatch(reason) else ""
    if verdict == "transient":
        wait = http.retry_after(response.headers)
        return TransientError(f"Slack cannot take the message now ({response.status_code}{said}).", wait)
    advice = ADVICE.get(reason, "Check the webhook's URL and the message.")
    return PermanentError(f"Slack refused the message ({response.status_code}{said}). {advice}")


def _cause(error: OSError) -> str:
    reason = getattr(error, "reason", error)
    return getattr(reason, "strerror", None) or type(reason).__name__


def _silent_logger() -> logging.Logger:
    """A logger outside the logging tree that lets nothing through."""
    return logging.Logger("alerts.slack.client", level=logging.CRITICAL + 1)
