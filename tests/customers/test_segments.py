"""Rule trees become people."""

from datetime import timedelta

import pytest
from pyroaring import BitMap

from apps.customers import merging, segments
from apps.customers.models import AttributeDefinition, Segment, SegmentLeaf
from apps.customers.segments import form, keeping
from apps.customers.segments.counting import counted
from tests.customers.importing import NOW
from tests.factories.accounts import UserFactory
from tests.factories.customers import CategoryFactory, InteractionFactory, ProductFactory, SegmentFactory, person

pytestmark = pytest.mark.django_db
NORWAY = {"is": "attribute", "field": "country", "op": "is", "value": "NO"}


def bought(customer, **how):
    return InteractionFactory(source_record=customer.source_records.get(), **{"at": NOW - timedelta(days=3), **how})


def ids(rule, now=NOW):
    return set(segments.evaluate(rule, now=now))


def test_all_any_and_not_are_set_operations():
    kari, jan = person(country="NO", language="nb"), person(country="PL", language="pl")
    ola = person(country="NO", language="en")
    english = {"is": "attribute", "field": "language", "op": "is", "value": "en"}
    assert ids({"all": [NORWAY, english]}) == {ola.pk}
    assert ids({"any": [english, {"not": NORWAY}]}) == {ola.pk, jan.pk}
    assert ids({"not": {"any": [english, {"not": NORWAY}]}}) == {kari.pk}


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"op": "ge", "value": "10"}, {"rich"}),
        ({"op": "lt", "value": "10"}, {"poor"}),
        ({"op": "set"}, {"rich", "poor"}),
        ({"op": "not_set"}, {"unknown"}),
    ],
)
def test_typed_attributes_compare_by_their_type(params, expected):
    AttributeDefinition.objects.create(key="points", label="Points", kind="number", created_at=NOW)
    people = {
        person(attributes={"points": 12.5}).pk: "rich", person(attributes={"points": 9}).pk: "poor", person().pk: "unknown",
    }  # fmt: skip
    assert {people[one] for one in ids({"is": "attribute", "field": "attribute:points", **params})} == expected


def test_recency_counts_whole_days_of_the_company():
    early, late = person(), person()
    # 23:30 UTC on the 16th is the 17th in Oslo.
    bought(early, at=NOW.replace(day=16, hour=22, minute=30))
    bought(late, at=NOW.replace(day=16, hour=23, minute=30))
    yesterday = {"is": "interaction", "kind": "purchase", "days_ago": "1"}
    assert ids(yesterday) == {late.pk}
    assert ids({"is": "interaction", "kind": "purchase", "days": "1"}) == {late.pk}
    assert ids({"is": "interaction", "kind": "purchase", "before_days": "1"}) == {early.pk}


def test_how_often_and_for_how_much():
    often, once, never = person(), person(), person()
    for _time in range(3):
        bought(often, value=100)
    bought(once, value=250)
    rule = {"is": "interaction", "kind": "purchase"}
    assert ids({**rule, "op": "ge", "count": "2"}) == {often.pk}
    assert ids({**rule, "op": "eq", "count": "1"}) == {once.pk}
    assert ids({**rule, "op": "le", "count": "1"}) == {once.pk, never.pk}
    assert ids({**rule, "op": "le", "count": 0}) == {never.pk}
    assert ids({**rule, "value_min": "260"}) == {often.pk}


def test_a_category_holds_its_whole_branch():
    clothes = CategoryFactory(code="clothes", name="Clothes")
    coats = CategoryFactory(code="coats", name="Coats", parent=clothes)
    kari = person()
    bought(kari, product=ProductFactory(sku="C1", category=coats))
    rule = {"is": "interaction", "kind": "purchase"}
    assert ids({**rule, "category": "clothes"}) == {kari.pk}
    assert ids({**rule, "product": "C1"}) == {kari.pk}
    assert ids({**rule, "channel": "web"}) == set()


def test_merged_and_gone_people_are_in_no_segment():
    kari, ola, gone = person(), person(), person(erased_at=NOW)
    merging.merge(survivor=kari.pk, absorbed=ola.pk, rule="by hand", actor=None, now=NOW)
    assert ids({"is": "everyone"}) == {kari.pk}
    assert gone.pk not in ids(NORWAY)


def test_a_fixed_list_follows_a_merge():
    kari, ola = person(), person()
    listed = keeping.make_list(name="VIP", people=BitMap([ola.pk]), actor=UserFactory(), now=NOW)
    merging.merge(survivor=kari.pk, absorbed=ola.pk, rule="by hand", actor=None, now=NOW)
    assert set(segments.people_of(listed, now=NOW)) == {kari.pk}


