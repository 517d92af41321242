from datetime import timedelta

import pytest
from pyroaring import BitMap

from apps.consent import gate, jurisdictions, suppression
from apps.core.hashing import address_hash
from apps.core.reasons import Reason
from tests.factories import customers as people
from tests.factories.consent import LONG_AGO, no, purpose, yes

pytestmark = pytest.mark.django_db
NOW = LONG_AGO + timedelta(days=300)


def judge(*persons, why="offers", channel="email", **options):
    ids = BitMap(person.pk for person in persons)
    return gate.judge(people=ids, channel=channel, purpose=purpose(why), at=NOW, **options)


def test_everybody_gets_exactly_one_verdict_with_its_reason():
    allowed, silent, refused, homeless = (
        people.person(),
        people.person(),
        people.person(),
        people.person(phone="+4722334455"),
    )
    yes(allowed)
    no(refused)
    yes(homeless)

    judgement = judge(allowed, silent, refused, homeless)

    assert judgement.allowed == BitMap([allowed.pk])
    assert judgement.denied == {
        Reason.NO_CONSENT: BitMap([silent.pk]),
        Reason.WITHDRAWN: BitMap([refused.pk]),
        Reason.NO_ADDRESS: BitMap([homeless.pk]),
    }
    assert [step.code for step in judgement.steps] == ["address", "consent", "suppression", "jurisdiction"]
    assert judgement.reason_of(refused.pk) == Reason.WITHDRAWN


def test_the_verdict_names_the_evidence():
    person, silent = people.person(), people.person()
    event = yes(person)

    judgement = judge(person, silent)

    assert judgement.evidence(person.pk) == event.pk
    assert judgement.evidence(silent.pk) is None


def test_consent_is_per_channel_and_purpose():
    person = people.person(email="a@example.no", phone="+4722334455")
    yes(person)

    assert judge(person).allowed
    assert not judge(person, channel="sms").allowed
    assert not judge(person, why="newsletter").allowed


def test_service_needs_no_yes_but_honours_a_no_and_safety_always_goes():
    person, refused = people.person(), people.person()
    no(refused, purpose="service")

    assert judge(person, refused, why="service").allowed == BitMap([person.pk])
    assert judge(person, refused, why="safety").allowed == BitMap([person.pk, refused.pk])


def test_somebody_on_the_do_not_contact_list_is_denied_on_that_channel_only():
    person = people.person(email="a@example.no", phone="+4722334455")
    yes(person)
    yes(person, channel="sms")
    suppression.suppress(reason="manual", customer=person.pk, channel="email", now=NOW)

    assert judge(person).denied == {Reason.SUPPRESSED: BitMap([person.pk])}
    assert judge(person, channel="sms").allowed


def test_an_entry_for_all_channels_holds_on_each():
    person = people.person(email="a@example.no", phone="+4722334455")
    yes(person)
    yes(person, channel="sms")
    suppression.suppress(reason="person", customer=person.pk, now=NOW)

    assert not judge(person).allowed
    assert not judge(person, channel="sms").allowed


def test_an_address_on_the_list_holds_for_whoever_holds_it_also_later():
    suppression.suppress(reason="complained", address="family@example.no", channel="email", now=NOW)
    late, other = people.person(email="family@example.no"), people.person(email="other@example.no")
    yes(late)
    yes(other)

    assert judge(late, other).denied == {Reason.COMPLAINED: BitMap([late.pk])}


def test_a_bounced_address_is_passed_over_for_another():
    person = people.person(email="old@example.no")
    yes(person)
    suppression.suppress(reason="bounced", address="old@example.no", channel="email", now=NOW)
    assert judge(person).denied == {Reason.BOUNCED: BitMap([person.pk])}

    people.ContactPointFactory(source_record=person.source_records.get(), value="new@example.no", is_preferred=False)

    judgement = judge(person, with_addresses=True)
    assert judgement.addresses[person.pk].value == "new@example.no"
    assert judgement.addresses[person.pk].hash == address_hash("new@example.no")


def test_the_preferred_address_is_taken_and_expired_ones_are_not():
    person = people.person(email="preferred@example.no")
    record = person.source_records.get()
    people.ContactPointFactory(source_record=record, value="newer@example.no", is_preferred=False, valid_from=NOW)
    yes(person)
    assert judge(person, with_addresses=True).addresses[person.pk].value == "preferred@example.no"

    person.contact_points.update(valid_to=NOW - timedelta(days=1))
    assert judge(person).denied == {Reason.NO_ADDRESS: BitMap([person.pk])}


def test_a_no_under_a_merged_id_denies_the_survivor():
    kept, absorbed = people.person(), people.person()
    yes(kept)
    no(absorbed)
    absorbed.merged_into = kept
    absorbed.save()

    assert judge(kept).denied == {Reason.WITHDRAWN: BitMap([kept.pk])}


def test_a_listed_merged_id_denies_the_survivor():
    kept, absorbed = people.person(), people.person()
    yes(kept)
    suppression.suppress(reason="person", customer=absorbed.pk, now=NOW)
    absorbed.merged_into = kept
    absorbed.save()

    assert judge(kept).denied == {Reason.SUPPRESSED: BitMap([kept.pk])}


class Night:
    code = "test.night"

    def __init__(self, until, denied=()):
        self.until, self.denied = until, BitMap(denied)

    def judge(self, case):
        later = case.people - self.denied
        deferral = gate.Deferral(self.until, later, Reason.QUIET_HOURS, self.code)
        return jurisdictions.Ruling(denied=self.denied & case.people, deferred=[deferral])


def test_a_rule_of_law_denies_and_defers_those_still_allowed(monkeypatch):
    person, banned, silent = people.person(), people.person(), people.person()
    yes(person)
    yes(banned)
    monkeypatch.setattr(jurisdictions, "RULES", [Night(NOW + timedelta(hours=9), [banned.pk])])

    judgement = judge(person, banned, silent)

    assert judgement.allowed == BitMap()
    assert judgement.deferred[0].people == BitMap([person.pk])
    assert judgement.denied[Reason.JURISDICTION] == BitMap([banned.pk])
    assert judgement.rules[Reason.JURISDICTION] == "test.night"


def test_many_people_are_judged_as_few_are(monkeypatch):
    persons = [people.person() for _ in range(6)]
    for person in persons[:4]:
        yes(person)
    no(persons[1])
    suppression.suppress(reason="bounced", address=persons[2].contact_points.get().value, channel="email", now=NOW)
    persons[5].merged_into = persons[3]
    persons[5].save()
    no(persons[5])
    few = judge(*persons)

    monkeypatch.setattr("apps.consent.aliases.MANY", 0)
    many = judge(*persons)

    assert (many.allowed, many.denied) == (few.allowed, few.denied)


def test_judging_takes_a_fixed_number_of_queries(django_assert_max_num_queries):
    persons = [people.person() for _ in range(30)]
    for person in persons:
        yes(person)
    with django_assert_max_num_queries(10):
        judge(*persons, with_addresses=True)
