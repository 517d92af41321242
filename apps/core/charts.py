"""Charts as SVG, drawn on the server: no script, no style attribute, prints as it is seen.

Every chart has a title that states its point, tooltips by <title>, and the figures behind it in a table. Horizontal
places are per cent and heights are pixels, so that words keep their size on any screen.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import pairwise
from math import ceil, floor, log10

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from apps.core import formats

Number = int | float | Decimal
Format = Callable[[Number], str]

HEIGHT = 168
_TOP = 18
_FOOT = 20


@dataclass(frozen=True)
class Table:
    """The figures behind a chart. Numbers are written in the viewer's language, the first column heads its row."""

    head: Sequence[object]
    rows: Sequence[Sequence[object]]


@dataclass(frozen=True)
class Bar:
    """One bar: its words, its number, where it leads, a note shown beside it, a department's colour (0: accent)."""

    label: str
    value: Number
    url: str = ""
    note: str = ""
    colour: int = 0


@dataclass(frozen=True)
class Step:
    """One step of a waterfall: who is left after it, and who was lost at it, for which reasons."""

    label: str
    people: int
    lost: int = 0
    reasons: str = ""
    url: str = ""
    lost_url: str = ""


@dataclass(frozen=True)
class Series:
    """A named row of numbers, one per label. None is a gap. A department's colour, or 0: the next one of the chart."""

    name: str
    values: Sequence[Number | None] = field(default_factory=list)
    colour: int = 0

    def css(self, place: int) -> str:
        """The class that paints this row, being the `place`th of its chart."""
        return f"dep-series d{self.colour}" if self.colour else f"s{place % 8 + 1}"


def figure(title: str, drawing: SafeString, table: Table | None = None, key: Sequence[Series] = ()) -> SafeString:
    """A chart with its title, the key of its colours and its table."""
    return format_html(
        '<figure class="chart"><figcaption>{}</figcaption>{}{}{}</figure>',
        title, drawing, _key(key), _table(title, table) if table else "",
    )  # fmt: skip


def bars(title: str, rows: Sequence[Bar], show: Format = formats.number, measure: str = "") -> SafeString:
    """Horizontal bars, longest scale of the largest one."""
    largest = max((float(row.value) for row in rows), default=0) or 1
    lines = format_html_join("", "{}", ((_bar(row, largest, show),) for row in rows))
    table = Table([_("Name"), measure or _("Number")], [[row.label, show(row.value)] for row in rows])
    return figure(title, format_html('<div class="waterfall">{}</div>', lines), table)


def funnel(title: str, steps: Sequence[Bar]) -> SafeString:
    """Bars that each name their share of the one before and of the first."""
    first = float(steps[0].value) if steps else 0
    rows, before = [], None
    for step in steps:
        note = step.note
        if before is not None and not note:
            note = _("%(share)s of %(whole)s") % {
                "share": formats.percent(_share(step.value, before.value), 1), "whole": before.label.lower(),
            }  # fmt: skip
        rows.append(Bar(step.label, step.value, step.url, note, step.colour))
        before = step
    lines = format_html_join("", "{}", ((_bar(row, first or 1, formats.number),) for row in rows))
    table = Table(
        [_("Step"), _("People"), _("Share of the first")],
        [[step.label, step.value, formats.percent(_share(step.value, first), 1)] for step in steps],
    )
    return figure(title, format_html('<div class="waterfall">{}</div>', lines), table)


def waterfall(title: str, steps: Sequence[Step]) -> SafeString:
    """From an audience to those who will be contacted: what stays, and who is lost where, striped."""
    whole = max((step.people + step.lost for step in steps), default=0) or 1
    last = len(steps) - 1
    lines = format_html_join("", "{}", ((_step(step, whole, final=place == last),) for place, step in enumerate(steps)))
    table = Table(
        [_("Step"), _("Lost"), _("Why"), _("Left")],
        [[step.label, step.lost, step.reasons, step.people] for step in steps],
    )
    return figure(title, format_html('<div class="waterfall">{}</div>', lines), table)


