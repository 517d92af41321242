"""Two campaigns reach the same people at nearly the same time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from math import ceil

from django.utils.translation import gettext, gettext_noop, ngettext
from django.utils.translation import gettext_lazy as _

from ...models.conflicts import Severity
from ..findings import Facts, Finding, changed_channels, grown
from ..rule import Rule
from ..snapshot import Meeting, Plan, PlannedMessage, channels_of, only_messages


class OverlapRule(Rule):
    __doc__ = gettext_noop(
        "Two campaigns contact the same people within a few days of each other. Only the messages that really come close "
        "count, and only the people who are in the audiences of both of them. It weighs more when at least half of the "
        "smaller audience is contacted twice within a day; inside one department, or where one of the two messages is a "
        "service message, it is for information only. "
        "Safety notices and what has already gone out do not count."
    )
    code = "overlap"
    title = _("Same people at the same time")

    def find(self, plan: Plan) -> Iterator[Finding]:
        """One finding per pair of campaigns."""
        within = timedelta(days=plan.parameters.overlap_days)
        pairs = plan.meetings(within, self._takes_part)
        if plan.people is not None:
            plan.people.fetch(
                message for pair in pairs for campaign in pair for message in plan.campaigns[campaign].messages
            )
        for pair, meetings in pairs.items():
            found = self._judge(plan, pair, meetings)
            if found:
                yield found

    def materially_worse(self, agreed: Facts, now: Facts) -> bool:
        """More people than agreed, other channels, a day closer together, or more severe."""
        return (
            grown(agreed, now)
            or changed_channels(agreed, now)
            or now["hours_apart"] <= agreed["hours_apart"] - 24
            or now.get("severity", 0) > agreed.get("severity", 0)
        )

    def pattern(self, facts: Facts, people: int | None) -> str:
        """Who meets whom, when."""
        if people is None:
            return gettext("%(first)s and %(second)s come close to each other; the people in both are being counted.")
        return ngettext(
            "%(first)s (%(first_department)s, %(first_day)s) and %(second)s (%(second_department)s, %(second_day)s) both "
            "contact %(people)s person within %(apart)s.",
            "%(first)s (%(first_department)s, %(first_day)s) and %(second)s (%(second_department)s, %(second_day)s) both "
            "contact %(people)s people within %(apart)s.",
            people,
        )

    def _takes_part(self, message: PlannedMessage) -> bool:
        return not message.is_public and not message.is_safety

    def _judge(self, plan: Plan, pair: tuple[int, int], meetings: list[Meeting]) -> Finding | None:
        nearest = min(meetings, key=lambda meeting: meeting.apart)
        facts = {
            "hours_apart": ceil(nearest.apart.total_seconds() / 3600),
            "first_at": nearest.first_at.isoformat(), "second_at": nearest.second_at.isoformat(),
            "channels": channels_of(meetings),
            "first_messages": sorted({meeting.first.id for meeting in meetings}),
            "second_messages": sorted({meeting.second.id for meeting in meetings}),
        }
        severity, people = int(Severity.MEDIUM), None
        if plan.people is not None:
            people = plan.people.meeting([(meeting.first, meeting.second) for meeting in meetings])
            sizes = [plan.size(campaign) for campaign in pair]
            if people.count < self._threshold(plan, sizes):
                return None
            severity = self._severity(plan, pair, nearest, people.count / min(sizes))
            facts |= {
                "people": people.count, "first_audience": sizes[0], "second_audience": sizes[1], "severity": severity,
            }
        return Finding(
            rule=self.code, subjects=pair, campaigns=pair, severity=severity, people=people,
            messages=only_messages(meetings), at=min(nearest.first_at, nearest.second_at), facts=facts,
        )

    def _threshold(self, plan: Plan, sizes: list[int]) -> float:
        return max(1, plan.parameters.overlap_people, plan.parameters.overlap_share * min(sizes))

    def _severity(self, plan: Plan, pair: tuple[int, int], nearest: Meeting, share: float) -> int:
        is_one_department = len({plan.campaigns[campaign].department_id for campaign in pair}) == 1
        if is_one_department or "service" in (nearest.first.purpose_class, nearest.second.purpose_class):
            return int(Severity.INFO)
        parameters = plan.parameters
        is_close = nearest.apart <= timedelta(hours=parameters.overlap_high_hours)
        repeats = nearest.first.is_recurring or nearest.second.is_recurring
        return int(Severity.HIGH if share >= parameters.overlap_high_share and is_close and not repeats else Severity.MEDIUM)
