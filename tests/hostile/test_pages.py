"""Pages under attack: other people's things, torn input, two people at once. Words each time, and nothing lost."""

from datetime import timedelta
from urllib.parse import quote

import pytest
from django.urls import reverse

from apps.accounts.models import AuditEvent, Role
from apps.campaigns.conflicts import sentences
from apps.campaigns.models import Brand, Campaign, ContentVersion, Message, Offer, Programme
from apps.core import clock
from apps.core.formulas import defuse
from apps.customers.models import ImportJob
from tests.customers.importing import upload
from tests.factories import campaigns as make
from tests.factories.accounts import UserFactory
from tests.factories.customers import SegmentFactory, person

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _now(monkeypatch):
    monkeypatch.setattr(clock, "now", lambda: make.NOW)


@pytest.fixture
def message():
    return make.MessageFactory(include=[SegmentFactory()])


def signed_in(client, **fields):
    user = UserFactory(**fields)
    client.force_login(user)
    return user


def test_the_history_of_a_person_names_nobody(client):
    customer = person(name="Kari Hansen")
    signed_in(client)
    page = client.get(reverse("accounts:history", args=["customers.customer", customer.pk])).content.decode()
    assert "Hansen" not in page
    assert f"{customer.pk}" in page


@pytest.mark.parametrize("kind", ["accounts.user", "accounts.apitoken", "accounts.notification", "customers.contactpoint",
                                  "consent.suppression", "sessions.session", "channels.inboundmessage", "auth.group"])  # fmt: skip
@pytest.mark.parametrize("key", ["1", "x", "99999999999999999999", "%00", "9" * 300])
def test_the_history_of_anything_answers(client, kind, key):
    signed_in(client)
    assert client.get(f"/history/{kind}/{key}/").status_code in (200, 400, 404)


def test_the_first_rows_of_a_file_are_shown_to_who_uploaded_it_and_to_the_privacy_role_only(client):
    job = upload("id,name\n1,Kari Hansen\n")
    address = reverse("customers:import_mapping", args=[job.pk])
    signed_in(client)
    assert "Hansen" not in client.get(address).content.decode()
    signed_in(client, handles_personal_data=True)
    assert "Hansen" in client.get(address).content.decode()
    assert AuditEvent.objects.filter(action="people.opened", after__where="import sample").count() == 1
    mine = signed_in(client)
    ImportJob.objects.update(created_by=mine)
    assert "Hansen" in client.get(address).content.decode()


def test_a_day_that_does_not_exist_is_told_to_whoever_approves(client, message):
    signed_in(client, role=Role.LEAD, department=message.campaign.department)
    address = reverse("campaigns:decide", args=[message.campaign_id])
    for day in ("2027-02-30", "9999-99-99", "x", "9" * 5000):
        answer = client.post(address, {"answer": "yes", "digest": "", "valid_until": day}, follow=True)
        assert answer.status_code == 200
        assert "valid date" in answer.content.decode()


def test_the_sentence_of_a_gap_is_shown_with_its_hours(client):
    first, second = make.CampaignFactory(name="<b>One</b>"), make.CampaignFactory()
    from apps.campaigns.models import Conflict

    conflict = Conflict.objects.create(
        rule="spacing", identity="spacing:1-1-2", first_campaign=first, second_campaign=second, severity=2, people_count=3,
        facts={"name": "Peace <i>", "gap_hours": 24, "hours_apart": 2, "hours_spread": 2}, found_at=make.NOW,
        updated_at=make.NOW, first_at=make.NOW,
    )  # fmt: skip
    assert "24 hours" in sentences.marked(conflict)
    assert "<i>" not in sentences.marked(conflict)
    signed_in(client)
    assert client.get(reverse("campaigns:conflicts")).status_code == 200


def test_numbers_of_thousands_of_digits_are_answered_in_words(client, message):
    signed_in(client, role=Role.LEAD, department=message.campaign.department)
    long = "9" * 5000
    for address, posted in {
        reverse("accounts:notifications"): {"id": long},
        reverse("campaigns:live-act", args=[message.campaign_id]): {"act": "stop", "message": long},
        reverse("campaigns:sending-act"): {"act": "stop", "department": long},
    }.items():
        assert client.post(address, posted).status_code in (302, 400, 404), address


def _goods(department):
    return {
        "offer": (make.OfferFactory(department=department), "name", Offer),
        "programme": (make.ProgrammeFactory(), "name", Programme),
        "brand": (make.BrandFactory(department=department), "company_name", Brand),
    }


@pytest.mark.parametrize("kind", ["offer", "programme", "brand"])
def test_of_two_people_who_edit_offer_programme_or_brand_none_loses_a_word(client, message, kind):
    user = signed_in(client, role=Role.LEAD, department=message.campaign.department)
    row, field, model = _goods(user.department)[kind]
    address = reverse(f"campaigns:{kind}", args=[user.department.slug if kind == "brand" else row.pk])
    form = client.get(address).context["form"]
    opened = {name: form[name].value() for name in form.fields if form[name].value() is not None}
    opened |= {name: value.isoformat() for name, value in opened.items() if hasattr(value, "isoformat")}
    assert client.post(address, opened | {field: "Hers"}).status_code == 302
    his = client.post(address, opened | {field: "His"})
    assert "Somebody changed this while you were editing" in his.content.decode()
    assert model.objects.filter(**{field: "Hers"}).exists()
    assert "His" in his.content.decode()
    again = opened | {field: "His", "seen": his.context["form"]["seen"].value()}
    assert client.post(address, again).status_code == 302
    assert model.objects.filter(**{field: "His"}).exists()
    without = {name: value for name, value in opened.items() if name != "seen"}
    client.post(address, without | {field: "Blind"})
    assert not model.objects.filter(**{field: "Blind"}).exists()