def columns(
    title: str, labels: Sequence[str], values: Sequence[Number], limit: Number | None = None, planned_from: int | None = None,
    limit_label: str = "",
) -> SafeString:  # fmt: skip
    """Upright columns over time, with a limit as a dashed line; columns from `planned_from` on are still to come."""
    top = _ceiling(max([*map(float, values), float(limit or 0)], default=0))
    width = 100 / max(1, len(values))
    drawn = format_html_join("", '<rect class="{}" x="{}%" width="{}%" y="{}" height="{}" rx="2"><title>{}: {}</title></rect>', (
        ("fill-planned" if planned_from is not None and at >= planned_from else "fill", round((at + 0.1) * width, 2),
         round(width * 0.8, 2), round(_y(value, top), 1), round(max(1.5, _base() - _y(value, top)), 1), labels[at],
         formats.number(value, 1))
        for at, value in enumerate(values)
    ))  # fmt: skip
    svg = _plot(title, format_html("{}{}", drawn, _limit(limit, limit_label, top)), labels)
    return figure(title, svg, Table([_("When"), _("Number")], [[a, b] for a, b in zip(labels, values, strict=True)]))


def stacked(title: str, labels: Sequence[str], series: Sequence[Series]) -> SafeString:
    """Upright columns, each the sum of its series."""
    sums = [sum(float(row.values[at] or 0) for row in series) for at in range(len(labels))]
    top = _ceiling(max(sums, default=0))
    width = 100 / max(1, len(labels))
    parts = []
    for at, label in enumerate(labels):
        below = 0.0
        for place, row in enumerate(series):
            value = float(row.values[at] or 0)
            y, foot = _y(below + value, top), _y(below, top)
            parts.append((row.css(place), round((at + 0.12) * width, 2), round(width * 0.76, 2), round(y, 1),
                          round(foot - y, 1), row.name, label, formats.number(value, 1)))  # fmt: skip
            below += value
    shapes = '<rect class="{}" x="{}%" width="{}%" y="{}" height="{}"><title>{}, {}: {}</title></rect>'
    drawn = format_html("{}{}", _grid(top), format_html_join("", shapes, parts))
    return figure(title, _plot(title, drawn, labels), _by_label(labels, series), series)


def lines(title: str, labels: Sequence[str], series: Sequence[Series], show: Format = formats.number) -> SafeString:
    """Lines over time, one per series, with a dot to point at for every number."""
    top = _ceiling(max((float(v) for row in series for v in row.values if v is not None), default=0))
    step = 100 / max(1, len(labels) - 1)
    drawn = [_grid(top)]
    for place, row in enumerate(series):
        points = [(at * step, _y(v, top), labels[at], show(v)) for at, v in enumerate(row.values) if v is not None]
        css = row.css(place)
        drawn.append(format_html_join("", '<line class="line {}" x1="{}%" y1="{}" x2="{}%" y2="{}"/>', (
            (css, round(a[0], 2), round(a[1], 1), round(b[0], 2), round(b[1], 1)) for a, b in pairwise(points)
        )))  # fmt: skip
        drawn.append(format_html_join("", '<circle class="{}" cx="{}%" cy="{}" r="2.5"><title>{}, {}: {}</title></circle>', (
            (css, round(x, 2), round(y, 1), row.name, label, words) for x, y, label, words in points
        )))  # fmt: skip
    body = format_html_join("", "{}", ((part,) for part in drawn))
    return figure(title, _plot(title, body, labels, under_columns=False), _by_label(labels, series), series)


def spark(values: Sequence[Number], title: str) -> SafeString:
    """A strip of tiny columns for a table cell; `title` says what it shows."""
    top = max([float(v) for v in values], default=0) or 1
    width = 96 / max(1, len(values))
    drawn = format_html_join("", '<rect class="fill" x="{}" y="{}" width="{}" height="{}"/>', (
        (round(at * width, 2), round(23 - 22 * float(v) / top, 2), round(width * 0.78, 2), round(1 + 22 * float(v) / top, 2))
        for at, v in enumerate(values)
    ))  # fmt: skip
    return format_html('<svg class="spark" viewBox="0 0 96 24" role="img" aria-label="{}">{}</svg>', title, drawn)


