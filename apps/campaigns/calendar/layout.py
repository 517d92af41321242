"""Where everything stands on the timeline: lanes, bars packed into rows, marks, links between bars.

Across in per cent of the width (classes of the stylesheet: a strict Content-Security-Policy allows no style attribute), down in
pixels of rows of a fixed height, so that the drawing of the links needs no script.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from apps.accounts.models import Department

from ..models import Campaign, Conflict
from .earlier import Before, Change
from .figures import Figures
from .period import Period
from .reading import Occurrence, Reading

TOP, STEP, BAR, GUTTER, LEAST = 8, 40, 34, 18, 90
MOST_LINKS = 12
# the room that a mark needs, in per cent of the usual width of the timeline, and how near it comes to an edge of its bar
MARK, LEFTMOST, RIGHTMOST = 1.9, 3.0, 97.0


@dataclass(frozen=True)
class Mark:
    """A message's sign on its bar, in per cent of the bar, at its hour or next to it. ``more`` have no room of their own."""

    x: float
    occurrence: Occurrence
    more: tuple[Occurrence, ...] = ()


@dataclass(frozen=True)
class Bar:
    """One campaign on the timeline; ``x`` and ``width`` in per cent, ``row`` within its lane."""

    campaign: Campaign
    x: float
    width: float
    row: int
    people: int | None
    marks: tuple[Mark, ...]
    conflicts: int = 0

    @property
    def end(self) -> float:
        """Its right edge in per cent."""
        return self.x + self.width


@dataclass(frozen=True)
class Ghost:
    """Where a campaign stood before: an outline below the bars of its lane."""

    change: Change
    x: float
    width: float
    row: int


@dataclass
class Lane:
    """A department's campaigns. ``top`` and ``height`` in pixels."""

    department: Department
    bars: list[Bar] = field(default_factory=list)
    ghosts: list[Ghost] = field(default_factory=list)
    rows: int = 1
    top: int = 0

    @property
    def height(self) -> int:
        """Room for its rows and for the links below them."""
        return max(LEAST, TOP + STEP * self.rows + GUTTER - 6)

    def bar_top(self, bar: Bar) -> int:
        """The upper edge of one of its bars, from the top of all lanes."""
        return self.top + TOP + STEP * bar.row


@dataclass(frozen=True)
class Link:
    """A conflict between two bars (or at one): a line with a plate that names the people in it."""

    conflict: Conflict
    x: float
    y: int
    half: int
    lines: tuple[tuple[float, float, float, float], ...]
    is_draft: bool

    @property
    def shape_x(self) -> int:
        """Where the sign of its severity stands on the plate, in pixels from its middle."""
        return 9 - self.half


@dataclass(frozen=True)
class Timeline:
    """The whole drawing. ``rest`` counts pairs of campaigns whose conflict is not drawn."""

    lanes: list[Lane]
    links: list[Link]
    height: int
    rest: int = 0


def lay_out(reading: Reading, figures: Figures, *, all_links: bool = False, changes: Sequence[Change] = ()) -> Timeline:
    """Places everything that was read; of the links the weightiest dozen, unless all are asked for. What ``changes`` says
    stood elsewhere is outlined below the bars.
    """
    lanes, top = [], 0
    for department in reading.departments:
        lane = Lane(department, top=top)
        _fill(lane, [row for row in reading.campaigns if row.department_id == department.pk], reading, figures)
        _haunt(lane, [each for each in changes if each.campaign.department_id == department.pk], reading.period)
        lanes.append(lane)
        top += lane.height + 1
    pairs = by_pair(reading.conflicts)
    drawn = pairs if all_links else pairs[:MOST_LINKS]
    return Timeline(lanes, _links(lanes, drawn, reading.period), top, len(pairs) - len(drawn))


def _fill(lane: Lane, campaigns: Iterable[Campaign], reading: Reading, figures: Figures) -> None:
    """First fit: each campaign goes into the uppermost row that is free on its days."""
    ends: list[float] = []
    for campaign in campaigns:
        x, end = _stretch(campaign, reading.period)
        row = next((place for place, taken in enumerate(ends) if taken + 0.4 <= x), len(ends))
        if row == len(ends):
            ends.append(end)
        else:
            ends[row] = end
        lane.bars.append(_bar(campaign, x, end, row, reading, figures))
    lane.rows = max(1, len(ends))


def _haunt(lane: Lane, changes: Iterable[Change], period: Period) -> None:
    """Rows of their own, so that no outline covers a bar."""
    ends: list[float] = []
    for change in changes:
        if change.before is None or not change.before.is_there:
            continue
        x, end = _stretch(change.before, period)
        if end <= 0 or x >= 100:
            continue
        row = next((place for place, taken in enumerate(ends) if taken + 0.4 <= x), len(ends))
        ends[row : row + 1] = [end]
        lane.ghosts.append(Ghost(change, round(x, 1), round(end - x, 1), lane.rows + row))
    lane.rows += len(ends)


def _stretch(campaign: Campaign | Before, period: Period) -> tuple[float, float]:
    start = max(0.0, period.x_of_day(campaign.starts_on))
    return start, min(100.0, period.x_of_day(campaign.ends_on + timedelta(days=1)))


def _bar(campaign: Campaign, x: float, end: float, row: int, reading: Reading, figures: Figures) -> Bar:
    occurrences = reading.occurrences.get(campaign.pk, [])
    people = figures.reach.get(campaign.pk)
    if people is None:
        people = max((item.message.plan_count or 0 for item in occurrences), default=0) or None
    inside = [(at, item) for item in occurrences if x <= (at := reading.period.x_of(item.at)) <= end]
    marks = _marks([(100 * (at - x) / (end - x), item) for at, item in sorted(inside, key=lambda each: each[0])], end - x)
    return Bar(campaign, round(x, 1), round(end - x, 1), row, people, marks, len(reading.conflicts_of(campaign.pk)))


