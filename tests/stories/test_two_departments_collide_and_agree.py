"""Retail and Online sell the same coats at two prices to the same people. Both leads agree; the agreement holds when sending."""

from pyroaring import BitMap

from apps.campaigns import launch
from apps.campaigns.models import Campaign, Conflict, Delivery, Run


def test_two_departments_collide_and_agree(company, open_page):
    keeping = Campaign.objects.get(name="Winter coats −20 %")
    yielding = Campaign.objects.get(name="Coat days online −30 %")
    conflict = Conflict.objects.get(rule="offers", first_campaign__in=[keeping, yielding], second_campaign__in=[keeping, yielding])
    shared = conflict.people_both

    marit = open_page(company.colleague("retail.lead"))
    marit.goto(f"/calendar/?conflict={conflict.pk}")
    assert f"{len(shared):,}" in (marit.locator("#conflict-panels").text_content() or "")
    marit.goto(f"/conflicts/{conflict.pk}/")
    row = marit.get_by_role("row").filter(has_text="Online leaves out").first
    row.get_by_role("button").click()
    marit.get_by_text("has not signed yet").wait_for()
    assert Conflict.objects.get(pk=conflict.pk).state != "resolved"

    company.later(minutes=3)
    ola = open_page(company.colleague("online.lead"))
    ola.goto(f"/conflicts/{conflict.pk}/")
    ola.get_by_role("button", name="Agree and sign").click()
    ola.wait_for_load_state("networkidle")
    assert Conflict.objects.get(pk=conflict.pk).state == "resolved"

    both = Conflict.objects.filter(first_campaign__in=[keeping, yielding], second_campaign__in=[keeping, yielding])
    assert set(both.values_list("state", flat=True)) == {"resolved"}, "one signing of both leads settles all that the pair has"

    for campaign in (keeping, yielding):
        launch.schedule(actor=campaign.owner, campaign=campaign, now=company.now)
    company.later(minutes=30)
    company.send()
    company.later(minutes=1)
    company.send()

    got = {side.pk: _reached(side) for side in (keeping, yielding)}
    assert got[keeping.pk] and got[yielding.pk]
    assert not got[keeping.pk] & got[yielding.pk], "nobody receives both"
    left_out = BitMap(Delivery.objects.filter(campaign_id=yielding.pk, reason="agreed_elsewhere").values_list("customer_id", flat=True))
    assert left_out and left_out <= shared


def _reached(campaign) -> BitMap:
    runs = Run.objects.filter(message__campaign=campaign).values("pk")
    return BitMap(Delivery.objects.filter(run_id__in=runs, outcome="sent").values_list("customer_id", flat=True))
