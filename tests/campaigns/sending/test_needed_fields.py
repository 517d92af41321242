"""A message may leave out people for whom a merge field is empty: counted before, refused with the reason when sending."""

import pytest

from apps.campaigns import check
from apps.campaigns.models import Delivery
from apps.campaigns.sending import proof
from apps.customers.models import Customer
from tests.factories.sending import LONG_AGO, FakeAdapter, make_message, make_people, send_all, sign

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def mail(monkeypatch):
    adapter = FakeAdapter()
    monkeypatch.setattr("apps.channels.registry.adapter_for", lambda account: adapter)
    return adapter


def message_to(people, subject, **fields):
    message = make_message(people, **fields)
    message.versions.update(subject=subject, format="html", body="<p>Hei</p>", updated_at=LONG_AGO)
    message.campaign.approvals.all().delete()
    sign(message.campaign)
    return message


def without_name(people):
    Customer.objects.filter(pk__in=list(people)).update(given_name="")
    return people


def test_who_lacks_a_field_is_refused_and_the_check_said_so(mail):
    named, nameless = make_people(6), without_name(make_people(4))
    message = message_to(named | nameless, "Hei {{ customer.given_name }}", needs_fields=True)
    step = next(step for step in check.waterfall(message, now=message.send_at) if step.code == "fields")
    assert step.lost == {"missing_field": nameless}

    send_all()
    found = proof.run_proof(message.runs.get())
    assert (found["sent"], found["refused"]) == (6, {"missing_field": 4})
    assert set(Delivery.objects.filter(reason="missing_field").values_list("rule", flat=True)) == {"customer.given_name"}
    assert proof.adds_up(found)


def test_without_the_setting_they_get_it_and_no_step_is_shown(mail):
    message = message_to(make_people(2) | without_name(make_people(3)), "Hei {{ customer.given_name }}")
    assert "fields" not in [step.code for step in check.waterfall(message, now=message.send_at)]
    send_all()
    assert len(mail.posted) == 5


@pytest.mark.parametrize(
    "subject", ["Hei {{ customer.given_name | default: 'du' }}", "Hei{% if customer.given_name %} {{ customer.given_name }}{% endif %}"]
)
def test_a_field_with_a_fallback_is_not_needed(mail, subject):
    message = message_to(without_name(make_people(3)), subject, needs_fields=True)
    send_all()
    assert len(mail.posted) == 3
    assert check.waterfall(message, now=message.send_at)[-1].count == 3


def test_only_the_version_that_somebody_would_get_counts(mail):
    people = without_name(make_people(40))
    message = make_message(people, needs_fields=True, variants_share={"A": 50, "B": 50})
    message.versions.update(subject="Hei", format="html", body="<p>Hei</p>")
    message.versions.create(language="nb", variant="B", subject="Hei {{ customer.given_name }}", format="html", body="<p>Hei</p>",
                            is_fallback=True, updated_at=LONG_AGO)  # fmt: skip
    message.campaign.approvals.all().delete()
    sign(message.campaign)
    lost = next(step for step in check.waterfall(message, now=message.send_at) if step.code == "fields").lost_count
    assert 0 < lost < 40
    send_all()
    assert proof.run_proof(message.runs.get())["refused"] == {"missing_field": lost}


def test_an_attribute_may_be_missing_or_empty(mail):
    people = make_people(6)
    Customer.objects.filter(pk=people[0]).update(attributes={"size": "42"})
    Customer.objects.filter(pk=people[1]).update(attributes={"size": ""})
    message = message_to(people, "Str. {{ attribute.size }}", needs_fields=True)
    assert next(step for step in check.waterfall(message, now=message.send_at) if step.code == "fields").lost_count == 5
    send_all()
    assert len(mail.posted) == 1
