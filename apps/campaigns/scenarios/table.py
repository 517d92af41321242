"""The table of a what-if: its changes in words with their figures, and what became of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.accounts.models import Department
from apps.core import formats

from ..conflicts import agree, asked, response
from ..models import Campaign, Scenario, ScenarioChange
from ..models.scenarios import ChangeKind, ChangeState, ScenarioOrigin
from . import words
from .figures import Figures
from .measuring import Measures

OUTCOMES: dict[str, Callable[[int], str]] = {
    ChangeState.APPLIED: lambda n: ngettext("%(n)d change is applied.", "%(n)d changes are applied.", n) % {"n": n},
    ChangeState.PROPOSED: lambda n: ngettext(
        "%(n)d change is proposed to the lead of the other department.",
        "%(n)d changes are proposed to the leads of the other departments.", n,
    ) % {"n": n},
    ChangeState.TRIED: lambda n: ngettext(
        "%(n)d change waits for others to hold first; it says so.", "%(n)d changes wait for others to hold first; they say so.", n
    ) % {"n": n},
    ChangeState.OUTDATED: lambda n: ngettext(
        "%(n)d change does not fit any more; it says why.", "%(n)d changes do not fit any more; they say why.", n
    ) % {"n": n},
}


@dataclass(frozen=True)
class Row:
    """One change. ``settles`` and ``costs`` say what it is good for; ``stands`` are the figures with it and all before it;
    ``misfit`` why it does not fit (any more); ``waits_for`` whose signatures are missing.
    """

    change: ScenarioChange
    words: str
    settles: list[str]
    costs: list[str]
    misfit: str = ""
    stands: Measures | None = None
    waits_for: list[str] = field(default_factory=list)
    note: str = ""

    @property
    def is_last_resort(self) -> bool:
        """Whether people should choose it knowingly: accepted, given up, cancelled, because nothing else helps."""
        return bool(self.change.parameters.get("last"))

    @property
    def address(self) -> str:
        """Where what was proposed is read and signed; empty for what was not."""
        return agree.address(self.change.resolution) if self.change.resolution else ""

    @property
    def is_open(self) -> bool:
        """Whether it can still be applied."""
        return self.change.state == ChangeState.TRIED and not self.misfit


@dataclass(frozen=True)
class Share:
    """What one department gives up of its planned contacts, beside what it may be asked for at most."""

    department: Department
    planned: int
    given_up: int
    most: float

    @property
    def part(self) -> float:
        """The share given up, 0 to 1."""
        return self.given_up / self.planned if self.planned else 0.0


@dataclass(frozen=True)
class Table:
    """Everything below the drawing."""

    scenario: Scenario
    figures: Figures
    rows: list[Row]
    basis: str
    ticked: frozenset[int] = frozenset()
    staying: list[tuple[Campaign, str]] = field(default_factory=list)
    left: list[tuple[str, list[str]]] = field(default_factory=list)
    shares: list[Share] = field(default_factory=list)

    @property
    def is_proposal(self) -> bool:
        """Whether a re-plan made it."""
        return self.scenario.origin == ScenarioOrigin.REPLAN

    @property
    def gap(self) -> tuple[float, float]:
        """What is at most missing to the best possible, for days and for people, as shares of the cost."""
        return self.scenario.measured.get("gap_days", 0.0), self.scenario.measured.get("gap_people", 0.0)

    @property
    def is_asked(self) -> bool:
        """Whether some of it waits for signatures already."""
        return any(row.change.state == ChangeState.PROPOSED for row in self.rows)

    @property
    def open_rows(self) -> int:
        """How many changes can still be applied."""
        return sum(row.is_open for row in self.rows)


def ticked(scenario: Scenario, chosen: Iterable[int] | None) -> frozenset[int]:
    """Which changes are ticked: of those ``chosen`` what can still be applied; before anybody chose, all but last resorts."""
    tried = {change.pk: change for change in scenario.changes.filter(state=ChangeState.TRIED)}
    if chosen is None:
        return frozenset(pk for pk, change in tried.items() if not change.parameters.get("last"))
    return frozenset(chosen) & tried.keys()


def of(scenario: Scenario, figures: Figures, *, ticked: frozenset[int] = frozenset(), now: datetime) -> Table:
    """The table, in the reader's language."""
    changes = list(
        scenario.changes.select_related("campaign__department", "message", "resolution__conflict")
        .prefetch_related("resolution__signatures", "resolution__needs_departments")
        .defer("message__plan_audience", "resolution__conflict__people_both")
    )
    kept = scenario.measured.get("staying", {}), scenario.measured.get("left", ())
    names = _names(changes, kept[1])
    rows = [_row(change, figures, names) for change in changes]
    campaigns = Campaign.objects.select_related("department").in_bulk([int(pk) for pk, code in kept[0].items() if code != "outside"])
    staying = [(campaign, words.staying(kept[0][str(pk)])) for pk, campaign in campaigns.items()]
    return Table(
        scenario, figures, rows, _basis(now), ticked, sorted(staying, key=lambda item: item[0].starts_on),
        [_left(each, names) for each in kept[1]], _shares(scenario),
    )