def track(part: Number, whole: Number, lost: Number = 0, css: str = "fill") -> SafeString:
    """One horizontal bar: what stays, and striped what was lost at this step."""
    total = float(whole) or 1.0
    kept, gone = 100 * float(part) / total, 100 * float(lost) / total
    stripes = [round(kept + at, 1) for at in range(0, int(gone) + 1, 3)] if gone >= 3 else []
    return format_html(
        '<svg class="track" aria-hidden="true"><rect class="{}" width="{}%" height="100%" rx="3"/>'
        '<svg x="{}%" width="{}%" height="100%"><rect class="fill-loss" width="100%" height="100%"/>{}</svg></svg>',
        css, round(kept, 2), round(kept, 2), round(gone, 2),
        format_html_join("", '<line class="stripe" x1="{}" x2="{}" y1="26" y2="-2"/>',
                         ((at * 8 - 4, at * 8 + 10) for at in range(len(stripes) * 2))),
    )  # fmt: skip


def grouped(title: str, labels: Sequence[str], series: Sequence[Series]) -> SafeString:
    """Columns side by side under each label, one for each series."""
    top = _ceiling(max((float(n or 0) for row in series for n in row.values), default=0))
    width = 100 / max(1, len(labels))
    part = width * 0.8 / max(1, len(series))
    drawn = format_html_join("", '<rect class="{}" x="{}%" width="{}%" y="{}" height="{}"><title>{}, {}: {}</title></rect>', (
        (row.css(place), round((at + 0.1) * width + place * part, 2), round(part * 0.9, 2), round(_y(n, top), 1),
         round(_base() - _y(n, top), 1), row.name, labels[at], formats.number(n))
        for place, row in enumerate(series) for at, n in enumerate(row.values) if n
    ))  # fmt: skip
    table = _by_label(labels, series)
    plot = _plot(title, format_html("{}{}", _grid(top), drawn), labels)
    return figure(title, plot, Table([_("Contacts"), *table.head[1:]], table.rows), series)


@dataclass(frozen=True)
class Span:
    """One bar over time: from and to in per cent of the whole, signs on it (place, words), a department's colour, its days."""

    label: str
    start: float
    end: float
    colour: int
    days: str
    marks: Sequence[tuple[float, str]] = ()


def strip(title: str, labels: Sequence[str], rows: Sequence[Span]) -> SafeString:
    """Bars over time below each other, each with its name above it; ``labels`` stand evenly above them all."""
    heads = format_html_join("", '<text x="{}%" y="11">{}</text>', (
        (round(100 * at / max(1, len(labels)), 2), words) for at, words in enumerate(labels)
    ))  # fmt: skip
    drawn = []
    for at, row in enumerate(rows):
        y = 34 + 36 * at
        css, x = ("label end", row.end) if row.start > 50 else ("label", row.start)
        drawn.append(format_html(
            '<g class="d{}"><text class="{}" x="{}%" y="{}">{}</text><rect class="dep-fill" x="{}%" '
            'width="{}%" y="{}" height="12" rx="3"><title>{}: {}</title></rect>{}</g>',
            row.colour, css, x, y - 4, row.label, row.start, max(0.6, round(row.end - row.start, 2)), y, row.label, row.days,
            format_html_join("", '<circle class="mark" cx="{}%" cy="{}" r="4"><title>{}</title></circle>',
                             ((x, y + 6, words) for x, words in row.marks)),
        ))  # fmt: skip
    svg = format_html('<svg class="strip" height="{}" role="img" aria-label="{}">{}{}</svg>', 30 + 36 * len(rows), title, heads,
                      format_html_join("", "{}", ((part,) for part in drawn)))  # fmt: skip
    return figure(title, svg, Table([_("Campaign"), _("Days")], [[row.label, row.days] for row in rows]))


