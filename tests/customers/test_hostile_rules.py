"""Rules of audiences that are wrong, endless or lead to themselves: words, never a crash, and no circle gets in."""

import threading

import pytest
from django.db import connection

from apps.customers import segments
from apps.customers.models import AttributeDefinition, Segment
from apps.customers.segments import keeping
from tests.customers.importing import NOW
from tests.factories.accounts import UserFactory
from tests.factories.customers import SegmentFactory, person

BAD = ["", " ", "\r\n", "-1", "9" * 5000, "1e999999", "NaN", "²", "٣", "9999-12-31", "0001-01-01", 10**30, -1, 1.5, True, None, [],
       [[]], {}, {"a": 1}, "<script>", "%s", "' OR 1=1 --", "x" * 20_000]  # fmt: skip
RULES = [
    {"is": "attribute", "field": "country", "op": "is", "value": "NO"},
    {"is": "attribute", "field": "attribute:visits", "op": "ge", "value": "3"},
    {"is": "attribute", "field": "attribute:born", "op": "days_less", "value": "3"},
    {"is": "attribute", "field": "attribute:born", "op": "ge", "value": "2020-01-01"},
    {"is": "interaction", "kind": "purchase", "op": "ge", "count": "1", "when": "days", "days": "3", "days_ago": "3",
     "before_days": "2", "value_min": "3", "category": "", "product": "", "channel": ""},
    {"is": "segment", "id": "1"}, {"is": "address", "kind": "email"}, {"is": "source", "source": "x"},
    {"is": "consent", "channel": "email", "purpose": "offers", "state": "granted"}, {"is": "everyone", "more": "x"},
]  # fmt: skip


@pytest.mark.django_db
@pytest.mark.parametrize("rule", RULES, ids=lambda rule: f"{rule['is']} {rule.get('op', '')}")
def test_every_part_of_a_condition_takes_bad_values_in_words(rule):
    AttributeDefinition.objects.get_or_create(key="visits", defaults={"label": "Visits", "kind": "number", "created_at": NOW})
    AttributeDefinition.objects.get_or_create(key="born", defaults={"label": "Born", "kind": "date", "created_at": NOW})
    for name in rule:
        for bad in BAD:
            spoilt = rule | {name: bad}
            found = segments.problems(spoilt)
            assert all(isinstance(words, str) for words in found)
            if not found:
                segments.count(spoilt, now=NOW)
                segments.describe(spoilt)


@pytest.mark.django_db
@pytest.mark.parametrize("rule", [None, [], "x", 3, {}, {"all": None}, {"all": {}}, {"any": [None]}, {"not": []}, {"not": None},
                                  {"all": [], "any": []}, {"is": []}, {"is": {}}, {"all": [{"is": None}]}])  # fmt: skip
def test_what_is_no_rule_is_told_in_words(rule):
    assert segments.problems(rule)


@pytest.mark.django_db
def test_audiences_that_name_each_other_many_times_are_counted_once_each():
    person()
    last = SegmentFactory(rule={"is": "everyone"})
    for _step in range(40):
        inner = {"is": "segment", "id": str(last.pk)}
        last = SegmentFactory(rule={"any": [inner, inner, {"not": {"not": inner}}]})
    assert len(segments.people_of(last, now=NOW)) == 1


@pytest.mark.django_db(transaction=True)
def test_two_tabs_that_close_a_circle_at_the_same_moment_leave_none():
    one, two, actor = SegmentFactory(), SegmentFactory(), UserFactory()
    start, refused = threading.Barrier(2), []

    def tab(mine, other):
        start.wait()
        try:
            keeping.save(
                segment=mine, name="n", description="", rule={"is": "segment", "id": str(other.pk)}, expected_version=1,
                actor=actor, now=NOW,
            )  # fmt: skip
        except segments.BrokenRule as broken:
            refused.append(str(broken))
        finally:
            connection.close()

    tabs = [threading.Thread(target=tab, args=pair) for pair in ((one, two), (two, one))]
    for each in tabs:
        each.start()
    for each in tabs:
        each.join(30)
    assert len(refused) == 1
    assert "itself" in refused[0]
    for each in Segment.objects.all():
        segments.people_of(each, now=NOW)