def _shares(scenario: Scenario) -> list[Share]:
    """Fairness, department by department; all that plan something, also those that give up nothing."""
    planned, given = (scenario.measured.get(name, {}) for name in ("planned", "given_up"))
    most = scenario.settings.get("fair_percent", 25) / 100
    departments = Department.objects.filter(pk__in=[int(pk) for pk in planned]).order_by("name")
    return [Share(each, planned[str(each.pk)], given.get(str(each.pk), 0), most) for each in departments]


def _names(changes: list[ScenarioChange], left: Any) -> dict[int, str]:
    ids = {change.campaign_id for change in changes}
    for change in changes:
        ids |= {change.parameters[key] for key in ("yielding", "keeping") if change.parameters.get(key)}
        ids |= {pk for each in change.why.get("settles", ()) for pk in each["campaigns"] if pk}
    ids |= {pk for each in left for pk in each["campaigns"] if pk}
    return dict(Campaign.objects.filter(pk__in=ids).values_list("pk", "name"))


def _row(change: ScenarioChange, figures: Figures, names: dict[int, str]) -> Row:
    misfit = note = ""
    if change.state == ChangeState.OUTDATED:
        misfit = change.measured.get("text") or words.misfit(change.measured.get("misfit", ""))
    elif change.state == ChangeState.TRIED and change.pk in figures.misfits:
        misfit = words.misfit(figures.misfits[change.pk])
    elif change.state == ChangeState.TRIED and change.measured.get("misfit") == "not_yet":
        note = words.misfit("not_yet")
    told = words.stays if change.kind == ChangeKind.ACCEPT else words.settles
    settles = told(change.why, names, change.campaign_id) if change.why else []
    waits_for = asked.missing(change.resolution) if change.state == ChangeState.PROPOSED and change.resolution else []
    return Row(
        change, words.change(change, names), settles, words.costs(change.why) if change.why else [], misfit,
        figures.rows.get(change.pk), waits_for, note,
    )


def _left(each: dict[str, Any], names: dict[int, str]) -> tuple[str, list[str]]:
    """A finding that stays, and what keeps its campaigns from being changed."""
    title = words.title(each["rule"])
    others = ", ".join(names.get(pk, "?") for pk in each["campaigns"] if pk)
    return f"{title}: {others}", [words.staying(code) for code in each.get("because", ())]


def _basis(now: datetime) -> str:
    past = response.past(now=now)
    if past.contacts < response.LEAST_CONTACTS:
        return _("Expected orders: not enough past contacts to go by.")
    return _(
        "Expected orders: what each audience itself bought within %(days)d days of a contact on that channel, drawn towards the "
        "channel's average (on average %(prior)s per 100 contacts; prior of %(weight)d contacts). No control group is subtracted."
    ) % {"days": response.DAYS_AFTER, "prior": formats.number(100 * past.prior, 1), "weight": response.PRIOR_WEIGHT}
