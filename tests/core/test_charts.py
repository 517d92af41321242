import random
import re
from decimal import Decimal

import pytest

from apps.core import charts
from apps.core.venn import Group, circles, lens_area, venn


def counted_lens(first, second, distance, points=200_000):
    """The shared area by throwing points at the smaller circle's square: independent of any formula."""
    chance = random.Random(7)
    small, large, far = (first, second, distance) if first <= second else (second, first, distance)
    hits = 0
    for _throw in range(points):
        x, y = chance.uniform(-small, small), chance.uniform(-small, small)
        hits += x * x + y * y <= small * small and (x - far) ** 2 + y * y <= large * large
    return hits / points * (2 * small) ** 2


@pytest.mark.parametrize(
    ("first", "second", "both"),
    [(212_900, 240_150, 98_204), (1_000, 1_000, 10), (50_000, 900, 450), (7, 7, 6), (21_700, 240_150, 12_480)],
)
def test_the_shared_area_of_a_venn_is_the_number_of_shared_people(first, second, both):
    drawn = circles(first, second, both)
    assert lens_area(drawn.first, drawn.second, drawn.distance) == pytest.approx(both, rel=1e-6)
    counted = counted_lens(drawn.first, drawn.second, drawn.distance)
    assert counted == pytest.approx(both, rel=0.05, abs=min(first, second) * 0.01)


def test_the_area_of_a_circle_is_its_number_of_people():
    drawn = circles(400, 100, 50)
    assert (drawn.first / drawn.second) ** 2 == pytest.approx(4)


def test_groups_that_share_nobody_stand_apart_and_one_inside_the_other_stays_inside():
    apart, inside = circles(100, 50, 0), circles(100, 50, 50)
    assert apart.distance > apart.first + apart.second
    assert inside.distance + inside.second == pytest.approx(inside.first)


def test_a_department_keeps_its_own_colour_in_a_chart_and_in_its_key():
    series = [charts.Series("Loyalty", [1], 3), charts.Series("Others", [2])]
    for chart in (charts.stacked("t", ["x"], series), charts.lines("t", ["x"], series)):
        assert chart.count('class="dep-series d3"') == 2
        assert chart.count('class="s2"') == 2


@pytest.mark.parametrize("impossible", [(10, 5, 6), (10, 5, -1)])
def test_more_shared_people_than_a_group_has_is_refused(impossible):
    with pytest.raises(ValueError, match="people cannot be in both"):
        circles(*impossible)


@pytest.mark.parametrize(("first", "second", "both"), [(0, 0, 0), (5, 0, 0), (9, 9, 9), (10**7, 3, 1), (50, 40, 1)])
def test_a_venn_is_drawn_for_any_numbers_and_speaks_them(first, second, both):
    html = venn("Who is in both", Group("Retail", first, 1), Group("Online", second, 2), both, "/who/")
    assert "nan" not in html
    assert f"{first - both:,}" in html
    assert "<title>Retail" in html


def every_chart(word="Oslo"):
    labels, series = [word, "b", "c"], [charts.Series(word, [1, 2, None]), charts.Series("y", [Decimal("2.5"), 0, 3])]
    return [
        charts.bars("t", [charts.Bar(word, 10, "/x/"), charts.Bar("b", 0, note=word, colour=2)]),
        charts.funnel("t", [charts.Bar(word, 100), charts.Bar("b", 40), charts.Bar("c", 0)]),
        charts.waterfall("t", [charts.Step(word, 100), charts.Step("b", 60, 40, word, "/x/", "/y/")]),
        charts.columns("t", labels, [1, 2, 3], limit=3, planned_from=2),
        charts.stacked("t", labels, series),
        charts.lines("t", labels, series),
        venn("t", Group(word, 5), Group("b", 4), 2),
    ]


@pytest.mark.parametrize("chart", every_chart())
def test_every_chart_has_a_title_and_its_figures_in_a_table_and_no_style(chart):
    assert "<figcaption>t</figcaption>" in chart
    assert "<table" in chart
    assert "Oslo" in chart
    assert not re.search(r'style=|fill="|on\w+="', chart)


@pytest.mark.parametrize("chart", every_chart("<script>&"))
def test_no_chart_lets_markup_through(chart):
    assert "<script>" not in chart


def test_charts_of_nothing_are_drawn_too():
    for chart in (charts.bars("t", []), charts.columns("t", [], []), charts.lines("t", [], []), charts.funnel("t", [])):
        assert "<figure" in chart
    assert "<svg" in charts.spark([], "nothing yet")


@pytest.mark.parametrize(("largest", "top"), [(0, 1), (0.3, 0.5), (3, 5), (10, 10), (11, 20), (98_204, 100_000)])
def test_the_scale_ends_at_a_round_number(largest, top):
    assert charts._ceiling(largest) == pytest.approx(top)


def test_a_funnel_names_its_denominators():
    html = charts.funnel("t", [charts.Bar("Sent", 200), charts.Bar("Opened", 50)])
    assert "25\N{NO-BREAK SPACE}% of sent" in html
