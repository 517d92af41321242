"""Findings: people who are counted first and put together when somebody wants them."""

import pickle
from dataclasses import replace

import pytest
from pyroaring import BitMap

from apps.campaigns.conflicts import loading, passes, writing
from apps.campaigns.conflicts.findings import Counted, Finding
from apps.campaigns.conflicts.rules.overlap import OverlapRule
from apps.campaigns.models import Conflict
from tests.factories.campaigns import NOW

from .conftest import count, planned


def finding(people):
    return Finding(rule="overlap", subjects=(1, 2), campaigns=(1, 2), severity=2, people=people)


def test_who_is_only_counted_is_put_together_when_asked_and_not_before():
    asked = []

    def gather():
        asked.append(1)
        return BitMap([3, 4])

    found = finding(Counted(2, gather))
    assert (found.count, found.is_counted, asked) == (2, True, [])
    assert found.people == BitMap([3, 4])
    assert len(asked) == 1
    kept = pickle.loads(pickle.dumps(found))
    assert (kept.count, kept.people, replace(found, severity=3).people) == (2, BitMap([3, 4]), BitMap([3, 4]))


def test_nobody_is_counted_before_the_people_pass():
    found = finding(None)
    assert (found.count, found.people, found.is_counted) == (None, None, False)
    assert finding(BitMap()).is_counted


@pytest.mark.django_db
def test_the_count_of_a_pair_is_that_of_its_people(scene):
    planned(scene.retail.department, range(20, 90), days=3)
    found = list(OverlapRule().find(loading.load(now=NOW)))
    assert len(found) > 1
    assert [each.count for each in found] == [len(each.people) for each in found]


@pytest.mark.django_db
def test_rows_written_a_few_at_a_time_have_all_their_people(scene, monkeypatch):
    for number in range(5):
        planned(scene.retail.department, range(number, 100), days=2 + number % 3)
    monkeypatch.setattr(writing, "MOST_ROWS", 2)
    monkeypatch.setattr(writing, "MOST_PEOPLE", 70)
    for _pass in ("new rows", "rows found again"):
        count()
        expected = {each.identity: each.people for each in passes.find(loading.load(now=NOW))}
        assert {row.identity: row.people_both for row in Conflict.objects.filter(identity__in=expected)} == expected
        Conflict.objects.update(people_both=None)
