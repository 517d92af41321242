"""Control groups and versions: by chance, but the same chance every time."""

from hashlib import blake2b

import pytest
from pyroaring import BitMap

from apps.campaigns.models import Delivery, Run
from apps.campaigns.sending import arms, proof
from apps.consent.models import Purpose
from apps.customers.models import Customer
from tests.factories.sending import LONG_AGO, make_message, make_people, plan_one, send_all, sign

pytestmark = pytest.mark.django_db(transaction=True)
PEOPLE = BitMap(range(1, 20_001))


def test_a_draw_is_repeatable_and_near_its_share():
    first = arms.draw(PEOPLE, "one", [0.1])[0]
    assert arms.draw(PEOPLE, "one", [0.1])[0] == first
    assert 0.09 < len(first) / len(PEOPLE) < 0.11


def test_a_draw_is_the_hash_of_salt_and_id_as_a_fraction_of_one():
    """Oracle: what the module says of a draw, person by person. Whoever was drawn must stay drawn for ever."""
    people, shares = BitMap([*range(1, 500), 70_000, 2**32 - 1]), [0.2, 0.3, 0.5]
    expected: list[set[int]] = [set(), set(), set()]
    for one in people:
        place = int.from_bytes(blake2b(b"salt" + one.to_bytes(4, "big"), digest_size=8).digest(), "big") / 2**64
        expected[0 if place < 0.2 else 1 if place < 0.5 else 2].add(one)
    assert [set(group) for group in arms.draw(people, "salt", shares)] == expected
    assert arms.draw(people, "salt", [1.0]) == [people]
    assert arms.draw(people, "salt", [0.0]) == [BitMap()]


def test_a_large_group_is_remembered_as_it_was_drawn():
    assert len(PEOPLE) >= arms.WORTH_KEEPING
    fresh = arms.draw(PEOPLE, "kept", [0.1])[0]
    assert [arms.kept(PEOPLE, "kept", 0.1) for _time in range(2)] == [fresh, fresh]
    fewer = PEOPLE - BitMap(range(1, 100))
    assert arms.kept(fewer, "kept", 0.1) == fresh & fewer
    assert arms.kept(PEOPLE, "kept", 0.0) == BitMap()


def test_draws_with_different_salts_know_nothing_of_each_other():
    one, two = arms.draw(PEOPLE, "one", [0.5])[0], arms.draw(PEOPLE, "two", [0.5])[0]
    assert 0.24 < len(one & two) / len(PEOPLE) < 0.26


def test_somebody_keeps_their_side_when_the_audience_grows():
    small = BitMap(range(1, 1001))
    assert arms.draw(small, "one", [0.3])[0] == arms.draw(PEOPLE, "one", [0.3])[0] & small


def test_the_split_covers_everybody_and_nobody_twice():
    message = make_message(PEOPLE, variants_share={"A": 1, "B": 3})
    found = {arm.code: arm.people for arm in arms.drawn(message, PEOPLE)}
    assert found["A"] | found["B"] == PEOPLE
    assert not found["A"] & found["B"]
    assert 0.24 < len(found["A"]) / len(PEOPLE) < 0.26


def test_the_control_group_is_held_out_only_of_those_who_would_have_got_it(provider):
    people, strangers = make_people(60), make_people(40, agreed=False)
    message = make_message(people | strangers, campaign__control_share="0.5")
    send_all()
    shown = proof.run_proof(Run.objects.get(message=message))
    held = arms.campaign_control(message, people)
    assert (shown["held_out"], shown["sent"], shown["refused"]) == (len(held), 60 - len(held), {"no_consent": 40})


def test_the_universal_control_group_is_the_same_for_every_campaign(provider, settings):
    settings.UNIVERSAL_CONTROL_PERCENT = 30
    people = make_people(100)
    groups = []
    for _ in range(2):
        message = make_message(people)
        send_all()
        groups.append(BitMap(Delivery.objects.filter(message_id=message.pk, outcome="held_out").values_list("customer_id", flat=True)))
    assert groups[0] == groups[1]
    assert 10 < len(groups[0]) < 50


def test_safety_knows_no_control_group(provider, settings):
    settings.UNIVERSAL_CONTROL_PERCENT = 50
    safety = Purpose.objects.create(code="recall", name="Recall", purpose_class="safety", needs_consent=False)
    run = plan_one(make_message(make_people(20), purpose=safety, campaign__control_share="0.9"))
    send_all()
    assert proof.run_proof(run)["sent"] == 20


def test_arms_may_come_from_an_imported_column(provider):
    people = list(make_people(9))
    for number, one in enumerate(people):
        value = ["Mens E-Mail", "Womens E-Mail", "No E-Mail"][number % 3]
        Customer.objects.filter(pk=one).update(attributes={"segment": value})
    message = make_message(BitMap(people), arms_attribute="segment")
    message.versions.all().delete()
    for variant in ("Mens E-Mail", "Womens E-Mail"):
        message.versions.create(language="nb", variant=variant, format="text", body="Hei", is_fallback=True, updated_at=LONG_AGO)
    message.campaign.approvals.all().delete()
    sign(message.campaign)
    send_all()
    shown = proof.run_proof(Run.objects.get(message=message))
    assert (shown["sent"], shown["held_out"]) == (6, 3)
    rows = Delivery.objects.filter(outcome="sent").values_list("variant", flat=True)
    assert sorted(rows) == ["Mens E-Mail"] * 3 + ["Womens E-Mail"] * 3
