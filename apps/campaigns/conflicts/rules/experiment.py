"""A message would contact people who are kept out to measure an effect."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop, ngettext
from pyroaring import BitMap

from ...models.conflicts import Severity
from ...sending import arms
from .. import controls, goods
from ..findings import Facts, Finding, grown
from ..rule import Rule
from ..snapshot import Plan, PlannedCampaign, PlannedMessage


class ExperimentRule(Rule):
    __doc__ = gettext_noop(
        "A message would contact people who are kept out so that an effect can be measured. What another tool sends does not know "
        "our control groups, neither the one that no promotion reaches nor the campaign's own. And a campaign would tell another "
        "campaign's control group of the same product or category while that one is measured, from its first contact until some days "
        "after its last; control groups given by an imported attribute or drawn when the other ran count as well."
    )
    code = "experiment"
    title = _("Would spoil a measurement")

    def find(self, plan: Plan) -> Iterator[Finding]:
        """One finding per message sent elsewhere, and one per campaign that tells another's control group."""
        promotions = [
            message for message in plan.messages.values()
            if not message.is_public and message.purpose_class == "promotion" and _ahead(plan, message)
        ]
        outside = [message for message in promotions if message.kind == "elsewhere" and plan.in_focus(message.campaign_id)]
        spoiling = self._spoiling(plan, promotions)
        if plan.people is None:
            yield from (self._finding(plan, (message.id,), [message], None, None) for message in outside)
            yield from (self._finding(plan, ids, messages, plan.campaigns[ids[1]], None) for ids, messages in spoiling.items())
            return
        plan.people.fetch(message for message in outside)
        for message in outside:
            campaign, people = plan.campaigns[message.campaign_id], plan.people.of(message)
            kept = controls.universal(people) | controls.of_campaign(campaign.id, campaign.control_share, people)
            if len(kept) >= max(1, plan.parameters.experiment_people):
                yield self._finding(plan, (message.id,), [message], None, kept)
        yield from self._judge(plan, spoiling)

    def materially_worse(self, agreed: Facts, now: Facts) -> bool:
        """Other messages than agreed, or clearly more people."""
        return not set(now["messages"]) <= set(agreed["messages"]) or grown(agreed, now)

    def pattern(self, facts: Facts, people: int | None) -> str:
        """Who would contact whose control group."""
        if facts.get("other"):
            return ngettext(
                "%(first)s (%(first_department)s) would contact %(people)s person of the control group of %(other)s about the same "
                "goods while it is measured.",
                "%(first)s (%(first_department)s) would contact %(people)s people of the control group of %(other)s about the same "
                "goods while it is measured.",
                people or 0,
            )
        return ngettext(
            "%(message)s of %(first)s is sent by another tool and would contact %(people)s person of a control group.",
            "%(message)s of %(first)s is sent by another tool and would contact %(people)s people of control groups.",
            people or 0,
        )

    def words(self, facts: Facts) -> dict[str, Any]:
        """The campaign whose measurement would be spoilt."""
        return {"other": facts.get("other", "")}

    def _spoiling(self, plan: Plan, promotions: list[PlannedMessage]) -> dict[tuple[int, int], list[PlannedMessage]]:
        """(campaign, measured campaign) -> messages of the first about the same goods while the other is measured."""
        found: dict[tuple[int, int], list[PlannedMessage]] = defaultdict(list)
        for measured in plan.campaigns.values():
            span = _measured(plan, measured)
            if span is None:
                continue
            about = [each for message in measured.messages if (each := goods.of(plan, message))]
            for message in promotions:
                if message.campaign_id == measured.id or not plan.in_focus(message.campaign_id, measured.id):
                    continue
                own = goods.of(plan, message)
                in_time = any(end >= span[0] and start <= span[1] for start, end in _ahead(plan, message))
                if own is not None and in_time and any(own.meets(each) for each in about):
                    found[message.campaign_id, measured.id].append(message)
        return dict(sorted(found.items()))

    def _judge(self, plan: Plan, spoiling: dict[tuple[int, int], list[PlannedMessage]]) -> Iterator[Finding]:
        assert plan.people is not None
        measured = {pk: plan.campaigns[pk] for _campaign, pk in spoiling}
        plan.people.fetch(message for messages in spoiling.values() for message in messages)
        plan.people.fetch(message for campaign in measured.values() for message in campaign.messages)
        tests = {message.id for campaign in measured.values() for message in campaign.messages if message.is_test}
        tested = plan.people.sources.kept_out(tests) if tests else {}
        for ids, messages in spoiling.items():
            other = measured[ids[1]]
            told = BitMap.union(BitMap(), *(_told(plan, message) for message in messages))
            control = controls.of_campaign(other.id, other.control_share, told & plan.audience(other.id))
            control |= told & BitMap.union(BitMap(), *(tested.get(message.id, BitMap()) for message in other.messages))
            if len(control) >= max(1, plan.parameters.experiment_people):
                yield self._finding(plan, ids, messages, other, control)

    def _finding(
        self, plan: Plan, subjects: tuple[int, ...], messages: list[PlannedMessage], other: PlannedCampaign | None,
        people: BitMap | None,
    ) -> Finding:
        facts: dict[str, Any] = {
            "messages": sorted(message.id for message in messages), "other": other.name or f"#{other.id}" if other else "",
            "departments": [other.department_id] if other else [],
        }
        if people is not None:
            facts |= {"people": len(people), "severity": int(Severity.BLOCK)}
        return Finding(
            rule=self.code, subjects=subjects, campaigns=(messages[0].campaign_id, None), severity=int(Severity.BLOCK),
            messages=(messages[0].id if len(messages) == 1 else None, None), people=people,
            at=min(start for message in messages for start, _end in _ahead(plan, message)), facts=facts,
        )


def _ahead(plan: Plan, message: PlannedMessage) -> list[tuple[datetime, datetime]]:
    return [(start, end) for start, end in message.windows if end >= plan.now]


def _measured(plan: Plan, campaign: PlannedCampaign) -> tuple[datetime, datetime] | None:
    """From when to when somebody's having got nothing of the campaign has to stay true; None without a control group."""
    if campaign.control_share <= 0 and not any(message.is_test for message in campaign.messages):
        return None
    windows = [window for message in campaign.messages if not message.is_public for window in message.windows]
    if not windows:
        return None
    days = timedelta(days=plan.parameters.experiment_days)
    return min(start for start, _end in windows), max(end for _start, end in windows) + days


def _told(plan: Plan, message: PlannedMessage) -> BitMap:
    """Whom the message would really contact: its own control groups are kept out where we send it ourselves."""
    assert plan.people is not None
    people = plan.people.of(message)
    if message.kind != "addressed":
        return people
    campaign = plan.campaigns[message.campaign_id]
    kept = controls.of_campaign(campaign.id, campaign.control_share, people)
    return people - kept - (controls.universal(people) if arms.universal_share() > 0 else BitMap())
