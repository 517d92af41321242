"""A shopper saves a wish on the web, the store sees it, sells it, and the next day's run says thank you."""

from datetime import timedelta

from apps.customers.models import Customer, Interaction, Product, Source


def _shopper(company) -> Customer:
    person = Customer.objects.filter(
        language="nb", contact_points__kind="email", source_records__source__code="web", interactions__isnull=False
    ).distinct().order_by("pk").first()
    record = person.source_records.get(source__code="web")
    coat = Product.objects.get(sku="FF-1001")
    Interaction.objects.create(
        customer=person, source_record=record, source=Source.objects.get(code="web"), kind="wish", channel="web",
        at=company.now - timedelta(hours=3), product=coat, detail={"size": "M", "colour": "navy"}, external_id="story-wish",
        recorded_at=company.now,
    )
    return person


def test_a_saved_wish_is_seen_in_the_store_and_its_buyer_is_thanked_by_mail(company, open_page):
    person = _shopper(company)
    address = person.contact_points.filter(kind="email").first().value

    staff = open_page(company.colleague("agent"), width=390)
    staff.goto(f"/customers/{person.pk}/")
    assert person.name in staff.locator("h1").inner_text()
    timeline = staff.locator("main").inner_text()
    assert "Winter coat Røros" in timeline
    assert "wish" in timeline.lower()

    Interaction.objects.create(
        customer=person, source_record=person.source_records.first(), source=Source.objects.get(code="till"), kind="purchase",
        channel="store", at=company.now - timedelta(minutes=5), value=189, currency="EUR",
        product=Product.objects.get(sku="FF-1001"), quantity=1, external_id="story-receipt", recorded_at=company.now,
    )
    before = len(company.mails(address))
    company.later(hours=19, minutes=31)
    company.send()

    mails = company.mails(address)
    assert len(mails) == before + 1
    assert mails[-1].subject.startswith("Takk, ")
    staff.goto(f"/customers/{person.pk}/")
    assert "Thank you" in staff.locator("main").inner_text()
