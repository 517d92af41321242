"""From content to what is handed over."""

import email
import re
from datetime import timedelta
from email import policy

import pytest
from django.conf import settings

from apps.campaigns.content import addresses, facts, fields, liquid, rendering, sms, versions
from apps.campaigns.models import ContentVersion
from apps.channels.models import ContactEvent, Link
from tests.factories import campaigns as make
from tests.factories.customers import CustomerFactory, ProductFactory, ProductPriceFactory

pytestmark = pytest.mark.django_db
WHERE = addresses.PreviewAddresses()


class Recording(addresses.PreviewAddresses):
    """Addresses that can be recognised."""

    def click(self, link_id, url):
        return f"https://track.example/{link_id}"


def brand_of(message):
    return make.BrandFactory(department=message.campaign.department, logo=None)


def compiled(version):
    return rendering.compile(version, brand_of(version.message), now=make.NOW)


def test_a_person_gets_their_own_values_in_every_part():
    version = make.ContentVersionFactory()
    person = CustomerFactory(given_name="Åse & co")
    ready = compiled(version)
    slots = ready.slots_for(facts.facts_for([person.pk], version.message, now=make.NOW)[person.pk], WHERE)
    raw = ready.content.fill(slots, {}, to="ase@example.no", reference="1.2")
    mail = email.message_from_bytes(raw, policy=policy.default)
    assert mail["subject"] == "Hei Åse & co"
    assert "Hei Åse & co, se hva" in mail.get_body(("plain",)).get_content()
    assert "Hei Åse &amp; co, se hva" in mail.get_body(("html",)).get_content()


def test_links_are_tracked_in_both_parts_and_inside_conditions():
    version = make.ContentVersionFactory(blocks=[
        {"id": "1", "kind": "text", "text": "{% if customer.city == 'Oslo' %}[Se](https://a.example/oslo){% endif %}"},
        {"id": "2", "kind": "button", "label": "Kjøp", "url": "https://a.example/?a=1&b=2"},
    ])  # fmt: skip
    person = CustomerFactory(city="Oslo")
    known = facts.facts_for([person.pk], version.message, now=make.NOW)[person.pk]
    seen = compiled(version).preview(known, Recording())
    stored = dict(Link.objects.values_list("url", "pk"))
    assert set(stored) == {"https://a.example/oslo", "https://a.example/?a=1&b=2"}
    for pk in stored.values():
        assert f"https://track.example/{pk}" in seen.html
        assert f"https://track.example/{pk}" in seen.text
    assert "a.example" not in seen.html


def test_without_measurement_the_token_names_nobody():
    where = addresses.Addresses(run_id=1, customer_id=7, version_id=1, measured=False)
    assert where.click(3, "https://a.example") == addresses.Addresses(1, 8, 1, False).click(3, "https://a.example")
    assert where.pixel() != addresses.Addresses(1, 7, 1, True).pixel()


def test_a_mail_holds_one_link_that_only_machines_follow(client):
    version = make.ContentVersionFactory()
    person = CustomerFactory()
    known = facts.facts_for([person.pk], version.message, now=make.NOW)[person.pk]
    seen = compiled(version).preview(known, addresses.Addresses(3, person.pk, version.pk, measured=True))
    hidden = re.findall(r'<a href="([^"]+)" tabindex="-1" aria-hidden="true"[^>]*display:none[^>]*></a>', seen.html)
    assert len(hidden) == 1 and hidden[0] not in seen.text
    assert client.get(hidden[0].removeprefix(settings.PUBLIC_URL)).status_code == 204
    event = ContactEvent.objects.get()
    assert (event.customer_id, event.machine, event.link) == (person.pk, True, None)
    unmeasured = compiled(version).preview(known, addresses.Addresses(3, person.pk, version.pk, measured=False))
    path = re.findall(r'<a href="([^"]+)" tabindex="-1"', unmeasured.html)[0].removeprefix(settings.PUBLIC_URL)
    assert client.get(path).status_code == 204 and ContactEvent.objects.count() == 1


def test_the_offer_price_follows_country_and_language():
    product = ProductFactory(names={"pl": "Płaszcz zimowy"})
    ProductPriceFactory(product=product, country="NO", currency="NOK", amount=1500)
    ProductPriceFactory(product=product, country="PL", currency="PLN", amount=600)
    message = make.MessageFactory(offer=make.OfferFactory(product=product, kind="percent", value=30))
    people = [CustomerFactory(country="NO", language="nb"), CustomerFactory(country="PL", language="pl"),
              CustomerFactory(country="US", language="en")]  # fmt: skip
    got = facts.facts_for([p.pk for p in people], message, now=make.NOW)
    norwegian, pole, american = (got[p.pk] for p in people)
    assert norwegian["product"]["price"].replace("\xa0", " ") == "1 050 kr"
    assert norwegian["product"]["was"].replace("\xa0", " ") == "1 500 kr"
    assert pole["product"]["price"].replace("\xa0", " ") == "420,00 zł"
    assert pole["product"]["name"] == "Płaszcz zimowy"
    assert american["product"]["price"] is None


