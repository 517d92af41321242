from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.core.money import MixedCurrencies, Money, rounded, split


def test_shares_go_by_the_largest_remainder():
    assert split(Decimal("100.00"), [1, 1, 1]) == [Decimal("33.34"), Decimal("33.33"), Decimal("33.33")]
    assert split(Decimal("0.05"), [70, 20, 10]) == [Decimal("0.04"), Decimal("0.01"), Decimal("0.00")]


@given(
    st.integers(-(10**9), 10**9),
    st.lists(st.floats(0, 1e6, allow_nan=False), min_size=1, max_size=12),
    st.sampled_from(["NOK", "JPY", "KWD"]),
)
def test_shares_always_sum_to_the_total(units, weights, currency):
    total = rounded(Decimal(units), currency)
    assert sum(split(total, weights, currency)) == total


def test_a_currency_without_minor_units_is_split_in_whole_ones():
    assert split(Decimal(100), [1, 1, 1], "JPY") == [Decimal(34), Decimal(33), Decimal(33)]


def test_weights_that_are_all_zero_share_equally():
    assert split(Decimal("1.00"), [0, 0]) == [Decimal("0.50"), Decimal("0.50")]


@pytest.mark.parametrize("weights", [[], [1, -1]])
def test_impossible_weights_are_refused(weights):
    with pytest.raises(ValueError, match="weights"):
        split(Decimal(1), weights)


def test_currencies_are_never_mixed():
    with pytest.raises(MixedCurrencies):
        Money(Decimal(1), "NOK") + Money(Decimal(1), "PLN")
    assert str(Money(Decimal("1.005"), "NOK") - Money(Decimal(1), "NOK")) == "0.00 NOK"