def _marks(wanted: list[tuple[float, Occurrence]], width: float) -> tuple[Mark, ...]:
    """Signs in order of time that do not cover each other: moved aside, and counted where a short bar has no more room."""
    step = 100 * MARK / width
    room = max(1, int((RIGHTMOST - LEFTMOST) / step) + 1)
    shown = wanted if len(wanted) <= room else wanted[:room]
    places: list[float] = []
    for at, _item in shown:
        places.append(max(at, LEFTMOST, places[-1] + step if places else LEFTMOST))
    for place in reversed(range(len(places))):
        places[place] = min(places[place], RIGHTMOST if place == len(places) - 1 else places[place + 1] - step)
    more = tuple(item for _at, item in wanted[len(shown):])
    last = len(shown) - 1
    return tuple(
        Mark(places[place], item, more if place == last else ()) for place, (_at, item) in enumerate(shown)
    )


def _links(lanes: list[Lane], conflicts: Iterable[Conflict], period: Period) -> list[Link]:
    places = {bar.campaign.pk: (lane, bar) for lane in lanes for bar in lane.bars}
    links: list[Link] = []
    for conflict in conflicts:
        one, two = places.get(conflict.first_campaign_id), places.get(conflict.second_campaign_id or 0)
        if one and two:
            links.append(_between(conflict, one, two, period, links))
        elif one and conflict.second_campaign_id is None:
            links.append(_single(conflict, one, period, links))
    return links


def by_pair(conflicts: Iterable[Conflict]) -> list[Conflict]:
    """One conflict for each pair of campaigns, the weightiest, so that a pair is one decision; what weighs most first."""
    pairs: dict[tuple[int, int | None], Conflict] = {}
    for conflict in sorted(conflicts, key=lambda row: (-row.severity, -(row.people_count or 0))):
        pairs.setdefault((conflict.first_campaign_id, conflict.second_campaign_id), conflict)
    return list(pairs.values())


Place = tuple[Lane, Bar]


def _between(conflict: Conflict, one: Place, two: Place, period: Period, others: list[Link]) -> Link:
    (lane, upper), (below, lower) = sorted((one, two), key=lambda place: place[0].bar_top(place[1]))
    top, bottom = lane.bar_top(upper), below.bar_top(lower)
    left, right = max(upper.x, lower.x), min(upper.end, lower.end)
    half = _half_width(conflict)
    if bottom == top:
        y = top + BAR + 8
        x, y = _free((upper.end + lower.x) / 2, y, 0.0, half, others)
        ends = ((_inside(upper, x), top + BAR), (_inside(lower, x), top + BAR))
    else:
        y = min(lane.top + lane.height - 2, bottom - 4) if lane is not below else bottom - 3
        wanted = _wish(conflict.first_at, period, left, right)
        x, y = _free(wanted, y, max(0.0, right - left), half, others)
        ends = ((_inside(upper, x), top + BAR - 6), (_inside(lower, x), bottom + 2))
    (x1, y1), (x2, y2) = ends
    lines = ((x1, y1, x1, y), (x1, y, x, y), (x, y, x2, y), (x2, y, x2, y2))
    return Link(conflict, round(x, 2), y, half, _real(lines), _has_draft(upper, lower))


def _real(lines: Iterable[tuple[float, float, float, float]]) -> tuple[tuple[float, float, float, float], ...]:
    """Without the pieces of no length, rounded for the drawing."""
    rounded = (tuple(round(value, 2) for value in line) for line in lines)
    return tuple((a, b, c, d) for a, b, c, d in rounded if (a, b) != (c, d))


def _single(conflict: Conflict, place: Place, period: Period, others: list[Link]) -> Link:
    lane, bar = place
    bottom = lane.bar_top(bar) + BAR
    half = _half_width(conflict)
    x, y = _free(_wish(conflict.first_at, period, bar.x, bar.end), bottom + 8, bar.width, half, others)
    return Link(conflict, round(x, 2), y, half, _real(((x, bottom - 6, x, y),)), _has_draft(bar))


def _half_width(conflict: Conflict) -> int:
    """Half of the plate's width in pixels: the shape, and some eight for each digit."""
    return 20 + 4 * len(f"{conflict.people_count or 0:,}")


def _has_draft(*bars: Bar) -> bool:
    return any(bar.campaign.status == "draft" for bar in bars)


def _inside(bar: Bar, x: float) -> float:
    return min(max(x, bar.x + 0.6), bar.end - 0.6)


def _wish(moment: datetime | None, period: Period, left: float, right: float) -> float:
    """Where the first contact is, when both bars are there; else the middle of what they share or of their gap."""
    if right <= left:
        return (left + right) / 2
    wanted = period.x_of(moment) if moment else (left + right) / 2
    return min(max(wanted, left + 0.25 * (right - left)), right - 0.25 * (right - left))


def _free(x: float, y: int, room: float, half: int, others: list[Link]) -> tuple[float, int]:
    """The nearest place where the plate covers no other: sideways (the line bends then), else further down."""
    tenth = half / 10  # a pixel is about a tenth of a per cent at the usual width
    step = max(2.0, room / 5)
    for drop in (0, 25, 50, 75, -25, 100, 125, -50, 150, 175, -75):
        for aside in (0.0, step, -step, 2 * step, -2 * step, 9.0, -9.0):
            there = min(max(x + aside, tenth + 0.2), 100 - tenth - 0.2)
            if all(abs(there - o.x) > (half + o.half) / 10 or abs(y + drop - o.y) > 24 for o in others):
                return there, y + drop
    return x, y
