"""The Venn diagram's areas are true."""

from math import pi

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.campaigns.venn import draw, lens


@given(st.integers(1, 10**6), st.integers(1, 10**6), st.floats(0, 1))
def test_the_lens_stands_to_the_circles_as_the_people_in_both_stand_to_the_audiences(first, second, share):
    both = int(share * min(first, second))
    drawn = draw(first, second, both)
    assert drawn is not None
    if min(drawn.r1, drawn.r2) > 10:  # smaller circles are drawn larger than true, to be seen at all
        shown = lens(drawn.r1, drawn.r2, drawn.x2 - drawn.x1) / (pi * drawn.r1**2)
        assert shown == pytest.approx(both / first, abs=0.03 * max(1, second / first))


def test_an_empty_side_has_no_drawing_and_disjoint_circles_do_not_touch():
    assert draw(0, 5, 0) is None
    drawn = draw(100, 100, 0)
    assert drawn is not None
    assert drawn.x2 - drawn.x1 >= drawn.r1 + drawn.r2 - 0.2
