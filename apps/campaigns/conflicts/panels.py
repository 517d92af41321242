"""What a page shows of one conflict: the sentence, the two sides, the ways out with their words."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

from django.core.cache import cache
from django.db import models
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.accounts.models import User
from apps.core import charts, clock, formats

from .. import joint
from ..models import Campaign, Conflict, Message, PlanVersion
from ..models.conflicts import ResolutionAction, Severity
from ..models.plan import BINDING_STATUSES
from ..models.policy import Undecided
from . import agree, asked, defaults, pairs, registry, resolve, response, sentences, sharing, way_words, why_not
from .passes import UNDECIDED
from .wayout import WayOut

MINUTES_KEPT = 30
# Of these one stands for all where there is little room.
ONE_IS_ENOUGH = (ResolutionAction.CHANNEL, ResolutionAction.MERGE)


@dataclass(frozen=True)
class WayRow:
    """A way out with its words for one reader. ``is_first``: the nearest of its kind, enough where there is little room."""

    way: WayOut
    label: str
    remark: str
    button: str
    effects: list[tuple[str, int, int]] = field(default_factory=list)
    arising: list[tuple[str, int]] = field(default_factory=list)
    is_first: bool = True

    @property
    def stays(self) -> list[tuple[str, int]]:
        """The findings of the pair that this way leaves, with their people; empty when it settles all of them."""
        return [(title, after) for title, _before, after in self.effects if after]

    @property
    def gone(self) -> str:
        """The findings that it settles, by name."""
        return " · ".join(title for title, _before, after in self.effects if not after)

    @property
    def is_short(self) -> bool:
        """Whether the calendar offers it too: the first of each kind; giving a campaign up is for the conflict's own page."""
        return self.is_first and self.way.action != ResolutionAction.CANCEL


@dataclass(frozen=True)
class PairRow:
    """One finding of the pair with its words."""

    conflict: Conflict
    title: str
    sentence: SafeString


@dataclass(frozen=True)
class Side:
    """One campaign of the conflict: how many people it has, and how many of them only it reaches."""

    campaign: Campaign
    people: int | None
    alone: int | None

    @property
    def messages(self) -> models.QuerySet[Message]:
        """Its messages in order of time."""
        return self.campaign.messages.select_related("offer").defer("plan_audience").order_by("send_at")