def test_an_agent_opens_no_page_that_plans(client, message):
    signed_in(client, role=Role.AGENT, department=message.campaign.department)
    for name in ("campaigns:new", "campaigns:offer-new", "customers:import_upload", "customers:segment_new_list",
                 "campaigns:print-files", "campaigns:sending", "channels:new"):  # fmt: skip
        assert client.get(reverse(name)).status_code == 403, name
    pk = message.campaign_id
    for name, args in (("submit", [pk]), ("launch", [pk]), ("cancel", [pk]), ("message-remove", [pk, message.pk])):
        assert client.post(reverse(f"campaigns:{name}", args=args)).status_code == 403, name
    assert Message.objects.filter(pk=message.pk).exists()


def test_colleagues_of_another_department_change_nothing_whatever_address_they_know(client, message):
    words = make.ContentVersionFactory(message=message)
    mine = make.MessageFactory()
    signed_in(client, role=Role.LEAD, department=mine.campaign.department)
    pk, before = message.campaign_id, ContentVersion.objects.values().get(pk=words.pk)
    version = [pk, message.pk, words.pk]
    for name, args in {
        "detail": [pk], "audience": [pk], "schedule": [pk], "submit": [pk], "launch": [pk], "cancel": [pk], "pause": [pk],
        "decide": [pk], "live-act": [pk], "message-settings": version[:2], "message-remove": version[:2],
        "message-copy": version[:2], "message-rule": version[:2], "version-add": version[:2], "version-save": version,
        "version-remove": version, "version-fallback": version,
    }.items():  # fmt: skip
        posted = {"name": "Mine", "message": message.pk, "act": "stop", "language": "pl", "subject": "Mine", "do": "clear",
                  "version": 1, "answer": "yes"}  # fmt: skip
        answer = client.post(reverse(f"campaigns:{name}", args=args), posted)
        assert answer.status_code in (200, 302, 403, 409, 422), name
    crossed = reverse("campaigns:version-save", args=[mine.campaign_id, mine.pk, words.pk])
    assert client.post(crossed, {"subject": "Mine", "version": 1}).status_code == 404
    assert ContentVersion.objects.values().get(pk=words.pk) == before
    assert Campaign.objects.get(pk=pk).status == "draft"
    assert Campaign.objects.get(pk=pk).messages.count() == 1


def test_a_schedule_in_a_gap_hour_in_the_past_or_beyond_time_is_refused_in_words(client, message):
    signed_in(client, department=message.campaign.department)
    address, prefix = reverse("campaigns:schedule", args=[message.campaign_id]), f"m{message.pk}-"
    for day, hour in (("2027-03-28", "02:30"), ("2020-01-01", "10:00"), ("9999-12-31", "10:00"), ("0001-01-01", "00:00")):
        answer = client.post(address, {
            "message": message.pk, f"{prefix}day": day, f"{prefix}clock": hour, f"{prefix}version": 1, f"{prefix}timing": "fixed",
        })  # fmt: skip
        assert answer.status_code == 200, day
        assert "error" in answer.content.decode(), day
    message.refresh_from_db()
    assert message.send_at == make.NOW + timedelta(days=2)


@pytest.mark.parametrize("there", ["//evil.example", "https://evil.example/", "javascript:alert(1)", "/\\evil.example", "http:evil"])
def test_nobody_is_led_elsewhere_after_choosing_a_language_or_signing_in(client, there):
    answer = client.post(reverse("accounts:language"), {"language": "pl", "next": there})
    assert "evil" not in answer.url
    assert "script" not in answer.url
    page = client.get(f"{reverse('account_login')}?next={quote(there)}")
    user = UserFactory()
    done = client.post(reverse("account_login") + f"?next={quote(there)}",
                       {"login": user.email, "password": "a long enough password", "next": there})  # fmt: skip
    assert page.status_code == 200
    assert "evil" not in done.get("location", "")
    assert "script:" not in done.get("location", "")


@pytest.mark.parametrize("cell", ["x;=cmd|' /C calc'!A0", "x,@SUM(1)", 'x";=1+1', "x\n=1+1", "x\t+cmd()", "x ; -cmd()"])
def test_a_cell_that_another_countrys_separator_parts_runs_nothing(cell):
    assert defuse(cell) != cell
    assert defuse("Bath, -20% and 3,50; -5") == "Bath, -20% and 3,50; -5"


def test_an_account_of_another_tool_cannot_send_and_every_page_says_so(client, message):
    make.BrandFactory(department=message.campaign.department)
    version = make.ContentVersionFactory(message=message)
    Message.objects.update(account=make.MailAccountFactory(name="Other tool", adapter=""))
    signed_in(client, role=Role.LEAD, department=message.campaign.department)
    pk = message.campaign_id
    for name, args in (("approve", [pk]), ("check", [pk]), ("message", [pk, message.pk]), ("schedule", [pk]), ("live", [pk])):
        assert client.get(reverse(f"campaigns:{name}", args=args)).status_code == 200, name
    assert "only counts what other tools send" in client.get(reverse("campaigns:check", args=[pk])).content.decode()
    assert client.post(reverse("campaigns:test-send", args=[pk, message.pk, version.pk])).status_code == 302
