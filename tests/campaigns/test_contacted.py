"""Undoing an import keeps the number of whoever was contacted meanwhile."""

import pytest

from apps.campaigns.models import Delivery
from apps.customers.imports import undo
from apps.customers.models import Customer
from tests.customers.importing import NOW, imported
from tests.factories.sending import make_message, plan_one

pytestmark = pytest.mark.django_db(transaction=True)


def test_people_who_wait_in_a_run_or_got_a_message_stay_as_tombstones(monkeypatch):
    job = imported("id,email,name\n1,a@example.no,Kari\n2,b@example.no,Ola\n3,c@example.no,Per\n")
    kari, ola, _per = Customer.objects.order_by("pk")
    monkeypatch.setattr("apps.campaigns.audiences.compute", lambda message, *, now: message.plan_audience)
    run = plan_one(make_message_to(kari))
    Delivery.objects.create(
        run_day=run.run_day, run_id=run.pk, customer_id=ola.pk, outcome="sent", at=NOW, message_id=run.message_id,
        campaign_id=1, department_id=1, channel="email", purpose_class="promotion",
    )  # fmt: skip
    counts = undo.undo(job_id=job.pk, actor=None, now=NOW)
    assert (counts["tombstones"], counts["customers"]) == (2, 1)
    assert set(Customer.objects.values_list("pk", flat=True)) == {kari.pk, ola.pk}
    assert not Customer.objects.living().exists()


def make_message_to(customer):
    from pyroaring import BitMap

    return make_message(BitMap([customer.pk]))
