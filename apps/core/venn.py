"""A proportional Venn diagram of two groups of people: every area is exactly in proportion to its number."""

from dataclasses import dataclass
from math import acos, pi, sqrt

from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from apps.core import formats
from apps.core.charts import Table, figure

WIDTH, HEIGHT = 340, 172
_DRAWN_WIDTH, _DRAWN_HEIGHT = 216, 150
_ROOM_FOR_WORDS = 66


@dataclass(frozen=True)
class Group:
    """One circle: its name, how many people it has in all, its department's colour, where its people are listed."""

    label: str
    total: int
    colour: int = 0
    url: str = ""


@dataclass(frozen=True)
class Circles:
    """Radii and distance of the two centres, in units where a circle's area is its number of people."""

    first: float
    second: float
    distance: float


def lens_area(first: float, second: float, distance: float) -> float:
    """The area shared by two circles (Weisstein, Circle-Circle Intersection, equation 14)."""
    if distance >= first + second:
        return 0.0
    if distance <= abs(first - second):
        return pi * min(first, second) ** 2
    a = (distance**2 + first**2 - second**2) / (2 * distance * first)
    b = (distance**2 + second**2 - first**2) / (2 * distance * second)
    kite = (-distance + first + second) * (distance + first - second)
    kite *= (distance - first + second) * (distance + first + second)
    angles = first**2 * acos(max(-1.0, min(1.0, a))) + second**2 * acos(max(-1.0, min(1.0, b)))
    return angles - 0.5 * sqrt(max(0.0, kite))


def circles(first: int, second: int, both: int) -> Circles:
    """Circles of exact areas whose shared area is `both`, found by bisection (the area falls as they part).

    Raises ValueError when more people are in both than in the smaller group, or a number is negative.
    """
    if both < 0 or both > min(first, second):
        raise ValueError(f"{both} people cannot be in both a group of {first} and a group of {second}")
    a, b = sqrt(first / pi), sqrt(second / pi)
    if both == 0:
        return Circles(a, b, (a + b) * 1.06)
    near, far = abs(a - b), a + b
    if both == min(first, second):
        return Circles(a, b, near)
    for _step in range(60):
        middle = (near + far) / 2
        near, far = (middle, far) if lens_area(a, b, middle) > both else (near, middle)
    return Circles(a, b, (near + far) / 2)


def venn(title: str, first: Group, second: Group, both: int, url: str = "") -> SafeString:
    """The drawing with its title and the table behind it. `url` lists the people in both."""
    drawn = circles(first.total, second.total, both)
    left, right = min(-drawn.first, drawn.distance - drawn.second), max(drawn.first, drawn.distance + drawn.second)
    tallest = max(drawn.first, drawn.second)
    scale = min(_DRAWN_WIDTH / ((right - left) or 1), _DRAWN_HEIGHT / ((2 * tallest) or 1))
    start = (WIDTH - (right - left) * scale) / 2 - left * scale
    one = (start, drawn.first * scale)
    two = (start + drawn.distance * scale, drawn.second * scale)
    svg = format_html(
        '<svg class="venn" viewBox="0 0 {} {}" role="group" aria-label="{}">{}{}{}{}{}</svg>',
        WIDTH, HEIGHT, _spoken(first, second, both), _circle(first, *one), _circle(second, *two),
        _own(first, both, one, two, -1), _own(second, both, two, one, 1), _shared(both, url, one, two),
    )  # fmt: skip
    return figure(title, svg, _table(first, second, both))


def _spoken(first: Group, second: Group, both: int) -> str:
    return _("%(both)s people are in both %(first)s (%(n)s) and %(second)s (%(m)s).") % {
        "both": formats.number(both), "first": first.label, "second": second.label,
        "n": formats.number(first.total), "m": formats.number(second.total),
    }  # fmt: skip


def _table(first: Group, second: Group, both: int) -> Table:
    rows: list[list[object]] = [
        [_("Only %(group)s") % {"group": first.label}, first.total - both],
        [_("In both"), both],
        [_("Only %(group)s") % {"group": second.label}, second.total - both],
    ]
    return Table([_("Group"), _("People")], rows)


def _circle(group: Group, x: float, radius: float) -> SafeString:
    return format_html(
        '<circle class="set d{}" cx="{}" cy="{}" r="{}"><title>{}: {}</title></circle>',
        group.colour, round(x, 2), HEIGHT / 2, round(radius, 2), group.label, formats.number(group.total),
    )  # fmt: skip


def _own(group: Group, both: int, own: tuple[float, float], other: tuple[float, float], side: int) -> SafeString:
    """Name and number of the people only here: inside their part when it is wide enough, else beside it."""
    outer = own[0] + side * own[1]
    inner = other[0] + side * other[1]
    edge = inner if abs(inner - own[0]) <= own[1] else own[0] - side * own[1]
    room = side * (outer - edge)
    if room >= _ROOM_FOR_WORDS:
        x, anchor = (outer + edge) / 2, "mid"
    else:
        x, anchor = outer + side * 8, "end" if side < 0 else ""
    return _words(
        x, HEIGHT / 2, group.label, formats.number(group.total - both), group.url, f"{anchor} d{group.colour}"
    )


def _shared(both: int, url: str, one: tuple[float, float], two: tuple[float, float]) -> SafeString:
    left, right = max(one[0] - one[1], two[0] - two[1]), min(one[0] + one[1], two[0] + two[1])
    if both == 0:
        return SafeString("")
    inside = right - left >= 58
    y = HEIGHT / 2 if inside else HEIGHT - 18
    return _words((left + right) / 2, y, formats.number(both), _("in both"), url, "mid shared")


def _words(x: float, y: float, upper: str, lower: str, url: str, css: str) -> SafeString:
    text = format_html(
        '<text class="{}" x="{}" y="{}"><tspan class="set-word">{}</tspan><tspan x="{}" dy="17">{}</tspan></text>',
        css, round(x, 1), round(y - 3, 1), upper, round(x, 1), lower,
    )  # fmt: skip
    return format_html('<a href="{}">{}</a>', url, text) if url else text
