"""Rights to a brand, a product, a category or a surface: whose, when, through the product tree; against a naive oracle."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from apps.campaigns.conflicts.circumstances import Circumstances, PlannedExclusivity
from apps.campaigns.conflicts.rules.exclusivity import ExclusivityRule

from ..plans import OSLO, at, campaign, message, offer, plan

RULE = ExclusivityRule()


def right(pk=1, first=19, last=21, **values):
    fields = {"department_id": 9} | values
    return PlannedExclusivity(id=pk, name="Nordlys weeks", starts_on=at(first).date(), ends_on=at(last).date(), **fields)


def found(*rights, sides, people=None):
    everybody = people if people is not None else {item.id: range(10) for side in sides for item in side.messages}
    return list(RULE.find(plan(*sides, people=everybody, circumstances=Circumstances(exclusivities=rights))))


PARKA = offer(1, product=5, path="/1/2/", brand="Nordlys")


def test_another_department_that_advertises_the_brand_is_found_with_its_people_and_the_owner_takes_part():
    side = campaign(1, message(10, offer=PARKA))
    findings = found(right(brand=" nordlys "), sides=[side])
    assert [(f.identity, f.count, f.severity, f.facts["departments"]) for f in findings] == [("exclusivity:1-1", 10, 2, [9])]
    assert findings[0].facts["days"] == ["2026-11-20"]
    assert RULE.speaks_early


def test_the_owner_uses_its_own_right_be_it_a_department_or_a_campaign():
    assert not found(right(brand="Nordlys"), sides=[campaign(1, message(10, offer=PARKA), department=9)])
    owner, other = campaign(3, message(30, offer=PARKA)), campaign(4, message(40, offer=PARKA))
    own = right(brand="Nordlys", department_id=None, campaign_id=3)
    assert [f.subjects for f in found(own, sides=[owner, other])] == [(1, 4)]
    assert not found(own, sides=[other]), "the right of a campaign that is planned no more has gone with it"


def test_through_the_product_tree_in_both_directions():
    below = right(path="/1/")
    assert found(below, sides=[campaign(1, message(10, offer=PARKA))])
    assert not found(right(path="/1/22/"), sides=[campaign(1, message(10, offer=offer(1, category=2, path="/1/2/")))])
    product = right(product_id=5, product_path="/1/2/")
    assert found(product, sides=[campaign(1, message(10, offer=offer(2, category=1, path="/1/")))])
    assert not found(product, sides=[campaign(1, message(10, offer=offer(2, product=6, path="/1/2/")))])


def test_the_campaigns_product_counts_where_the_message_has_no_offer():
    side = campaign(1, message(10), product_id=5, brand="Nordlys", path="/1/2/")
    assert found(right(brand="Nordlys"), sides=[side])
    assert not found(right(brand="Nordlys"), sides=[campaign(1, message(10))])


def test_a_surface_is_one_account_and_all_that_is_filled_in_must_fit():
    window = message(10, account_id=7, channel="store")
    assert found(right(account_id=7), sides=[campaign(1, window)])
    assert not found(right(account_id=8), sides=[campaign(1, window)])
    assert not found(right(account_id=7, brand="Nordlys"), sides=[campaign(1, window)])


def test_only_in_its_days_and_a_stretch_that_reaches_into_them_counts():
    assert not found(right(path="/1/"), sides=[campaign(1, message(10, offer=PARKA, sent=at(22)))])
    lasting = message(10, offer=PARKA, sent=at(12), until=at(19, 1), channel="store")
    assert [f.facts["days"] for f in found(right(path="/1/"), sides=[campaign(1, lasting)])] == [["2026-11-19"]]


def test_service_and_what_is_past_do_not_count_and_public_messages_do():
    service = message(10, offer=PARKA, purpose_class="service")
    assert not found(right(path="/1/"), sides=[campaign(1, service)])
    assert not found(right(first=9, last=10, path="/1/"), sides=[campaign(1, message(10, offer=PARKA, sent=at(10)))])
    public = message(10, offer=PARKA, kind="unaddressed", channel="unaddressed")
    assert [f.count for f in found(right(path="/1/"), sides=[campaign(1, public)], people={})] == [0]


def test_other_days_reopen_and_fewer_do_not():
    agreed = {"days": ["2026-11-20"], "messages": [1, 2], "people": 10}
    assert not RULE.materially_worse(agreed, {"days": ["2026-11-20"], "messages": [1], "people": 12})
    assert RULE.materially_worse(agreed, {"days": ["2026-11-21"], "messages": [1], "people": 10})
    assert RULE.materially_worse(agreed, {"days": ["2026-11-20"], "messages": [3], "people": 10})


TREE = {1: "/1/", 2: "/1/2/", 3: "/1/2/3/", 4: "/4/"}


@given(
    st.lists(st.tuples(st.sampled_from([0, *TREE]), st.integers(0, 3), st.integers(0, 12 * 24)), min_size=1, max_size=5),
    st.sampled_from([0, *TREE]), st.integers(0, 3), st.integers(12, 20), st.integers(0, 4),
)
def test_it_finds_exactly_what_a_naive_reading_finds(drawn, category, product, first, length):
    """Oracle: every message against the right, by ancestors spelt out. Product n lies in category n."""
    if not category and not product:
        category = 1
    rights = right(
        first=first, last=first + length, path=TREE.get(category, ""), product_id=product or None, product_path=TREE.get(product, ""),
    )
    sides, expected = [], set()
    for pk, (own_category, own_product, hour) in enumerate(drawn, start=1):
        moment = at(12) + timedelta(hours=hour)
        path = TREE.get(own_product or own_category, "")
        sides.append(campaign(pk, message(pk, sent=moment, offer=offer(pk, product=own_product or None, category=own_category or None, path=path))))
        about = {TREE[n] for n in TREE if path.startswith(TREE[n]) or (not own_product and path and TREE[n].startswith(path))}
        fits_category = not category or TREE[category] in about
        fits_product = not product or own_product == product or (not own_product and path and TREE[product].startswith(path))
        if path and fits_category and fits_product and rights.starts_on <= moment.astimezone(OSLO).date() <= rights.ends_on:
            expected.add(pk)
    assert {f.campaigns[0] for f in found(rights, sides=sides)} == expected
