"""The links of one delivery: preference page, unsubscribing, reading in the browser, tracked clicks, the open pixel."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from django.conf import settings
from django.urls import reverse

from apps.channels import tracking
from apps.consent import links
from apps.core import tokens

BROWSER = "browser"


@dataclass(frozen=True)
class Addresses:
    """Addresses for one person in one run.

    ``measured`` is whether the person allows measurement: without it clicks and opens carry customer 0, so that no record
    of the person is made; the links work all the same. ``sent`` is the moment of hand-over.
    """

    run_id: int
    customer_id: int
    version_id: int
    measured: bool = False
    sent: datetime | None = None
    channel: str = "email"

    def links(self) -> dict[str, str]:
        """The merge fields ``links.*``."""
        return {
            "preference": links.preference_url(self.customer_id, run_id=self.run_id),
            "unsubscribe": links.unsubscribe_url(self.customer_id, channel=self.channel, run_id=self.run_id),
            "browser": public_url("campaigns:browser", browser_token(self.version_id, self.run_id, self.customer_id)),
        }

    def trap(self) -> str:
        """The hidden link: who follows it is no reader."""
        return self.click(tracking.HONEYPOT, "")

    def click(self, link_id: int, url: str) -> str:
        """A tracked link."""
        who = self.customer_id if self.measured else 0
        return public_url(
            "channels:click",
            tracking.link_token(self.run_id, who, link_id, sent=self.sent, channel=self.channel),
        )

    def pixel(self) -> str:
        """The picture that tells of an opening; nobody in particular for people who are not measured."""
        return public_url("channels:open", tracking.open_token(self.run_id, self.customer_id if self.measured else 0))


@dataclass(frozen=True)
class PreviewAddresses:
    """Addresses for looking at a message: links lead where they say, nothing is recorded."""

    def links(self) -> dict[str, str]:
        return dict.fromkeys(("preference", "unsubscribe", "browser"), f"{settings.PUBLIC_URL}/#preview")

    def click(self, link_id: int, url: str) -> str:
        return url

    def pixel(self) -> str:
        return "data:image/gif;base64,R0lGODlhAQABAAAAACwAAAAAAQABAAA="

    def trap(self) -> str:
        return "#"


def public_url(name: str, token: str) -> str:
    """The absolute address of a public page."""
    before, after = _around_token(name, settings.PUBLIC_URL)
    return f"{before}{token}{after}"


@lru_cache(maxsize=32)
def _around_token(name: str, public: str) -> tuple[str, str]:
    # reverse() for every link of every person would cost more than the rest of the message
    before, _mark, after = reverse(name, args=["0"]).rpartition("0")
    return f"{public}{before}", after


def browser_token(version_id: int, run_id: int, customer_id: int) -> str:
    """The token of the page on which one person reads one message."""
    return tokens.seal(BROWSER, (version_id, run_id, customer_id))


def read_browser_token(token: str) -> tuple[int, int, int]:
    """version, run, customer. Raises BadToken."""
    version_id, run_id, customer_id = tokens.unseal(BROWSER, token)
    return int(version_id), int(run_id), int(customer_id)
