"""Merging and taking a merge back."""

from datetime import timedelta

import pytest

from apps.accounts.models import AuditEvent
from apps.customers import merging
from apps.customers.models import Customer, Interaction, MergeRecord, SourceRecord
from tests.customers.importing import NOW
from tests.factories.customers import InteractionFactory, person

pytestmark = pytest.mark.django_db


def two():
    old = person(email="a@example.no", name="Kari Hansen", city="")
    young = person(email="b@example.no", name="K. Hansen", city="Bergen", attributes={"tier": "gold"})
    InteractionFactory(source_record=young.source_records.get())
    return old, young


def test_a_merge_moves_records_with_all_that_hangs_on_them():
    old, young = two()
    merging.merge(survivor=old.pk, absorbed=young.pk, rule="by hand", actor=None, now=NOW)
    old.refresh_from_db()
    assert old.source_records.count() == 2
    assert old.contact_points.count() == 2
    assert old.interactions.count() == 1
    assert (old.name, old.city, old.attributes) == ("Kari Hansen", "Bergen", {"tier": "gold"})


def test_undoing_a_merge_puts_everything_back_exactly():
    old, young = two()
    before = list(SourceRecord.objects.order_by("pk").values_list("pk", "customer_id"))
    made = merging.merge(survivor=old.pk, absorbed=young.pk, rule="by hand", actor=None, now=NOW)
    merging.unmerge(merge=made, actor=None, now=NOW + timedelta(days=1))
    old.refresh_from_db()
    assert list(SourceRecord.objects.order_by("pk").values_list("pk", "customer_id")) == before
    assert Interaction.objects.get().customer_id == young.pk
    assert (old.city, old.attributes) == ("", {})
    assert Customer.objects.living().count() == 2


def test_what_came_after_the_merge_stays_with_the_survivor():
    old, young = two()
    made = merging.merge(survivor=old.pk, absorbed=young.pk, rule="by hand", actor=None, now=NOW)
    InteractionFactory(source_record=old.source_records.order_by("pk").first(), kind="visit")
    merging.unmerge(merge=made, actor=None, now=NOW)
    assert old.interactions.count() == 1


def test_a_chain_of_merges_can_be_undone_in_any_order():
    old, young = two()
    third = person(email="c@example.no")
    first = merging.merge(survivor=young.pk, absorbed=third.pk, rule="by hand", actor=None, now=NOW)
    second = merging.merge(survivor=old.pk, absorbed=young.pk, rule="by hand", actor=None, now=NOW)
    assert merging.alias_group(third.pk) == [old.pk, young.pk, third.pk]
    merging.unmerge(merge=first, actor=None, now=NOW)
    merging.unmerge(merge=second, actor=None, now=NOW)
    assert [one.source_records.count() for one in (old, young, third)] == [1, 1, 1]


def test_a_merge_cannot_be_undone_twice():
    old, young = two()
    made = merging.merge(survivor=old.pk, absorbed=young.pk, rule="by hand", actor=None, now=NOW)
    merging.unmerge(merge=made, actor=None, now=NOW)
    with pytest.raises(merging.CannotMerge):
        merging.unmerge(merge=made, actor=None, now=NOW)


def test_one_cannot_be_merged_with_somebody_who_is_gone():
    old, young = two()
    merging.merge(survivor=old.pk, absorbed=young.pk, rule="by hand", actor=None, now=NOW)
    with pytest.raises(merging.CannotMerge):
        merging.merge(survivor=old.pk, absorbed=young.pk, rule="by hand", actor=None, now=NOW)
    assert MergeRecord.objects.count() == 1


def test_listeners_hear_of_merges_and_partings(monkeypatch):
    heard = []
    monkeypatch.setattr(merging, "_after_merge", [lambda pairs, now: heard.append(("merged", list(pairs)))])
    monkeypatch.setattr(merging, "_after_unmerge", [lambda pairs, now: heard.append(("parted", list(pairs)))])
    old, young = two()
    made = merging.merge(survivor=old.pk, absorbed=young.pk, rule="by hand", actor=None, now=NOW)
    merging.unmerge(merge=made, actor=None, now=NOW)
    assert heard == [("merged", [(old.pk, young.pk)]), ("parted", [(old.pk, young.pk)])]
    assert AuditEvent.objects.filter(action__in=["customer.merged", "customer.unmerged"]).count() == 2