def test_segments_of_segments():
    kari, _jan = person(country="NO"), person(country="PL")
    inner = SegmentFactory(rule=NORWAY)
    assert ids({"is": "segment", "id": str(inner.pk)}) == {kari.pk}


def test_a_segment_that_refers_to_itself_is_told_in_words():
    segment = SegmentFactory(name="Ring")
    rule = {"all": [NORWAY, {"is": "segment", "id": str(segment.pk)}]}
    assert segments.problems(rule, segment.pk) == ["The segment refers to itself."]


def test_a_circle_through_others_is_told_in_words():
    first = SegmentFactory(name="First")
    second = SegmentFactory(name="Second", rule={"is": "segment", "id": str(first.pk)})
    found = segments.problems({"is": "segment", "id": str(second.pk)}, first.pk)
    assert found == ["The segment refers to itself through “Second”."]


def test_a_circle_already_stored_does_not_run_for_ever():
    first = SegmentFactory()
    second = SegmentFactory(rule={"is": "segment", "id": str(first.pk)})
    Segment.objects.filter(pk=first.pk).update(rule={"is": "segment", "id": str(second.pk)})
    with pytest.raises(segments.BrokenRule):
        segments.evaluate({"is": "segment", "id": str(first.pk)}, now=NOW)


@pytest.mark.parametrize(
    "rule",
    [
        {"is": "attribute", "field": "shoe", "op": "is", "value": "1"},
        {"is": "juggling"},
        {"all": []},
        {},
        [],
        {"all": [NORWAY], "any": [NORWAY]},
        {"is": "interaction", "kind": "purchase", "days": "soon"},
        {"is": "attribute", "field": "customer_since", "op": "before", "value": "tomorrow"},
        {"is": "segment", "id": "999999"},
    ],
)
def test_what_is_wrong_with_a_rule_is_told_in_words(rule):
    assert segments.problems(rule)


def test_hostile_values_stay_values():
    person(city="Oslo")
    for value in ("'; DROP TABLE x; --", "100%", "_slo", "\\"):
        assert ids({"is": "attribute", "field": "city", "op": "contains", "value": value}) == set()


def test_a_leaf_is_cached_until_the_data_change():
    kari = person(country="NO")
    assert ids(NORWAY) == {kari.pk}
    computed = SegmentLeaf.objects.count()
    ids(NORWAY)
    assert SegmentLeaf.objects.count() == computed
    ola = person(country="NO")
    assert ids(NORWAY) == {kari.pk, ola.pk}


def test_refresh_stores_people_and_remembers_who_was_in_before():
    kari = person(country="NO")
    segment = SegmentFactory(rule={"is": "interaction", "kind": "purchase", "days": "5"})
    bought(kari)
    segments.refresh(segment, now=NOW)
    later = NOW + timedelta(days=10)
    segments.refresh(segment, now=later)
    segment.refresh_from_db()
    assert (segment.count, set(segment.previous_people)) == (0, {kari.pk})
    [(words, people)] = segments.why_not(segment.rule, segment.previous_people, now=later)
    assert "purchase in the last 5 days" in words
    assert set(people) == {kari.pk}


def test_the_editor_gives_back_what_it_was_given():
    rule = {
        "all": [NORWAY, {"not": {"is": "address", "kind": "email"}}, {"not": {"any": [{"is": "everyone"}, NORWAY]}}]
    }
    assert form.to_rule(form.from_rule(rule)) == rule


def test_the_editor_adds_groups_and_removes():
    root = form.from_rule({"all": [NORWAY]})
    root = form.apply(form.apply(root, "group:"), "add:1")
    assert [len(root.children), len(root.children[1].children)] == [2, 2]
    root = form.apply(root, "remove:0")
    assert [child.path for child in root.children] == ["0"]


def test_every_node_of_the_editor_is_counted_although_one_is_broken():
    person(country="NO")
    root = counted(
        form.from_rule({"all": [NORWAY, {"is": "attribute", "field": "country", "op": "is", "value": ""}]}), None, NOW
    )
    assert root.count is None
    assert root.children[0].count == 1
    assert root.children[1].problems


def test_two_people_editing_one_segment_lose_nothing():
    user = UserFactory()
    segment = keeping.save(
        segment=Segment(), name="A", description="", rule=NORWAY, expected_version=0, actor=user, now=NOW
    )
    keeping.save(segment=segment, name="B", description="", rule=NORWAY, expected_version=1, actor=user, now=NOW)
    with pytest.raises(keeping.EditedMeanwhile):
        keeping.save(segment=segment, name="C", description="", rule=NORWAY, expected_version=1, actor=user, now=NOW)
    assert Segment.objects.get().name == "B"