def upset(title: str, sets: Sequence[tuple[str, int]], groups: Sequence[tuple[frozenset[int], int]]) -> SafeString:
    """An UpSet plot: below, which of the sets (name, size) a column stands for; above, how many are in exactly those."""
    largest, left = max((n for _inside, n in groups), default=0) or 1, 48.0
    step, base = (100 - left) / max(1, len(groups)), 110
    drawn = [format_html(
        '<svg width="{}%" height="20" y="{}" overflow="hidden"><title>{}</title><text class="label" y="14">{}</text></svg>'
        '<text class="label end" x="{}%" y="{}">{}</text>',
        left - 17, base + 10 + 22 * row, name, name, left - 3, base + 24 + 22 * row, formats.number(n),
    ) for row, (name, n) in enumerate(sets)]  # fmt: skip
    for at, (inside, n) in enumerate(groups):
        x, high = round(left + (at + 0.5) * step, 2), max(2, round(84 * n / largest))
        drawn.append(format_html(
            '<rect class="fill" x="{}%" width="{}%" y="{}" height="{}" rx="2"><title>{}: {}</title></rect>'
            '<text class="mid strong" x="{}%" y="{}">{}</text>',
            round(x - step * 0.3, 2), round(step * 0.6, 2), base - high, high, _members(sets, inside), formats.number(n),
            x, base - high - 5, formats.number(n),
        ))  # fmt: skip
        if inside:
            ys = [base + 20 + 22 * row for row in (min(inside), max(inside))]
            drawn.append(format_html('<line class="dot-line" x1="{}%" x2="{}%" y1="{}" y2="{}"/>', x, x, *ys))
        drawn += [format_html('<circle class="{}" cx="{}%" cy="{}" r="5"/>', "fill" if row in inside else "fill-rest", x,
                              base + 20 + 22 * row) for row in range(len(sets))]  # fmt: skip
    svg = format_html('<svg class="upset" height="{}" role="img" aria-label="{}">{}</svg>', base + 14 + 22 * len(sets), title,
                      format_html_join("", "{}", ((part,) for part in drawn)))  # fmt: skip
    table = Table([_("In exactly these"), _("People")], [[_members(sets, inside), n] for inside, n in groups])
    return figure(title, svg, table)


def _members(sets: Sequence[tuple[str, int]], inside: frozenset[int]) -> str:
    return " + ".join(sets[row][0] for row in sorted(inside))


def _bar(row: Bar, largest: float, show: Format) -> SafeString:
    number = format_html('<a class="people" href="{}">{}</a>', row.url, show(row.value)) if row.url else show(row.value)
    drawn = track(row.value, largest, css="dep-fill") if row.colour else track(row.value, largest)
    return format_html(
        '<div class="step d{}"><span>{}</span>{}<span class="loss">{}</span><span class="n">{}</span></div>',
        row.colour, row.label, drawn, row.note, number,
    )  # fmt: skip


def _step(step: Step, whole: int, *, final: bool) -> SafeString:
    number: str | SafeString = formats.number(step.people)
    if step.url:
        number = format_html('<a class="people" href="{}">{}</a>', step.url, number)
    loss: str | SafeString = f"−{formats.number(step.lost)} {step.reasons}" if step.lost else step.reasons
    if step.lost and step.lost_url:
        loss = format_html('<a href="{}">−{}</a> {}', step.lost_url, formats.number(step.lost), step.reasons)
    return format_html(
        '<div class="step{}"><span>{}</span>{}<span class="loss">{}</span><span class="n">{}</span></div>',
        " final" if final else "", step.label,
        track(step.people, whole, step.lost, "fill-strong" if final else "fill"), loss, number,
    )  # fmt: skip