def test_merge_fields_of_many_people_cost_few_queries(django_assert_max_num_queries):
    version = make.ContentVersionFactory()
    ids = [CustomerFactory().pk for _ in range(30)]
    message = version.message
    with django_assert_max_num_queries(8):
        assert len(facts.facts_for(ids, message, now=make.NOW)) == 30


def test_an_unknown_merge_field_is_refused_with_the_nearest_known_one():
    sentences = fields.unknown(["customer.givenname", "offer.price", "products.3.price"])
    assert len(sentences) == 1
    assert "customer.given_name" in sentences[0]


def test_missing_values_are_counted_only_where_they_would_be_seen():
    message = make.MessageFactory()
    version = make.ContentVersionFactory(
        message=message, subject="{{ customer.given_name }} {{ customer.city | default: 'deg' }}", blocks=[]
    )
    without = CustomerFactory(given_name="", city="")
    from pyroaring import BitMap

    people = BitMap([without.pk, CustomerFactory().pk])
    assert fields.missing(message, version, people, now=make.NOW) == {"customer.given_name": BitMap([without.pk])}


def test_languages_fall_back_in_stated_steps_and_others_are_counted():
    from pyroaring import BitMap

    message = make.MessageFactory()
    make.ContentVersionFactory(message=message, language="nb", is_fallback=False)
    chooser = versions.Chooser.of(message)
    assert chooser.version("A", "nn").language == "nb"
    assert chooser.version("A", "pl") is None
    pole = CustomerFactory(language="pl")
    assert versions.without_version(message, BitMap([pole.pk, CustomerFactory(language="no").pk])) == BitMap([pole.pk])


def test_two_authors_of_one_text_lose_nothing():
    version = make.ContentVersionFactory()
    author = version.message.campaign.owner
    versions.save(actor=author, version=version, values={"subject": "Første"}, expected_revision=1, now=make.NOW)
    with pytest.raises(versions.SavedMeanwhile) as both:
        versions.save(actor=author, version=version, values={"subject": "Andre"}, expected_revision=1, now=make.NOW)
    assert both.value.current.subject == "Første"
    assert both.value.yours["subject"] == "Andre"


def test_an_earlier_text_comes_back_and_the_newer_stays_in_the_history():
    version = make.ContentVersionFactory(subject="Gammel")
    author = version.message.campaign.owner
    saved = versions.save(actor=author, version=version, values={"subject": "Ny"}, expected_revision=1, now=make.NOW)
    back = versions.restore(
        actor=author, revision=saved.revisions.get(number=1), expected_revision=2, now=make.NOW + timedelta(minutes=5)
    )
    assert (back.subject, back.revision) == ("Gammel", 3)
    assert saved.revisions.get(number=2).content["subject"] == "Ny"


def test_a_text_message_says_its_encoding_parts_and_price():
    message = make.MessageFactory(channel="sms")
    version = make.ContentVersionFactory(message=message, format="text", blocks=[], body="Hei {{ customer.given_name }}", subject="")
    person = CustomerFactory(given_name="Łucja")
    known = facts.facts_for([person.pk], message, now=make.NOW)[person.pk]
    found = sms.measure(version, known, now=make.NOW)
    assert (found.text, found.length.encoding, found.length.segments) == ("Hei Łucja", "UCS-2", 1)


def test_a_text_that_fails_for_one_person_says_so():
    version = make.ContentVersionFactory(subject="{{ customer.given_name | divided_by: 0 }}")
    person = CustomerFactory()
    known = facts.facts_for([person.pk], version.message, now=make.NOW)[person.pk]
    with pytest.raises(liquid.TemplateProblem):
        compiled(version).slots_for(known, WHERE)


def test_pasted_html_is_compiled_the_same_way():
    version = make.ContentVersionFactory(
        format=ContentVersion._meta.get_field("format").choices[1][0], blocks=[],
        body='<p>Hei {{ customer.given_name }}</p><a href="https://a.example/x">Se</a><script>1</script>',
    )
    person = CustomerFactory(given_name="Ola")
    known = facts.facts_for([person.pk], version.message, now=make.NOW)[person.pk]
    seen = compiled(version).preview(known, Recording())
    assert "Hei Ola" in seen.html
    assert "track.example" in seen.html
    assert "script" not in seen.html
    assert "Hei Ola" in seen.text
