import json
import logging
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from slack_sdk.models.blocks import Block

from alerts.errors import AlertError, PermanentError, TransientError
from alerts.message import CaseCard, EvidenceRow, Notice
from alerts.slack import SlackChannel
from alerts.slack_blocks import MESSAGE_BUDGET, blocks, escaped, fallback, size
from sandbox.slack_payload import faults
from sandbox.slack_sink import SlackSink


def texts(part: Any) -> list[str]:
    """Every text that a reader sees, in order."""
    if isinstance(part, dict):
        own = [part["text"]] if isinstance(part.get("text"), str) else []
        return own + [text for value in part.values() for text in texts(value)]
    return [text for item in part for text in texts(item)] if isinstance(part, list) else []


def test_the_owner_sees_evidence_and_arithmetic(slack: SlackSink, notice: Notice) -> None:
    SlackChannel(slack.webhook_url).send(notice)
    [message] = slack.wait_for(1)
    header, context, *_, more, actions = message["blocks"]
    assert header["text"]["text"] == "New: Northwind &amp; Söhne: 1,200.00 USD of seats not billed"
    assert texts(context) == [
        "🟠 *S2* high",
        "Owner: Ada Osei (Billing Ops)",
        "Due: Sat 28 Nov 2026, 17:05 UTC (in 1 d 2 h)",
    ]
    seen = "\n".join(texts(message["blocks"]))
    assert "*EXC-12*  Seats in use exceed the seats billed" in seen
    assert "*1,200.00 USD never billed*  ·  Northwind &amp; Söhne &lt;EMEA&gt;" in seen
    assert "*Expected*\n530 seats" in seen
    assert "*Actual*\n500 seats" in seen
    assert "```(530 - 500) seats × 40.00 USD = 1,200.00 USD```" in seen
    assert "salesforce  02i5g00000A1bCdEFG       530       40.00\nzuora" in seen
    assert texts(more) == ["and *3* more in this group"]
    assert actions["elements"][0]["url"] == notice.queue_url


def test_each_case_has_a_button_that_opens_it(notice: Notice, card: CaseCard) -> None:
    [button] = [block["accessory"] for block in blocks(notice) if "accessory" in block]
    assert button["url"] == card.link
    assert button["text"]["text"] == "Open EXC-12"


def test_a_phone_shows_what_where_and_how_much(notice: Notice) -> None:
    assert fallback(notice) == (
        "New: Northwind &amp; Söhne: 1,200.00 USD of seats not billed "
        "(EXC-12 1,200.00 USD never billed, Northwind &amp; Söhne &lt;EMEA&gt;)"
    )


def test_a_source_system_cannot_mention_a_channel_or_leave_its_fence(notice: Notice, card: CaseCard) -> None:
    hostile = replace(
        card, title="<!channel> paid", rows=(EvidenceRow("zuora", "``` <@U1>", (("note", "```<!here>"),)),)
    )
    seen = texts(blocks(replace(notice, cases=(hostile,))))
    assert not [text for text in seen if "<" in text]
    [table] = [text for text in seen if "&lt;@U1&gt;" in text]
    assert table.count("```") == 2


def test_a_group_names_the_first_deadline_and_each_of_them(notice: Notice, card: CaseCard) -> None:
    later = replace(card, reference="EXC-13", due_text="Mon 30 Nov, 12:00")
    seen = texts(blocks(replace(notice, cases=(later, replace(card, due_at=None)))))
    assert "First due: Mon 30 Nov, 12:00" in seen
    assert [text for text in seen if text.startswith("*Due*")] == ["*Due*\nMon 30 Nov, 12:00", "*Due*\nno deadline"]


def test_cases_that_do_not_fit_are_counted(notice: Notice, card: CaseCard) -> None:
    many = tuple(replace(card, reference=f"EXC-{number}") for number in range(40))
    made = blocks(replace(notice, cases=many, more=2))
    shown = [text for text in texts(made) if text.startswith("*EXC-")]
    assert 3 <= len(shown) < 40
    assert f"and *{42 - len(shown)}* more in this group" in texts(made)


def test_large_cases_stay_below_what_slack_was_seen_to_refuse(notice: Notice, card: CaseCard) -> None:
    large = replace(card, why="w" * 300, message="m" * 600, expected="e" * 200, arithmetic="a" * 290)
    made = blocks(replace(notice, cases=(large,) * 9))
    assert len(json.dumps(made)) < 13_000
    assert sum("accessory" in block for block in made) >= 3


def test_rows_that_do_not_fit_are_counted(notice: Notice, card: CaseCard) -> None:
    rows = tuple(EvidenceRow("zuora", f"INV-{number:05}", (("amount", "40.00"),)) for number in range(200))
    [table] = [t for t in texts(blocks(replace(notice, cases=(replace(card, rows=rows),)))) if "INV-00000" in t]
    shown = table.count("INV-")
    assert 20 < shown < 200
    assert table.endswith(f"… {200 - shown} more lines```")


