from datetime import timedelta

import pytest
from pyroaring import BitMap

from apps.consent import erasure, gate
from apps.consent.models import ConsentEvent, ConsentState
from apps.core.reasons import Reason
from apps.customers import segments
from tests.factories import customers as people
from tests.factories.consent import LONG_AGO, no, purpose, yes

pytestmark = pytest.mark.django_db
NOW = LONG_AGO + timedelta(days=40)


def rule(state, why="offers"):
    return {"is": "consent", "channel": "email", "purpose": why, "state": state}


def test_a_segment_finds_people_by_what_they_said():
    agreed, refused, silent = people.person(), people.person(), people.person()
    yes(agreed)
    no(refused)

    assert segments.evaluate(rule("granted"), now=NOW) == BitMap([agreed.pk])
    assert segments.evaluate(rule("withdrawn"), now=NOW) == BitMap([refused.pk])
    assert segments.evaluate(rule("none"), now=NOW) == BitMap([silent.pk])


def test_a_segment_counts_merged_people_as_one_and_most_restrictive():
    kept, absorbed, alone = people.person(), people.person(), people.person()
    yes(kept)
    yes(alone)
    no(absorbed)
    absorbed.merged_into = kept
    absorbed.save()

    assert segments.evaluate(rule("granted"), now=NOW) == BitMap([alone.pk])
    assert segments.evaluate(rule("withdrawn"), now=NOW) == BitMap([kept.pk])


def test_a_segment_with_an_unknown_topic_is_refused_in_words():
    assert segments.problems(rule("granted", "nonsense"))


def test_erasing_empties_addresses_and_keeps_the_wish_never_to_be_contacted():
    person = people.person(email="gone@example.no")
    yes(person, address="gone@example.no", evidence={"ip": "10.0.0.1"})
    hashed = ConsentEvent.objects.get().address_hash

    erasure.erase([person.pk], [("email", "gone@example.no")], NOW)

    line = ConsentEvent.objects.get()
    assert (line.address, line.evidence, line.address_hash) == ("", {}, hashed)
    assert not ConsentState.objects.exists()
    again = people.person(email="gone@example.no")
    yes(again, by_person=False)
    judgement = gate.judge(people=BitMap([again.pk]), channel="email", purpose=purpose(), at=NOW)
    assert judgement.denied == {Reason.ERASED: BitMap([again.pk])}


def test_the_export_holds_every_word_said():
    person = people.person()
    yes(person)
    no(person, at=NOW)

    assert [line["said"] for line in erasure.export([person.pk])["events"]] == ["grant", "withdraw"]
