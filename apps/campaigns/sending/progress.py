"""What a page shows of a run: how far it is, how fast, how long it takes still, and the proof in words."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from django.db.models import Min, Sum
from django.urls import reverse
from django.utils.translation import gettext as _

from apps.campaigns.models import Burst, Campaign, Halt, Message, Run
from apps.campaigns.models.sending import HaltScope, RunState
from apps.channels import throttle
from apps.core import reasons

from . import capacity, halted, proof

RECENTLY = timedelta(seconds=60)
# So many moments of going on are listed; in more zones the later ones are in the number of the waiting only.
MOST_DEFERRED = 8


@dataclass(frozen=True)
class Line:
    """One number of the proof: its words, how many people, and where they can be opened. ``waits``: a part of the waiting, who
    go on at ``until``.
    """

    code: str
    label: str
    people: int
    url: str
    is_reason: bool = False
    until: datetime | None = None
    waits: bool = False


class RunPanel:
    """One run as a page shows it."""

    def __init__(self, run: Run, now: datetime) -> None:
        self.run = run
        self.now = now

    @cached_property
    def proof(self) -> dict[str, Any]:
        return proof.run_proof(self.run)

    @property
    def message(self) -> Message:
        return self.run.message

    @property
    def adds_up(self) -> bool:
        return proof.adds_up(self.proof)

    @property
    def done(self) -> int:
        """People who wait no more."""
        return int(self.proof["audience"] - self.proof["waiting"])

    @property
    def is_open(self) -> bool:
        return self.run.state in (RunState.PLANNED, RunState.RUNNING)

    @cached_property
    def rate(self) -> float:
        """People handed over per second in the last minute."""
        recent = Burst.objects.filter(run=self.run, begun_at__gt=self.now - RECENTLY)
        found = recent.aggregate(people=Sum("count"), first=Min("begun_at"))
        if not found["people"]:
            return 0.0
        return float(found["people"] / max(1.0, (self.now - found["first"]).total_seconds()))

    @property
    def shown_rate(self) -> int | None:
        """The rate as a page shows it: nothing when nothing moved."""
        return max(1, round(self.rate)) if self.rate and self.is_open else None

    @property
    def seconds_left(self) -> int | None:
        """How long the rest takes at this rate, without those who wait for a later moment."""
        rest = self.proof["waiting"] - sum(self.proof["deferred"].values())
        return round(rest / self.rate) if self.rate and rest > 0 else None

    @cached_property
    def halts(self) -> list[Halt]:
        """The stops that hold it."""
        return halted.halts_for(self.run) if self.is_open else []

    @cached_property
    def own_halt(self) -> Halt | None:
        """The stop of just this message."""
        return next((halt for halt in self.halts if halt.scope == HaltScope.MESSAGE), None)

    @cached_property
    def shut_until(self) -> datetime | None:
        """When people can go on who wait because the account's day is full, or because its provider asked for peace."""
        account = self.run.message.account
        return throttle.shut_until(account, self.now) if account and self.is_open and self.proof["waiting"] else None

    @cached_property
    def shut(self) -> capacity.Shut | None:
        """The capacity that has no room for those who wait."""
        return capacity.shut(self.message, self.now) if self.is_open and self.proof["waiting"] else None

    @property
    def day_is_full(self) -> bool:
        """Whether it is the account's messages per day that hold it, not its provider."""
        account = self.run.message.account
        return account is not None and throttle.left_today(account, self.now) == 0

    @property
    def lines(self) -> list[Line]:
        """The proof, line by line, refusals by reason."""
        words = {
            "waiting": _("waiting"), "sent": _("sent"), "held_out": _("in a control group"), "failed": _("failed"),
            "unknown": _("handed over, the provider never answered"),
        }  # fmt: skip
        found = [self._line(code, label, self.proof[code]) for code, label in words.items()]
        refused = sorted(self.proof["refused"].items(), key=lambda item: -item[1])
        found[2:2] = [self._line("refused", reasons.sentence(code), count, code) for code, count in refused]
        found[1:1] = self._deferred()
        return [line for line in found if line.people or line.code in ("waiting", "sent")]

    def _deferred(self) -> list[Line]:
        """Why some of the waiting wait, and when they go; the soonest first."""
        return [
            replace(
                self._line("waiting", reasons.sentence(each.reason), len(each.people), each.reason), is_reason=False, waits=True,
                until=each.until,
            )
            for each in proof.deferred(self.run)[:MOST_DEFERRED]
        ]

    def _line(self, outcome: str, label: str, people: int, reason: str = "") -> Line:
        url = reverse("campaigns:run-people", args=[self.run.message.campaign_id, self.run.pk, outcome])
        return Line(outcome, label, people, f"{url}?reason={reason}" if reason else url, bool(reason))


def panels(campaign: Campaign, *, now: datetime, limit: int = 30) -> list[RunPanel]:
    """The newest runs of a campaign."""
    runs = Run.objects.filter(message__campaign=campaign).select_related("message__campaign", "message__account")
    return [RunPanel(run, now) for run in runs.defer("message__plan_audience")[:limit]]


def coming(campaign: Campaign, *, now: datetime) -> list[tuple[Message, datetime]]:
    """The next moment of each message that will still go out."""
    from .occurrences import BadRecurrence, occurrences

    found: list[tuple[Message, datetime]] = []
    for message in campaign.messages.defer("plan_audience").select_related("campaign"):
        try:
            times = occurrences(message, now - timedelta(days=1), now + timedelta(days=400))
        except BadRecurrence:
            continue
        known = set(message.runs.values_list("occurrence", flat=True))
        found += [(message, each.at) for each in times if each.key not in known][:1]
    return sorted(found, key=lambda pair: pair[1])