def test_a_case_without_texts_is_still_a_message_that_slack_takes(notice: Notice, card: CaseCard) -> None:
    empty = replace(
        card, title="", why="", message="", account=" ", expected="", actual="\n", arithmetic="", rows=(), link=""
    )
    assert list(faults(blocks(replace(notice, headline="", owner_name="", queue_url="", cases=(empty,))))) == []
    assert list(faults(blocks(replace(notice, cases=(), more=0)))) == []


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None, max_examples=60)
@given(data=st.data())
def test_slack_takes_any_notice(data: st.DataObject, notices: st.SearchStrategy[Notice]) -> None:
    notice = data.draw(notices)
    made = blocks(notice)
    assert list(faults(made)) == []
    assert size(made) <= MESSAGE_BUDGET
    for block in Block.parse_all(made):
        block.validate_json()
    assert 0 < len(fallback(notice)) <= 3000


def test_the_largest_single_case_fits(notice: Notice) -> None:
    for character in ('"', "&", "\\", "\n", "日"):
        long = character * 5000
        fields = tuple((f"{number}{long}", long) for number in range(12))
        huge = CaseCard(
            **dict.fromkeys(["reference", "title", "why", "message", "account", "money_kind"], long),
            **dict.fromkeys(["expected", "actual", "arithmetic", "due_text"], long),
            amount=Decimal(10**13),
            currency="USD",
            due_at=None,
            rows=(EvidenceRow(long, long, fields),) * 9,
            link="https://tieout.example.com/" + "x" * 970,
        )
        worst = replace(notice, headline=long, owner_name=long, queue_url=huge.link, cases=(huge, huge), more=10**9)
        made = blocks(worst)
        assert list(faults(made)) == []
        assert size(made) <= MESSAGE_BUDGET
        assert sum("accessory" in block for block in made) >= 1


@given(st.text(st.sampled_from("&<>a"), max_size=60), st.integers(1, 40))
def test_escaping_never_cuts_inside_an_entity(text: str, limit: int) -> None:
    shown = escaped(text, limit)
    assert 0 < len(shown) <= limit
    back = shown.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    assert back in (text, "–") or (back.endswith("…") and text.startswith(back[:-1]))


@pytest.mark.parametrize(
    ("status", "word", "advice"),
    [
        (404, "no_service", "create a new one"),
        (410, "channel_is_archived", "Unarchive the channel"),
        (403, "action_prohibited", "ask a Slack administrator"),
        (403, "invalid_token", "Create a new incoming webhook"),
        (400, "invalid_payload", "Check the webhook's URL"),
    ],
)
def test_a_refusal_says_what_to_do(status: int, word: str, advice: str, slack: SlackSink, notice: Notice) -> None:
    slack.fail_next(status, body=word)
    with pytest.raises(PermanentError, match=rf"\({status} {word}\).*{advice}"):
        SlackChannel(slack.webhook_url).send(notice)


def test_a_wrong_path_is_permanent(slack: SlackSink, notice: Notice) -> None:
    with pytest.raises(PermanentError, match="404 no_service"):
        SlackChannel(slack.webhook_url + "x").send(notice)


def test_a_page_that_is_not_slacks_is_no_delivery(slack: SlackSink, notice: Notice) -> None:
    slack.fail_next(200, body="<html>Please sign in</html>")
    with pytest.raises(TransientError, match="without its ok") as caught:
        SlackChannel(slack.webhook_url).send(notice)
    assert "html" not in str(caught.value)


@pytest.mark.parametrize("status", [403, 502])
def test_somebody_elses_page_is_not_quoted(status: int, slack: SlackSink, notice: Notice) -> None:
    slack.fail_next(status, body="<html>Blocked: sandboxsecret</html>")
    with pytest.raises(AlertError, match=str(status)) as caught:
        SlackChannel(slack.webhook_url).send(notice)
    assert "sandboxsecret" not in str(caught.value)


def test_an_answer_in_no_encoding_is_transient(slack: SlackSink, notice: Notice) -> None:
    slack.fail_next(200, headers={"Content-Type": "text/plain; charset=nonsense"})
    with pytest.raises(TransientError, match="could not be read"):
        SlackChannel(slack.webhook_url).send(notice)


def test_the_receipt_names_slacks_request(slack: SlackSink, notice: Notice) -> None:
    slack.fail_next(200, headers={"X-Slack-Req-Id": "abc123"})
    assert SlackChannel(slack.webhook_url).send(notice).reference == "abc123"


def test_a_second_attempt_carries_the_same_mark(slack: SlackSink, notice: Notice) -> None:
    channel = SlackChannel(slack.webhook_url)
    channel.send(notice)
    channel.send(notice)
    channel.send(replace(notice, dedupe_key="opened:group-7:2"))
    first, second, other = (message["blocks"][0]["block_id"] for message in slack.wait_for(3))
    assert first == second != other


@pytest.mark.parametrize("status", [200, 302, 404, 429, 500])
def test_the_webhook_url_is_in_no_log_and_no_error(
    status: int, slack: SlackSink, notice: Notice, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    secret = slack.webhook_url.rsplit("/", 1)[1]
    slack.fail_next(status, headers={"Location": slack.webhook_url})
    said = ""
    try:
        SlackChannel(slack.webhook_url).send(notice)
    except AlertError as error:
        said = f"{error!r} {error.__cause__!r}"
    assert secret not in said + caplog.text


def test_a_refused_connection_does_not_show_the_url(notice: Notice, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with pytest.raises(TransientError) as caught:
        SlackChannel("http://127.0.0.1:1/services/T0/B0/sandboxsecret").send(notice)
    assert "sandboxsecret" not in str(caught.value) + caplog.text
