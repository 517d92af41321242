"""One joint campaign of two: measured, signed by both leads, nothing lost, and the shared people get one message."""

from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.urls import reverse
from pyroaring import BitMap

from apps.accounts.models import AuditEvent, Notification, Role
from apps.campaigns import approval, partners, planning
from apps.campaigns.conflicts import agree, history, listing, loading, panels, resolve
from apps.campaigns.models import Agreement, Campaign, Conflict, Message, Programme
from apps.campaigns.scenarios import applying, drafting
from apps.campaigns.sending import agreements, aliases
from apps.reporting import decisions
from tests.factories.accounts import DepartmentFactory, UserFactory
from tests.factories.campaigns import NOW, ContentVersionFactory, MessageFactory, ProgrammeFactory
from tests.factories.sending import sign

from .conftest import count, planned
from .test_agree import LATER, both_sign, propose

pytestmark = pytest.mark.django_db
SHARED = set(range(40, 100))


@pytest.fixture
def pair(scene):
    """The scene with a second mail of Online, five days ahead, to 90..149: ten of them are Retail's too."""
    MessageFactory(
        campaign=scene.online, name="Second", send_at=NOW + timedelta(days=5), plan_audience=BitMap(range(90, 150)), plan_count=60,
        plan_computed_at=NOW,
    )
    count()
    return scene


def key(scene):
    return f"merge:{scene.retail.pk}"


def way(scene):
    return {way.key: way for way in resolve.ways_out(scene.conflict, now=NOW)}[key(scene)]


def merged(scene):
    both_sign(scene, key(scene))
    return Campaign.objects.exclude(pk__in=[scene.retail.pk, scene.online.pk]).get(merged_from=scene.retail)


def test_it_is_measured_who_is_contacted_once_instead_of_twice_and_what_is_gone(pair):
    measured = way(pair)
    # 40..99 no longer get Online's first mail, 90..99 not its second either: 60 people, 70 sends.
    assert (measured.reached, measured.saved, measured.people_lost, measured.still_both) == (60, 70, 0, 0)
    assert {effect.rule: (effect.before, effect.after) for effect in measured.effects} == {"offers": (60, 0), "overlap": (60, 0)}
    assert (measured.others, measured.arising) == (0, ())


def test_what_the_parts_have_with_others_today_does_not_count_as_new(pair):
    planned(DepartmentFactory(name="Loyalty", slug="loyalty"), range(80, 130), days=2, name="Loyalty")
    count()
    assert Conflict.objects.filter(second_campaign__name="Loyalty").count() == 2
    assert way(pair).arising == ()


def test_both_leads_sign_and_the_joint_campaign_takes_over_everything(pair):
    words = ContentVersionFactory(message=pair.retail.messages.get())
    before = {row.pk: (row.name, row.send_at, row.offer_id) for row in Message.objects.all()}
    proposal = propose(pair, key(pair))
    assert proposal.state == "proposed"
    assert Campaign.objects.count() == 2
    agree.sign(actor=pair.retail_lead, resolution=proposal, agrees=True, now=LATER)
    made = Campaign.objects.get(merged_from=pair.retail)
    assert (made.status, made.department, [*made.partners.all()]) == ("draft", pair.retail.department, [pair.online.department])
    assert {row.pk: (row.name, row.send_at, row.offer_id) for row in made.messages.all()} == before
    assert made.messages.get(versions=words).campaign == made
    assert (made.starts_on, made.ends_on) == (pair.retail.starts_on, pair.online.ends_on)
    assert Programme.objects.get() == made.programme
    for part in (pair.retail, pair.online):
        part.refresh_from_db()
        assert (part.status, part.merged_into, part.messages.count()) == ("cancelled", made, 0)
        assert part.name in made.brief
    assert set(Conflict.objects.values_list("state", flat=True)) == {"resolved"}
    assert AuditEvent.objects.filter(action="message.joined").count() == 3
    assert {line.deed for line in history.of(panels.of(proposal.conflict_id, user=pair.retail_lead, now=LATER))} >= {"Applied", "Signed"}


