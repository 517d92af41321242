"""One person with several ids: the same answer, one by one or from all merges at once."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyroaring import BitMap

from apps.campaigns.sending import aliases
from apps.campaigns.sending.aliases import Aliases
from apps.customers.models import Customer
from tests.factories.customers import CustomerFactory


@pytest.mark.django_db
@pytest.mark.parametrize("many", [0, 5_000])
def test_chains_of_merges_are_found_from_both_ends_however_many_are_asked_about(monkeypatch, many):
    monkeypatch.setattr(aliases, "MANY", many)
    first, second, third, alone = (CustomerFactory() for _each in range(4))
    Customer.objects.filter(pk=first.pk).update(merged_into=second)
    Customer.objects.filter(pk=second.pk).update(merged_into=third)
    chain = BitMap([first.pk, second.pk, third.pk])
    for asked in chain:
        found = aliases.of([asked, alone.pk])
        assert (found.survivor(asked), found.group(asked)) == (third.pk, chain)
        assert found.everybody(BitMap([asked, alone.pk])) == chain | BitMap([alone.pk])
        assert not found.known(alone.pk)


ids = st.integers(1, 12)


@given(st.dictionaries(ids, ids), st.sets(ids), st.sets(ids))
def test_people_as_sets_are_what_they_are_one_by_one(merged, some, living):
    """Oracle: person by person."""
    survivors = {one: into for one, into in merged.items() if into not in merged}
    who, people = Aliases(survivors, {}), BitMap(some)
    assert set(who.living(people)) == {survivors.get(one, one) for one in some}
    assert set(who.back(BitMap(living), people)) == {one for one in some if survivors.get(one, one) in living}