@dataclass(frozen=True)
class Panel:
    """One conflict as a page shows it to ``user`` at ``now``."""

    conflict: Conflict
    user: User
    now: datetime

    @cached_property
    def title(self) -> str:
        """The kind of collision."""
        return str(registry.rule(self.conflict.rule).title)

    @cached_property
    def sentence(self) -> SafeString:
        """What collides, with the important words set off."""
        return sentences.marked(self.conflict)

    @cached_property
    def shares(self) -> str:
        """How large the common part is on each side."""
        return " · ".join(sentences.shares(self.conflict))

    @cached_property
    def pair(self) -> list[PairRow]:
        """All undecided findings of the same two campaigns, this one first: they are decided together."""
        rows = pairs.undecided(self.conflict)
        return [PairRow(row, str(registry.rule(row.rule).title), sentences.marked(row)) for row in rows]

    @cached_property
    def also(self) -> list[PairRow]:
        """The others of the pair."""
        return [row for row in self.pair if row.conflict.pk != self.conflict.pk]

    @property
    def decide_by(self) -> datetime | None:
        """Until when the pair is to be decided: what of it comes first."""
        return min((row.conflict.decide_by for row in self.pair if row.conflict.decide_by), default=self.conflict.decide_by)

    @cached_property
    def has_public_side(self) -> bool:
        """Whether a side is for everybody, so that nobody can be left out of it; one that also writes to people is not."""
        leaves_out = any(row.way.action == ResolutionAction.LEAVE_OUT for row in self.ways)
        return not leaves_out and any(_is_public(row.conflict) for row in self.pair)

    @property
    def is_public(self) -> bool:
        """Whether a side of this very finding is for everybody: then there is nobody in both, only people who meet it."""
        return _is_public(self.conflict)

    @cached_property
    def if_nobody_decides(self) -> str:
        """The policy for this conflict in words; empty where it would not decide."""
        conflict = self.conflict
        if not self.is_open or conflict.second_campaign is None or conflict.severity < Severity.MEDIUM or not conflict.people_count:
            return ""
        if conflict.defaulted_at is not None:
            return _("Nobody decided in time; what was possible has been done, the rest stays open.")
        default = defaults.of(conflict)
        if default.keeper is None or default.yielder is None:
            return _("If nobody decides, both send: nobody is protected.")
        words = {"keeper": default.keeper.name, "yielder": default.yielder.name}
        if default.policy == Undecided.EARLIER:
            said = _("If nobody decides, %(keeper)s keeps the shared people, because it writes first, and %(yielder)s leaves them out.")
        else:
            said = _(
                "If nobody decides, %(keeper)s keeps the shared people, because of its priority or, with equal ones, because it "
                "writes first; %(yielder)s leaves them out."
            )
        agreed = {conflict.first_campaign.status, conflict.second_campaign.status} <= set(BINDING_STATUSES)
        return said % words + ("" if agreed else " " + _("That holds once both campaigns are approved."))

    @property
    def is_open(self) -> bool:
        """Whether it still waits for a decision."""
        return self.conflict.state in UNDECIDED

    @property
    def holds_up(self) -> bool:
        """Whether a campaign cannot be scheduled before this is decided."""
        return self.is_open and self.conflict.severity >= Severity.HIGH and registry.rule(self.conflict.rule).holds_up

    @property
    def needs_both(self) -> bool:
        """Whether two departments have to agree."""
        return len(agree.departments(self.conflict)) > 1

    @property
    def may_assign(self) -> bool:
        """Whether the reader may say whose conflict it is."""
        from . import talk

        return self.is_open and talk.may_assign(self.user, self.conflict)

    @property
    def may_propose(self) -> bool:
        """Whether the reader may propose a way out."""
        return self.is_open and agree.may_propose(self.user, self.conflict)

    @cached_property
    def sides(self) -> list[Side]:
        """Both campaigns (or the one)."""
        pairs = ((self.conflict.first_campaign, "first"), (self.conflict.second_campaign, "second"))
        return [self._side(campaign, name) for campaign, name in pairs if campaign is not None]

    def _side(self, campaign: Campaign, name: str) -> Side:
        people = self.conflict.facts.get(f"{name}_audience")
        both = self.conflict.people_count
        return Side(campaign, people, None if people is None or both is None else max(0, people - both))

    @cached_property
    def ways(self) -> list[WayRow]:
        """The ways out, measured; none for what is decided."""
        if not self.is_open:
            return []
        rows, seen = [], set()
        for way in self._measured[0]:
            kind = (way.action, None if way.action in ONE_IS_ENOUGH else way.campaign_id)
            arising = [(str(registry.rule(rule).title), people) for rule, people in way.arising]
            words = (self._label(way), self._remark(way), self._button(way), self._effects(way), arising)
            rows.append(WayRow(way, *words, kind not in seen))
            seen.add(kind)
        return rows

    @cached_property
    def not_offered(self) -> list[tuple[str, str]]:
        """Which ways out are not possible, and why, in words."""
        if not self.is_open:
            return []
        titles = {side.campaign.pk: side.campaign.name for side in self.sides}
        return [
            why_not.words(each, names=self._names(), titles=titles, not_mergeable=self.not_mergeable) for each in self._measured[1]
        ]

    @cached_property
    def _measured(self) -> tuple[list[WayOut], list[why_not.Missing]]:
        """Measured once for this state of the plan and day, then kept for half an hour."""
        number = PlanVersion.objects.values_list("number", flat=True).first()
        state = "-".join(f"{row.conflict.pk}.{row.conflict.digest[:12]}" for row in self.pair)
        key = f"ways-and-missing:{hashlib.sha256(state.encode()).hexdigest()[:24]}:{number}:{clock.company_day(self.now)}"
        kept: tuple[list[WayOut], list[why_not.Missing]] | None = cache.get(key)
        if kept is None:
            kept = resolve.ways_and_missing(self.conflict, now=self.now)
            cache.set(key, kept, MINUTES_KEPT * 60)
        return kept

    def _names(self) -> dict[int, str]:
        """What the sides are called: by department when there are two, else by campaign."""
        campaigns = [side.campaign for side in self.sides]
        by_department = len({campaign.department_id for campaign in campaigns}) == len(campaigns) > 1
        return {item.pk: item.department.name if by_department else item.name for item in campaigns}

    @property
    def names(self) -> list[str]:
        """The names of the sides in their order."""
        return list(self._names().values())

    def _label(self, way: WayOut) -> str:
        if words := self._shared_label(way.action, way.parameters, way.saved):
            return words
        if way.action == ResolutionAction.MOVE and way.starts_on and way.campaign_id:
            return _("Move %(campaign)s to %(day)s") % {
                "campaign": self._names()[way.campaign_id], "day": formats.day(way.starts_on, "day")
            }
        return _("Accept as it is, with a reason")

    def _shared_label(self, action: str, parameters: dict[str, Any], saved: int) -> str:
        titles = {side.campaign.pk: side.campaign.name for side in self.sides}
        return way_words.label(action, parameters, names=self._names(), titles=titles, saved=saved)

    @cached_property
    def not_mergeable(self) -> str:
        """Why the two cannot become one campaign, in words; empty where they can, or where there is only one."""
        if not self.is_open or self.conflict.second_campaign_id is None:
            return ""
        return joint.problem(pairs.sides(self.conflict), now=self.now)

    def _remark(self, way: WayOut) -> str:
        if way.action == ResolutionAction.LEAVE_OUT and self._gives_way(way):
            return _("the lower priority gives way")
        if way.action == ResolutionAction.CHANNEL:
            return _("its text and a new approval are needed")
        if way.action == ResolutionAction.MERGE:
            shared = way.parameters["programme"]
            return _("under the programme they have, to be approved anew") if shared else _("under a new programme, to be approved anew")
        if way.action not in (ResolutionAction.MOVE, ResolutionAction.RETIME):
            return ""
        words = [formats.day(way.starts_on, "day")] if way.action == ResolutionAction.RETIME and way.starts_on else []
        if way.apart_days is not None:
            words.append(ngettext("%(n)d day apart", "%(n)d days apart", way.apart_days) % {"n": way.apart_days})
        if way.others:
            words.append(ngettext("%(n)d other conflict", "%(n)d other conflicts", way.others) % {"n": way.others})
        return ", ".join(words)

    def _gives_way(self, way: WayOut) -> bool:
        """Whether leaving these people out is what the priorities of the two campaigns say."""
        priority = {side.campaign.pk: side.campaign.priority for side in self.sides}
        sides = way.parameters
        return len(priority) == 2 and priority[sides["yielding"]] < priority[sides["keeping"]]

    def _effects(self, way: WayOut) -> list[tuple[str, int, int]]:
        """Finding by finding of the pair: its name, people now, people then. Only where there is more than one."""
        if len(way.effects) < 2 and way.action not in (ResolutionAction.CHANNEL, ResolutionAction.MERGE):
            return []
        return [(str(registry.rule(effect.rule).title), effect.before, effect.after) for effect in way.effects]

    def _button(self, way: WayOut) -> str:
        if way.action == ResolutionAction.ACCEPT:
            return _("Accept")
        return _("Propose") if self.needs_both else _("Apply")

    @cached_property
    def upset(self) -> SafeString:
        """Which campaigns share these people, where they are three or more; kept for this state of the plan."""
        number = PlanVersion.objects.values_list("number", flat=True).first()
        key = f"upset:{self.conflict.pk}:{self.conflict.digest[:24]}:{number}:{clock.company_day(self.now)}"
        kept = cache.get(key)
        if kept is None:
            kept = (sharing.shared(self.conflict, now=self.now),)
            cache.set(key, kept, MINUTES_KEPT * 60)
        found = kept[0]
        if found is None:
            return SafeString("")
        title = _("%(n)d campaigns near share these people") % {"n": len(found.sets)}
        return charts.upset(title, found.sets, found.groups)

    @cached_property
    def spread(self) -> SafeString:
        """How many contacts these people have in their fullest week, as planned and after each way out."""
        rows = [row for row in self.ways if row.way.spread]
        before = next((row.way.spread for row in rows if row.way.action == ResolutionAction.ACCEPT), None)
        changed = [row for row in rows if row.is_first and row.way.action != ResolutionAction.ACCEPT][:4]
        if before is None:
            return SafeString("")
        used = max((place for row in (before, *(row.way.spread for row in changed)) for place, n in enumerate(row) if n), default=0)
        last = len(before) - 1
        labels = [f"{times}+" if times == last else str(times) for times in range(used + 1)]
        series = [charts.Series(_("as planned"), before[: used + 1])]
        series += [charts.Series(row.label, row.way.spread[: used + 1]) for row in changed]
        return charts.grouped(_("Contacts of these people in their fullest seven days, before and after"), labels, series)

    @cached_property
    def basis(self) -> str:
        """What the expected orders rest on, in words; empty when nothing is claimed."""
        past = response.past(now=self.now)
        if past.contacts < response.LEAST_CONTACTS:
            return _("Expected orders: not enough past contacts to go by.")
        return _(
            "Expected orders: purchases within %(days)d days of %(contacts)s past contacts, channel by channel; few contacts are "
            "drawn towards the average of %(prior)s per 100 (prior of %(weight)d contacts). No control group is subtracted."
        ) % {
            "days": response.DAYS_AFTER, "contacts": formats.number(past.contacts), "prior": formats.number(100 * past.prior, 1),
            "weight": response.PRIOR_WEIGHT,
        }

    @cached_property
    def resolutions(self) -> list[dict[str, Any]]:
        """All proposals, newest first, each with its signatures and what the reader may do with it."""
        rows = asked.rows(pairs.resolutions(self.conflict))
        return [asked.item(row, self._resolution_label(row), user=self.user, now=self.now) for row in rows]

    def _resolution_label(self, row: Any) -> str:
        names, sides = self._names(), row.parameters
        if words := self._shared_label(row.action, sides, row.measured.get("saved", 0)):
            return words
        if row.action == ResolutionAction.MOVE:
            days = abs(sides["days"])
            words = (
                ngettext("Move %(campaign)s %(n)d day later", "Move %(campaign)s %(n)d days later", days)
                if sides["days"] > 0 else
                ngettext("Move %(campaign)s %(n)d day earlier", "Move %(campaign)s %(n)d days earlier", days)
            )
            return words % {"campaign": names.get(sides["campaign"], "?"), "n": days}
        return _("Accept as it is")


def _is_public(conflict: Conflict) -> bool:
    return bool(conflict.facts.get("first_public") or conflict.facts.get("second_public"))


def of(pk: int, *, user: User, now: datetime) -> Panel:
    """The panel of one conflict; Conflict.DoesNotExist for an unknown one."""
    rows = Conflict.objects.defer("people_both").select_related(
        "first_campaign__department", "second_campaign__department", "first_message", "second_message", "owner"
    ).defer("people_both", "first_message__plan_audience", "second_message__plan_audience")
    rows = rows.prefetch_related("first_campaign__partners", "second_campaign__partners")
    return Panel(rows.get(pk=pk), user, now)