def test_shared_people_get_one_message_in_the_plan_and_in_the_claim_also_who_joins_late(pair, monkeypatch):
    made = merged(pair)
    plan = loading.load(now=LATER)
    net = {message.id: set(plan.people.of(message)) for message in plan.campaigns[made.pk].messages}
    retail, first, second = made.messages.order_by("send_at").values_list("pk", flat=True)
    assert net == {retail: set(range(100)), first: set(range(100, 240)), second: set(range(100, 150))}
    Message.objects.filter(pk=retail).update(plan_audience=BitMap([*range(100), 239]))
    Campaign.objects.filter(pk=made.pk).update(status="scheduled")
    monkeypatch.setattr(agreements, "contactable", lambda message, people, at: people)
    message = Message.objects.select_related("campaign", "purpose").get(pk=first)
    asked = BitMap(range(40, 240))
    out = BitMap.union(BitMap(), *(people for _a, people in agreements.left_to_others(message, asked, LATER, aliases.of(asked))))
    assert set(out) == SHARED | {239}
    count(LATER)
    assert not Conflict.objects.filter(first_campaign=made).exclude(state="obsolete").exists()


def test_the_programme_that_they_share_is_used(pair):
    programme = ProgrammeFactory(budget=9000)
    Campaign.objects.filter(pk__in=[pair.retail.pk, pair.online.pk]).update(programme=programme)
    made = merged(pair)
    assert (made.programme, Programme.objects.count(), made.takes_dates) == (programme, 1, False)


def test_it_goes_on_following_days_of_the_programme_that_it_fills(pair):
    programme = ProgrammeFactory(starts_on=pair.retail.starts_on, ends_on=pair.online.ends_on)
    Campaign.objects.filter(pk=pair.retail.pk).update(programme=programme, takes_dates=True)
    assert merged(pair).takes_dates


def test_a_new_programme_has_the_money_and_days_of_both_and_the_joint_campaign_inherits_them(pair):
    Campaign.objects.filter(pk=pair.retail.pk).update(budget=300)
    Campaign.objects.filter(pk=pair.online.pk).update(budget=200)
    made = merged(pair)
    assert (made.programme.budget, made.budget, made.takes_dates) == (500, None, True)
    assert "200" in made.brief


@pytest.mark.parametrize("status", ["live", "paused"])
def test_it_is_refused_in_words_when_one_runs_already(pair, status, client):
    Campaign.objects.filter(pk=pair.online.pk).update(status=status)
    assert key(pair) not in {way.key for way in resolve.ways_out(pair.conflict, now=NOW)}
    with pytest.raises(ValidationError, match="Black Week online"):
        propose(pair, key(pair))
    client.force_login(pair.retail_lead)
    assert "They cannot become one joint campaign" in client.get(reverse("campaigns:conflict", args=[pair.conflict.pk])).content.decode()


def test_one_that_begins_before_the_other_lead_signs_refuses_the_signature(pair):
    proposal = propose(pair, key(pair))
    Campaign.objects.filter(pk=pair.retail.pk).update(status="live")
    with pytest.raises(ValidationError, match="Black Week in store"):
        agree.sign(actor=pair.retail_lead, resolution=proposal, agrees=True, now=LATER)
    assert Campaign.objects.count() == 2
    assert proposal.signatures.count() == 1


def test_what_one_part_agreed_with_others_goes_with_its_messages(pair):
    third = planned(DepartmentFactory(name="Loyalty", slug="loyalty"), range(200, 240), days=3, name="Loyalty")
    count()
    with_third = Conflict.objects.get(rule="overlap", first_campaign=pair.online, second_campaign=third)
    lead = UserFactory(role="lead", department=third.department)
    proposal = agree.propose(actor=pair.online_lead, conflict=with_third, way=f"leave_out:{pair.online.pk}", now=NOW)
    agree.sign(actor=lead, resolution=proposal, agrees=True, now=LATER)
    made = merged(pair)
    carried = Agreement.objects.filter(resolution=proposal, ended_at=None)
    online = set(made.messages.exclude(name__in=made.messages.order_by("send_at").values_list("name", flat=True)[:1]).values_list("pk", flat=True))
    assert {(row.yielding_campaign, row.keeping_campaign, row.yielding_message_id) for row in carried} == {(made, third, pk) for pk in online}
    plan = loading.load(now=LATER)
    first = made.messages.order_by("send_at")[1]
    assert set(plan.people.of(plan.messages[first.pk])) == set(range(100, 200))


