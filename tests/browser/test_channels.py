"""Channels in a real browser: pages in order for everybody, a mail that may run nothing, a STOP answered by hand."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from apps.accounts.models import Role
from apps.channels import health, registry
from apps.channels.adapters.base import OutgoingMessage, PostalAddress
from apps.channels.content import CallContent, LetterContent, MimeTemplate, SmsContent
from apps.channels.counterparts import inbox
from apps.channels.counterparts.process import running
from apps.channels.models import ContactEvent
from apps.core import clock
from tests.factories.accounts import UserFactory
from tests.factories.channels import ChannelAccountFactory

HOSTILE = """<html><head><title>x</title></head><body><p id="hi">Hei Åse</p>
<script>parent.document.title = "taken over"</script><img src="x" onerror="parent.document.title = 'taken over'">
<a href="https://shop.example/">shop</a></body></html>"""


@pytest.fixture
def handed_over(live_server: Any, settings: Any, tmp_path: Path) -> Iterator[dict[str, int]]:
    """One message of each channel, really handed over; the ids of their copies in the inbox."""
    settings.SANDBOX_DIR, settings.PUBLIC_URL = tmp_path / "sandbox", live_server.url
    home = PostalAddress("Åse Żółć", ("Storgata 1",), "0155", "Oslo", country="NO")
    mail = MimeTemplate.compile(
        subject="Vinter – nå", html=HOSTILE, text="Hei", sender={"from_email": "a@fjord.example"}
    )
    with running(tmp_path / "sandbox"):
        for kind, content, address in (
            ({}, mail, "ase@example.com"),
            ({"sms": True}, SmsContent("Tilbud i dag"), "+4740000001"),
            ({"letter": True}, LetterContent("Kjære Åse", "Hei"), home),
            ({"call": True}, CallContent("God dag"), "+4740000002"),
        ):
            account = ChannelAccountFactory(**kind)
            adapter = registry.adapter_for(account)
            request = adapter.build(OutgoingMessage("8.1", address, "nb", content))
            health.note(account.pk, adapter.post([request]), now=clock.now())
        inbox.counts()
        yield {channel: inbox.messages(channel).messages[0].id for channel in ("email", "sms", "letter")}


@pytest.mark.parametrize(("width", "dark"), [(1440, False), (390, True)])
def test_every_page_of_channels_is_accessible(
    open_page: Callable[..., Any], axe: Callable[..., list[str]], handed_over: dict[str, int], width: int, dark: bool
) -> None:
    page = open_page(UserFactory(role=Role.ADMINISTRATOR, handles_personal_data=True), width, dark)
    account = ChannelAccountFactory(name="Relay", adapter="smtp", is_sandbox=False)
    paths = ["/channels/", f"/channels/{account.pk}/", "/channels/new/", "/channels/new/twilio_sms/"]
    paths += [f"/inbox/?channel={channel}" for channel in ("email", "sms", "letter", "call")]
    paths += [f"/inbox/{handed_over['sms']}/"]

    for path in paths:
        assert page.goto(path).status == 200
        assert axe(page) == [], path
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path


def test_a_mail_is_shown_and_may_run_nothing(open_page: Callable[..., Any], handed_over: dict[str, int]) -> None:
    page = open_page(UserFactory())

    page.goto(f"/inbox/{handed_over['email']}/")

    frame = page.frame_locator("iframe")
    assert frame.locator("#hi").inner_text() == "Hei Åse"
    assert page.title().startswith("Vinter – nå")
    # the browser says that it refused the script and the handler: that is what is wanted here
    page.complaints.clear()


def test_a_stop_typed_in_the_inbox_comes_back_as_news(
    open_page: Callable[..., Any], handed_over: dict[str, int]
) -> None:
    page = open_page(UserFactory())

    page.goto(f"/inbox/{handed_over['sms']}/")
    page.get_by_role("button", name="Answer").click()

    page.get_by_text("The answer was posted").wait_for()
    for _ in range(50):
        if ContactEvent.objects.filter(kind="unsubscribed", channel="sms").exists():
            break
        page.wait_for_timeout(100)
    else:
        pytest.fail("no news of the STOP")
