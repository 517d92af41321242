"""Contradictory offers: through the product tree, in both directions of time, against a naive oracle."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.campaigns.conflicts.rules.offers import OffersRule, contradict, same_goods

from ..plans import at, campaign, message, offer, plan

RULE = OffersRule()


def found(first, second, *, people=None, apart=1, swap=False, **kinds):
    moments = (at(20), at(20 + apart))
    one, two = reversed(moments) if swap else moments
    sides = campaign(1, message(10, sent=one, offer=first, **kinds)), campaign(2, message(20, sent=two, offer=second))
    return list(RULE.find(plan(*sides, people=people if people is not None else {10: range(100), 20: range(50, 150)})))


def test_the_same_product_at_two_prices_for_the_same_people_contradicts():
    findings = found(offer(1, "full_price", None, product=5, path="/1/2/"), offer(2, "percent", 30, product=5, path="/1/2/"))
    assert [(f.identity, f.count, f.severity) for f in findings] == [("offers:1-2", 50, 4)]


def test_an_offer_on_a_category_contradicts_one_on_a_product_deep_inside_it():
    coats, parka = offer(1, value=20, category=2, path="/1/2/"), offer(2, value=30, product=5, path="/1/2/7/")
    assert found(coats, parka)
    assert found(parka, coats)
    shoes = offer(3, value=30, product=6, path="/1/3/")
    assert not found(coats, shoes)


def test_a_path_is_compared_by_whole_nodes():
    assert not same_goods(offer(1, category=2, path="/1/2/"), offer(2, category=22, path="/1/22/"))


def test_two_products_of_one_category_are_different_goods():
    assert not found(offer(1, value=10, product=5, path="/1/2/"), offer(2, value=30, product=6, path="/1/2/"))


def test_an_offer_on_everything_contradicts_one_on_anything():
    assert found(offer(1, value=10, path=""), offer(2, value=30, product=6, path="/1/2/"))


@pytest.mark.parametrize(("days", "contradicts"), [(0, True), (7, True), (8, False)])
@pytest.mark.parametrize("swap", [False, True])
def test_distance_counts_in_both_directions(days, contradicts, swap):
    assert bool(found(offer(1, value=10), offer(2, value=30), apart=days, swap=swap)) is contradicts


@pytest.mark.parametrize(("first", "second", "expected"), [
    (offer(1, "percent", 20), offer(2, "percent", 20), False),
    (offer(1, "percent", 20), offer(2, "amount", 20, currency="NOK"), True),
    (offer(1, "price", 99, currency="NOK"), offer(2, "price", 89, currency="NOK"), True),
    (offer(1, "full_price", None), offer(2, "price", 89, currency="NOK"), True),
    (offer(1, "percent", 20), offer(2, "free_delivery", None), False),
    (offer(1, "points", 2), offer(2, "points", 3), True),
    (offer(1, "points", 2), offer(2, "percent", 3), False),
    (offer(1, "claim", None, claim="Warmest coat"), offer(2, "claim", None, claim=" warmest COAT "), False),
    (offer(1, "claim", None, claim="Warmest coat"), offer(2, "claim", None, claim="Lightest coat"), True),
    (offer(1, "free_delivery", None), offer(2, "free_delivery", None), False),
])
def test_what_contradicts_what(first, second, expected):
    assert contradict(first, second) is expected
    assert contradict(second, first) is expected


def test_prices_per_country_agree_when_no_country_hears_two():
    norway = {"NO": ("NOK", 99)}
    first = offer(1, "price", 99, currency="NOK", prices=norway)
    second = offer(2, "price", 10, currency="EUR", prices=norway | {"DE": ("EUR", 10)})
    assert not contradict(first, second)
    assert contradict(first, offer(3, "price", 10, currency="EUR", prices={"NO": ("NOK", 89)}))


def test_nobody_in_common_is_no_conflict_once_people_are_known_but_shown_before():
    offers = offer(1, value=10), offer(2, value=30)
    assert not found(*offers, people={10: range(10), 20: range(20, 30)})
    sides = campaign(1, message(10, offer=offers[0])), campaign(2, message(20, offer=offers[1]))
    early = list(RULE.find(plan(*sides)))
    assert [f.people for f in early] == [None]
    assert RULE.speaks_early


def test_a_public_price_contradicts_what_every_single_person_is_told():
    findings = found(
        offer(1, value=10), offer(2, value=30), people={20: range(70)}, kind="unaddressed", channel="unaddressed"
    )
    assert [f.count for f in findings] == [70]
    assert (findings[0].facts["first_audience"], findings[0].facts["first_public"]) == (None, True)


def test_few_shared_people_are_high_and_many_block():
    offers = offer(1, value=10), offer(2, value=30)
    assert [f.severity for f in found(*offers, people={10: range(100), 20: range(91, 191)})] == [3]
    assert [f.severity for f in found(*offers, people={10: range(100), 20: range(90, 190)})] == [4]


def test_new_terms_reopen_and_fewer_clashes_do_not():
    agreed = {"terms": [["1|a", "2|b"], ["1|a", "3|c"]], "people": 100, "severity": 4}
    assert not RULE.materially_worse(agreed, {"terms": [["1|a", "2|b"]], "people": 100, "severity": 4})
    assert RULE.materially_worse(agreed, {"terms": [["1|a", "2|changed"]], "people": 100, "severity": 4})


draws = st.tuples(
    st.integers(0, 14 * 24), st.sampled_from([None, 5, 6]), st.sampled_from(["/1/", "/1/2/", "/1/2/7/", "/1/3/"]),
    st.sampled_from([10, 20]), st.sets(st.integers(0, 9), max_size=8),
)
PLACES = {5: "/1/2/7/", 6: "/1/3/"}


def ancestors(path):
    parts = path.strip("/").split("/")
    return {"/".join(parts[:length]) for length in range(1, len(parts) + 1)}


@given(st.lists(draws, min_size=2, max_size=5))
def test_it_finds_exactly_what_a_naive_reading_finds(drawn):
    """Oracle: nodes of the tree as sets of ancestors, every pair of people's messages one by one."""
    campaigns, people = [], {}
    for pk, (hour, product, path, value, who) in enumerate(drawn, start=1):
        goods = offer(pk, value=value, product=product, path=PLACES.get(product, path))
        campaigns.append(campaign(pk, message(pk * 10, sent=at(12) + timedelta(hours=hour), offer=goods)))
        people[pk * 10] = who
    expected = {}
    for one, first in enumerate(drawn, start=1):
        for two, second in enumerate(drawn, start=1):
            if one < two and abs(first[0] - second[0]) <= 7 * 24 and first[3] != second[3]:
                places = [PLACES.get(side[1], side[2]) for side in (first, second)]
                nodes = [ancestors(place) for place in places]
                if first[1] and second[1]:
                    touching = first[1] == second[1]
                elif first[1]:
                    touching = nodes[1] <= nodes[0]
                elif second[1]:
                    touching = nodes[0] <= nodes[1]
                else:
                    touching = nodes[0] <= nodes[1] or nodes[1] <= nodes[0]
                if touching and first[4] & second[4]:
                    expected[one, two] = first[4] & second[4]
    findings = RULE.find(plan(*campaigns, people=people))
    assert {f.campaigns: set(f.people) for f in findings} == expected
