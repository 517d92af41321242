"""Exact identity across files and sources."""

import pytest

from apps.customers import identity, merging
from apps.customers.models import ContactPoint, Customer, MergeRecord, SourceRecord
from tests.customers.importing import NOW, imported

pytestmark = pytest.mark.django_db


def test_the_same_email_in_two_sources_is_one_person():
    imported("id,email,name\n1,Kari@Example.NO,Kari\n")
    job = imported("id,email,name\nA,kari@example.no ,K. Hansen\n", source="till")
    assert Customer.objects.count() == 1
    assert job.counts["joined_known"] == 1
    assert SourceRecord.objects.get(source__code="till").match_rule == "email"


def test_the_same_phone_written_differently_is_one_person():
    imported("id,phone\n1,900 11 222\n")
    imported("id,phone\nA,+47 90011222\n", source="till")
    assert Customer.objects.count() == 1


def test_an_id_of_another_source_names_the_same_person():
    imported("id,email\n1,a@example.no\n")
    imported("id,shop\nA,1\n", {"source_id": "{id}", "id:shop": "{shop}"}, source="till")
    assert Customer.objects.count() == 1


def test_rows_of_one_file_are_joined_through_each_other():
    job = imported("id,email,phone\n1,a@example.no,\n2,b@example.no,90011222\n3,a@example.no,90011222\n")
    assert Customer.objects.count() == 1
    assert job.counts["new_customers"] == 1
    assert job.counts["joined_in_file"] == 2


def test_a_record_that_links_two_known_people_merges_them():
    imported("id,email,phone,name\n1,a@example.no,,Kari\n2,,90011222,\n")
    job = imported("id,email,phone\nA,a@example.no,90011222\n", source="till")
    assert Customer.objects.living().count() == 1
    assert job.counts["merged_customers"] == 1
    old, young = Customer.objects.order_by("pk")
    assert young.merged_into == old
    assert identity.survivor_map([young.pk]) == {young.pk: old.pk}


def test_a_key_on_too_many_records_identifies_nobody(settings):
    rows = "".join(f"{n},info@example.no\n" for n in range(settings.IDENTITY_KEY_LIMIT + 1))
    job = imported("id,email\n" + rows)
    assert Customer.objects.count() == settings.IDENTITY_KEY_LIMIT + 1
    assert job.counts["crowded_keys"] == 1


def test_a_key_on_as_many_records_as_allowed_still_identifies(settings):
    rows = "".join(f"{n},info@example.no\n" for n in range(settings.IDENTITY_KEY_LIMIT))
    imported("id,email\n" + rows)
    assert Customer.objects.count() == 1


def test_unicode_traps_do_not_make_two_people_of_one_nor_one_of_two():
    imported("id,email\n1,ｋａｒｉ@example.no\n2,kari@example.no\n3,kari@EXAMPLE.no\u200b\n4,strasse@example.no\n")
    assert Customer.objects.count() == 2


def test_ids_are_drawn_only_for_new_rows():
    imported("id,email\n1,a@example.no\n")
    for _again in range(3):
        imported("id,email\n1,a@example.no\n")
    imported("id,email\n1,a@example.no\n2,b@example.no\n")
    first, second = Customer.objects.order_by("pk").values_list("pk", flat=True)
    assert second == first + 1


def test_a_parted_pair_is_not_joined_again_by_an_import():
    imported("id,email\n1,a@example.no\n2,b@example.no\n")
    imported(
        "id,email,email2\nA,a@example.no,b@example.no\n",
        {"source_id": "{id}", "email": "{email}", "email_2": "{email2}"},
        source="till",
    )
    merging.unmerge(merge=MergeRecord.objects.get(), actor=None, now=NOW)
    job = imported(
        "id,email,email2\nB,a@example.no,b@example.no\n",
        {"source_id": "{id}", "email": "{email}", "email_2": "{email2}"},
        source="crm",
    )
    assert Customer.objects.living().count() == 2
    assert job.counts["merged_customers"] == 0


def test_an_ended_address_identifies_nobody():
    imported("id,email\n1,old@example.no\n")
    imported("id,email\n1,new@example.no\n")
    assert ContactPoint.objects.filter(value="old@example.no", valid_to=None).count() == 0
    imported("id,email\nA,old@example.no\n", source="till")
    assert Customer.objects.count() == 2
