import json
from datetime import timedelta
from urllib.parse import quote, urlsplit

import pytest
from django.core import mail
from django.test import Client

from apps.channels.models import ChannelAccount
from apps.consent import confirming, ledger, links
from apps.consent.models import ConsentEvent
from apps.core.clock import now
from tests.factories import customers as people
from tests.factories.consent import no, purpose, yes
from tests.shared_data import shared

pytestmark = pytest.mark.django_db


@pytest.fixture
def visitor():
    return Client(enforce_csrf_checks=True)


@pytest.fixture(autouse=True)
def _accounts():
    for channel in ("email", "sms"):
        ChannelAccount.objects.create(name=channel, channel=channel, created_at=now())


def path(url):
    return urlsplit(url).path


def holds(person, channel="email", why="offers"):
    state = ledger.state([person.pk], channel, purpose(why)).get(person.pk)
    return bool(state and state.granted)


def one_click(person, why="offers"):
    return path(links.unsubscribe_url(person.pk, channel="email", purpose_id=purpose(why).pk, run_id=7))


def test_one_click_unsubscribes_without_cookie_or_redirect_and_twice_is_once(visitor):
    person = people.person()
    yes(person)

    for _ in range(2):
        answer = visitor.post(
            one_click(person), "List-Unsubscribe=One-Click", content_type="application/x-www-form-urlencoded"
        )
        assert answer.status_code == 200
        assert not answer.cookies

    assert not holds(person)
    assert ConsentEvent.objects.filter(action="withdraw").count() == 1
    assert ConsentEvent.objects.get(action="withdraw").run_id == 7


@pytest.mark.parametrize("method", ["get", "head"])
def test_scanners_that_open_the_link_never_unsubscribe(visitor, method):
    person = people.person()
    yes(person)

    answer = getattr(visitor, method)(one_click(person))

    assert answer.status_code == 200
    assert holds(person)


def test_a_no_holds_for_everybody_who_shares_the_address(visitor):
    person, other = people.person(email="family@example.no"), people.person(email="family@example.no")
    yes(person)
    yes(other)

    visitor.post(one_click(person))

    assert not holds(person)
    assert not holds(other)


def test_unsubscribing_from_offers_keeps_the_newsletter(visitor):
    person = people.person()
    yes(person)
    yes(person, purpose="newsletter")

    visitor.post(one_click(person))

    assert holds(person, why="newsletter")


def naughty():
    path = shared("edge/blns.json")
    return json.loads(path.read_text()) if path.exists() else ["'; DROP TABLE x", "ÅÄ", "a" * 3000]


def test_naughty_tokens_are_told_so_and_change_nothing(visitor):
    person = people.person()
    yes(person)
    tokens = [text.replace("/", "") for text in naughty()] + [one_click(person).split("/")[2][:-2] + "xx"]
    for token in filter(None, tokens):
        for prefix in ("p", "u", "p/confirm"):
            answer = visitor.post(f"/{prefix}/{quote(token, safe='')}/")
            assert answer.status_code == 404
    assert holds(person)


def test_a_token_of_one_kind_does_not_open_another(visitor):
    person = people.person()
    preference = path(links.preference_url(person.pk)).split("/")[2]

    assert visitor.post(f"/u/{preference}/").status_code == 404


def test_the_preference_page_speaks_the_customers_language(visitor):
    person = people.person(language="nb")

    page = visitor.get(path(links.preference_url(person.pk))).content.decode()

    assert "Nyhetsbrev" in page
    assert '<html lang="nb">' in page


def test_choosing_writes_evidence_with_the_wording_and_says_what_changed(visitor):
    person = people.person(email="a@example.no", phone="+4722334455", language="nb")
    yes(person)

    answer = visitor.post(
        path(links.preference_url(person.pk)), {"wanted": ["sms:offers", "email:service", "sms:service"]}
    )

    assert not holds(person)
    assert holds(person, "sms")
    line = ConsentEvent.objects.get(channel="sms", action="grant")
    assert line.wording.language == "nb"
    assert line.by_person
    assert line.address == "+4722334455"
    assert "Tilbud, " in answer.content.decode()
    assert ConsentEvent.objects.count() == 3  # the yes before, the no to e-mail, the yes to SMS


def test_saving_without_a_change_writes_nothing(visitor):
    person = people.person()
    yes(person)

    visitor.post(path(links.preference_url(person.pk)), {"wanted": ["email:offers", "email:service"]})

    assert ConsentEvent.objects.count() == 1


def test_nothing_any_more_ends_every_topic_on_every_channel(visitor):
    person = people.person(email="a@example.no", phone="+4722334455")
    yes(person)
    yes(person, channel="sms", purpose="newsletter")

    visitor.post(path(links.preference_url(person.pk)), {"none": "1", "wanted": ["email:offers"]})

    assert not holds(person)
    assert not holds(person, "sms", "newsletter")
    assert not ledger.state([person.pk], "sms", purpose("service"))[person.pk].granted


def test_the_language_of_messages_can_be_chosen(visitor):
    person = people.person(language="nb")

    answer = visitor.post(path(links.preference_url(person.pk)), {"language": "pl"})

    person.refresh_from_db()
    assert person.language == "pl"
    assert "Oferty" in answer.content.decode()


def test_an_old_link_of_a_merged_person_still_works(visitor):
    kept, absorbed = people.person(), people.person()
    yes(kept)
    url = one_click(absorbed)
    absorbed.merged_into = kept
    absorbed.save()

    visitor.post(url)

    assert not holds(kept)


def test_an_erased_person_is_told_that_nothing_is_held(visitor):
    person = people.person()
    person.erased_at = now()
    person.save()

    assert visitor.get(path(links.preference_url(person.pk))).status_code == 200


def asked(person):
    confirming.request(customer=person, purpose=purpose(), now=now(), language="nb")
    return path(mail.outbox[-1].body.split("\n")[3])


def test_only_the_button_confirms_a_double_opt_in(visitor):
    person = people.person(email="a@example.no")
    url = asked(person)

    visitor.get(url)
    assert not holds(person)
    visitor.post(url)
    visitor.post(url)

    assert holds(person)
    assert ConsentEvent.objects.get().action == "confirm"


def test_a_confirmation_does_not_outlive_a_later_no(visitor):
    person = people.person(email="a@example.no")
    url = asked(person)
    visitor.post(url)
    no(person, at=now() + timedelta(seconds=1))

    visitor.post(url)

    assert not holds(person)


def test_an_old_confirmation_or_one_for_a_former_address_counts_no_more(visitor, settings):
    person = people.person(email="a@example.no")
    url = asked(person)
    person.contact_points.update(value="new@example.no")
    visitor.post(url)
    assert not holds(person)

    url = asked(person)
    settings.CLOCK_OFFSET = 31 * 24 * 3600
    visitor.post(url)
    assert not holds(person)


def test_the_headers_name_one_https_address_and_one_click():
    person = people.person()

    headers = links.unsubscribe_headers(person.pk, purpose(), 3, "email")

    assert headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert headers["List-Unsubscribe"].startswith("<http")