def _plot(title: str, drawn: SafeString, labels: Sequence[str], *, under_columns: bool = True) -> SafeString:
    return format_html(
        '<svg class="plot" height="{}" role="img" aria-label="{}">'
        '<line class="axis" x1="0" x2="100%" y1="{}" y2="{}"/>{}{}</svg>',
        HEIGHT, title, _base(), _base(), drawn, _labels(labels, under_columns=under_columns),
    )  # fmt: skip


def _labels(labels: Sequence[str], *, under_columns: bool) -> SafeString:
    """Words under the axis: each when there are few, else first, last and three even steps between."""
    last = len(labels) - 1
    few = range(last + 1) if last < 8 else sorted({round(last * part / 4) for part in range(5)})
    rows = []
    for at in few:
        x = (at + 0.5) / (last + 1) if under_columns else at / max(1, last)
        inner = under_columns and last < 12
        css = "mid" if inner or 0 < at < last else "end" if at else ""
        rows.append((css, round(100 * x, 2), HEIGHT - 5, labels[at]))
    return format_html_join("", '<text class="{}" x="{}%" y="{}">{}</text>', rows)


def _grid(top: float) -> SafeString:
    rows = [(_y(v, top), _y(v, top), _y(v, top) - 4, formats.number(v, 2)) for v in (top / 2, top)]
    return format_html_join(
        "", '<line class="axis" x1="0" x2="100%" y1="{}" y2="{}"/><text x="0" y="{}">{}</text>', rows
    )


def _limit(limit: Number | None, label: str, top: float) -> SafeString:
    if limit is None:
        return SafeString("")
    y = round(_y(limit, top), 1)
    words = label or _("limit %(number)s") % {"number": formats.number(limit)}
    return format_html(
        '<line class="limit" x1="0" x2="100%" y1="{}" y2="{}"/><text class="limit-word end" x="100%" y="{}">{}</text>',
        y, y, y - 5, words,
    )  # fmt: skip


def _key(series: Sequence[Series]) -> SafeString:
    if len(series) < 2:
        return SafeString("")
    rows = ((row.css(place), row.name) for place, row in enumerate(series))
    marks = (
        '<li><svg viewBox="0 0 11 11" aria-hidden="true"><rect class="{}" width="11" height="11" rx="2"/></svg>{}</li>'
    )
    return format_html('<ul class="key">{}</ul>', format_html_join("", marks, rows))


def _table(title: str, table: Table) -> SafeString:
    head = format_html_join(
        "", '<th scope="col" class="{}">{}</th>', (("n" if at else "", c) for at, c in enumerate(table.head))
    )
    body = format_html_join("", "<tr>{}</tr>", ((_row(row),) for row in table.rows))
    return format_html(
        '<details><summary>{}</summary><div class="table-wrap" tabindex="0" role="region" aria-label="{}">'
        '<table class="table"><thead><tr>{}</tr></thead><tbody>{}</tbody></table></div></details>',
        _("The figures"), title, head, body,
    )  # fmt: skip


def _row(row: Sequence[object]) -> SafeString:
    shown = [formats.number(c, 2) if isinstance(c, Number) or c is None else c for c in row]
    return format_html(
        '<th scope="row">{}</th>{}', shown[0], format_html_join("", '<td class="n">{}</td>', ((c,) for c in shown[1:]))
    )


def _by_label(labels: Sequence[str], series: Sequence[Series]) -> Table:
    rows = [[label, *(row.values[at] for row in series)] for at, label in enumerate(labels)]
    return Table([_("When"), *(row.name for row in series)], rows)


def _share(part: Number, whole: Number) -> float | None:
    return float(part) / float(whole) if whole else None


def _base() -> float:
    return HEIGHT - _FOOT


def _y(value: Number, top: float) -> float:
    return _base() - (float(value) / top) * (_base() - _TOP)


def _ceiling(largest: float) -> float:
    """A round number at or above the largest: 1, 2, 2.5 or 5 times a power of ten."""
    if largest <= 0:
        return 1.0
    power: float = 10.0 ** floor(log10(largest))
    return next(step * power for step in (1, 2, 2.5, 5, 10) if step * power >= largest or ceil(step) == 10)
