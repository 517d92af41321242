"""The demo company: the same for the same seed, and every address in a shape its country would accept."""

from datetime import UTC, date, datetime
from random import Random

import phonenumbers
import pytest

from apps.reporting.demo import copywriting, history, once, people, places, plans, wishes

TODAY = date(2026, 11, 18)
NOW = datetime(2026, 11, 18, 13, 30, tzinfo=UTC)


@pytest.fixture(scope="module")
def crowd():
    return list(people.people(2000, Random(1), TODAY))


def test_the_same_seed_makes_the_same_people(crowd):
    assert list(people.people(2000, Random(1), TODAY)) == crowd
    assert list(people.people(2000, Random(2), TODAY)) != crowd


def test_every_phone_number_is_valid_in_its_country_and_belongs_to_one_person(crowd):
    numbers = [person.phone for person in crowd if person.phone]
    assert len(set(numbers)) == len(numbers)
    for person in crowd:
        if person.phone:
            parsed = phonenumbers.parse(person.phone)
            assert phonenumbers.is_valid_number(parsed), person.phone
            assert phonenumbers.region_code_for_number(parsed) in {person.country.code, "CA", "GG", "JE", "IM"}


def test_every_mail_address_is_reserved_for_examples_and_belongs_to_one_person(crowd):
    addresses = [person.email for person in crowd if person.email]
    assert len(set(addresses)) == len(addresses)
    assert all(address.endswith(".example") and address.isascii() for address in addresses)


def test_people_live_in_five_countries_in_about_the_stated_shares(crowd):
    for country in places.COUNTRIES:
        share = sum(person.country == country for person in crowd) / len(crowd)
        assert share == pytest.approx(country.share, abs=0.04)


def test_nothing_happened_before_somebody_was_a_customer_or_after_now(crowd):
    random = Random(3)
    for person in crowd[:300]:
        for happening in history.happenings(person, NOW, random):
            assert happening.at <= NOW
            assert (NOW - happening.at).days <= history.DAYS + 1


def test_a_no_always_comes_after_the_yes_it_takes_back(crowd):
    random = Random(4)
    for person in crowd[:500]:
        given: dict[tuple[str, str], datetime] = {}
        for wish in wishes.wishes(person, NOW, random):
            key = (wish.channel, wish.purpose)
            if wish.grants:
                given[key] = wish.at
            else:
                assert given[key] <= wish.at <= NOW
            assert wish.address


def test_every_campaign_refers_to_things_that_exist():
    offers = {offer.key for offer in plans.OFFERS}
    departments = {slug for slug, _name, _place in plans.DEPARTMENTS}
    for campaign in plans.CAMPAIGNS:
        assert campaign.department in departments
        for message in campaign.messages:
            theirs = {plans.INHERITED} if campaign.programme else set()
            assert message.offer == "" or message.offer in offers | theirs
            assert message.kind != "addressed" or message.copy in copywriting.COPY
            assert set(message.include) | set(message.exclude) <= set(plans.SEGMENTS)
            assert campaign.first <= message.day <= campaign.last


def test_every_text_is_there_in_all_three_languages_of_the_product():
    for texts in copywriting.COPY.values():
        assert {"en", "nb", "pl"} <= set(texts)


def test_the_demo_sends_on_a_wednesday_that_is_no_holiday_anywhere():
    # Christmas Day 2024 was a Wednesday, and so was New Year's Day after it
    found = once.wednesday_afternoon(datetime(2025, 1, 3, 9, tzinfo=UTC))
    assert (found.date(), found.weekday()) == (date(2024, 12, 18), 2)
    assert once.wednesday_afternoon(NOW).date() == TODAY