def test_people_of_both_departments_change_it_and_the_leading_one_approves(pair):
    made = merged(pair)
    stranger = UserFactory(role="lead", department=DepartmentFactory(name="Loyalty", slug="loyalty"))
    assert [partners.may_edit(who, made) for who in (pair.retail_lead, pair.online_lead, stranger)] == [True, True, False]
    assert not partners.may_edit(UserFactory(role=Role.AGENT, department=pair.online.department), made)
    changed = planning.change_campaign(
        actor=pair.online_lead, campaign=made, values={"goal": "Together"}, expected_version=made.version, now=LATER
    )
    assert changed.goal == "Together"
    with pytest.raises(PermissionDenied):
        planning.change_campaign(actor=stranger, campaign=made, values={"goal": "x"}, expected_version=changed.version, now=LATER)
    approval.submit(actor=pair.online_lead, campaign=made, now=LATER)
    assert (approval.may_decide(pair.retail_lead, made), approval.may_decide(pair.online_lead, made)) == (True, False)


def test_old_approvals_do_not_cover_it_and_it_is_for_good(pair):
    given = [sign(part) for part in (pair.retail, pair.online)]
    resolution = both_sign(pair, key(pair))
    for approval_row in given:
        approval_row.refresh_from_db()
        assert approval_row.state == "void"
    assert not agree.may_end(pair.retail_lead, resolution)


def test_the_old_pages_lead_to_the_joint_campaign_and_it_shows_both_departments(pair, client):
    made = merged(pair)
    client.force_login(pair.online_lead)
    old = client.get(reverse("campaigns:detail", args=[pair.retail.pk])).content.decode()
    assert reverse("campaigns:detail", args=[made.pk]) in old
    page = client.get(reverse("campaigns:detail", args=[made.pk])).content.decode()
    assert "People of all these departments change it" in page
    listed = client.get(reverse("campaigns:list"), {"department": "online"}).content.decode()
    assert made.name in listed
    assert client.get(reverse("campaigns:programme", args=[made.programme_id])).status_code == 200


@pytest.fixture
def loyal(scene):
    """Online's campaign is a joint one with Loyalty, and Loyalty's lead is here."""
    department = DepartmentFactory(name="Loyalty", slug="loyalty")
    scene.online.partners.add(department)
    return UserFactory(role=Role.LEAD, department=department)


def test_what_a_joint_campaign_has_with_a_third_one_is_signed_by_its_partner_too(scene, loyal, client):
    made = propose(scene, f"leave_out:{scene.online.pk}")
    assert {each.slug for each in made.needs_departments.all()} == {"retail", "online", "loyalty"}
    assert [each.url for each in decisions.ranked(loyal, now=LATER)] == [reverse("campaigns:conflict", args=[scene.conflict.pk])]
    assert agree.sign(actor=scene.retail_lead, resolution=made, agrees=True, now=LATER).state == "proposed"
    client.force_login(loyal)
    assert "Agree and sign" in client.get(reverse("campaigns:conflict", args=[scene.conflict.pk])).content.decode()
    assert scene.conflict in listing.Filters(department="loyalty").narrow(Conflict.objects.all())
    assert agree.sign(actor=loyal, resolution=made, agrees=True, now=LATER).state == "applied"


def test_leads_of_partners_are_told_of_what_their_joint_campaign_has_with_others(scene, loyal):
    Conflict.objects.all().delete()
    count()
    assert Notification.objects.filter(user=loyal, code="conflict.found").exists()


def test_a_what_if_of_a_joint_campaign_holds_only_once_its_partner_signed_too(scene, loyal):
    alone = planned(scene.online.department, range(900, 950), days=20, name="Alone")
    alone.partners.add(loyal.department)
    count()
    scenario = drafting.create(actor=scene.online_lead, name="Try", first=NOW.date(), last=NOW.date() + timedelta(days=40), now=NOW)
    change = drafting.put(
        actor=scene.online_lead, scenario=scenario, kind="move", campaign=alone, parameters={"days": 3}, now=NOW
    )
    (row,) = applying.apply(actor=scene.online_lead, scenario=scenario, change_ids=[change.pk], now=LATER)
    assert row.state == "proposed"
    assert {each.slug for each in row.resolution.needs_departments.all()} == {"online", "loyalty"}
    assert Campaign.objects.get(pk=alone.pk).starts_on == alone.starts_on
    assert agree.sign(actor=loyal, resolution=row.resolution, agrees=True, now=LATER).state == "applied"
    assert Campaign.objects.get(pk=alone.pk).starts_on == alone.starts_on + timedelta(days=3)
