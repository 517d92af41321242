"""The pages of a campaign, as colleagues use them."""

from datetime import timedelta

import pytest
from django.urls import reverse

from apps.accounts.models import AuditEvent, Role
from apps.campaigns.models import Campaign, ContentVersion, Message
from apps.core import clock
from tests.factories import campaigns as make
from tests.factories.accounts import DepartmentFactory, UserFactory
from tests.factories.customers import SegmentFactory, person

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _now(monkeypatch):
    monkeypatch.setattr(clock, "now", lambda: make.NOW)


@pytest.fixture
def campaign():
    made = make.CampaignFactory(name="Black Week online", goal="4500 orders", budget=36000)
    make.BrandFactory(department=made.department, logo=None)
    message = make.MessageFactory(campaign=made, name="Announcement", include=[SegmentFactory()], offer=make.OfferFactory())
    make.ContentVersionFactory(message=message)
    make.ContentVersionFactory(message=message, language="pl", is_fallback=False, subject="Cześć {{ customer.given_name }}")
    person(language="nb", given_name="Kari")
    return made


@pytest.fixture
def browser(client, campaign):
    client.force_login(campaign.owner)
    return client


def there(name, campaign, *more):
    return reverse(f"campaigns:{name}", args=[campaign.pk, *more])


@pytest.mark.parametrize("name", ["detail", "audience", "messages", "schedule", "check", "approve", "message-new", "copy"])
def test_every_tab_opens_for_its_own_people(browser, campaign, name):
    assert browser.get(there(name, campaign)).status_code == 200


@pytest.mark.parametrize("name", ["detail", "audience", "messages", "schedule", "check", "approve"])
def test_every_tab_opens_for_other_departments_without_a_form(client, campaign, name):
    client.force_login(UserFactory())
    answer = client.get(there(name, campaign))
    assert answer.status_code == 200
    assert "Ask for approval" not in answer.content.decode()


@pytest.mark.parametrize("name", ["list", "new", "offers", "offer-new", "brands", "programmes"])
def test_every_list_opens(browser, name):
    assert browser.get(reverse(f"campaigns:{name}")).status_code == 200


def test_the_list_is_filtered_by_state_department_and_words(browser, campaign):
    make.CampaignFactory(name="Spring", status="done")
    page = browser.get(reverse("campaigns:list"), {"status": "open", "q": "black"}).content.decode()
    assert "Black Week online" in page
    assert "Spring" not in page


def test_a_campaign_is_planned_with_a_message_from_first_to_last_click(browser, campaign):
    answer = browser.post(reverse("campaigns:new"), {
        "name": "Winter", "starts_on": "2026-11-20", "ends_on": "2026-11-30", "owner": campaign.owner_id, "currency": "EUR",
        "priority": 50, "control_percent": "10",
    })  # fmt: skip
    made = Campaign.objects.get(name="Winter")
    assert answer.url == there("messages", made)
    assert float(made.control_share) == 0.1
    answer = browser.post(there("message-new", made), {
        "name": "First", "channel": "email", "kind": "addressed", "purpose": make.OffersPurposeFactory().pk,
        "account": make.MailAccountFactory().pk, "day": "2026-11-21", "clock": "09:00", "timing": "fixed",
        "include": [SegmentFactory().pk],
    })  # fmt: skip
    message = made.messages.get()
    assert answer.url == there("message", made, message.pk)
    assert message.send_at.isoformat() == "2026-11-21T08:00:00+00:00"


def test_a_time_that_does_not_exist_is_refused_in_words_beside_its_field(browser, campaign):
    Campaign.objects.filter(pk=campaign.pk).update(ends_on="2027-04-30")
    message = campaign.messages.get()
    answer = browser.post(there("schedule", campaign), {
        "message": message.pk, f"m{message.pk}-day": "2027-03-28", f"m{message.pk}-clock": "02:30",
        f"m{message.pk}-timing": "fixed", f"m{message.pk}-version": 1,
    })  # fmt: skip
    assert "the clock is put forward" in answer.content.decode()


def test_a_time_in_the_past_is_refused_in_words(browser, campaign):
    message = campaign.messages.get()
    answer = browser.post(there("schedule", campaign), {
        "message": message.pk, f"m{message.pk}-day": "2026-11-18", f"m{message.pk}-clock": "08:00",
        f"m{message.pk}-timing": "fixed", f"m{message.pk}-version": 1,
    })  # fmt: skip
    assert "already gone by" in answer.content.decode()


def test_two_people_editing_one_brief_see_both_versions(browser, campaign):
    Campaign.objects.filter(pk=campaign.pk).update(name="Theirs", version=2)
    answer = browser.post(there("detail", campaign), {
        "name": "Mine", "starts_on": "2026-11-18", "ends_on": "2026-11-30", "owner": campaign.owner_id, "currency": "EUR",
        "priority": 50, "version": 1,
    })  # fmt: skip
    page = answer.content.decode()
    assert answer.status_code == 409
    assert "Theirs" in page
    assert "Mine" in page
    assert Campaign.objects.get(pk=campaign.pk).name == "Theirs"


def test_the_check_counts_people_and_opens_them_masked_and_logged(browser, campaign):
    page = browser.get(there("check", campaign)).content.decode()
    assert "Who will be contacted" in page
    people = browser.get(there("check-people", campaign), {"step": "audience"}).content.decode()
    assert "Hansen" not in people
    assert AuditEvent.objects.filter(action__contains="people").exists()


def test_asking_approving_and_scheduling_go_through_two_people(browser, client, campaign):
    lead = make.lead(campaign.department)
    browser.post(there("submit", campaign))
    client.force_login(lead)
    digest = client.get(there("approve", campaign)).context["digest"]
    client.post(there("decide", campaign), {"answer": "yes", "digest": digest})
    campaign.refresh_from_db()
    assert campaign.status == "approved"
    client.force_login(campaign.owner)
    for _click in range(2):
        client.post(there("launch", campaign))
    campaign.refresh_from_db()
    assert campaign.status == "scheduled"


class TestEditor:
    @pytest.fixture
    def version(self, campaign):
        return ContentVersion.objects.get(language="nb")

    def address(self, name, version, *more):
        return reverse(f"campaigns:{name}", args=[version.message.campaign_id, version.message_id, version.pk, *more])

    def posted(self, version, **changes):
        form = {"version": version.revision, "subject": version.subject, "has_blocks": "1", "block": []}
        for block in version.blocks:
            form["block"].append(block["id"])
            form |= {f"{block['id']}-{name}": value for name, value in block.items() if name != "id" and value is not None}
        return form | changes

    def test_the_editor_shows_words_fields_and_preview(self, browser, campaign, version):
        page = browser.get(there("message", campaign, version.message_id)).content.decode()
        for wanted in ("Vinteren er her", "customer.given_name", "iframe", "Hei K…"):
            assert wanted in page

    def test_blocks_are_added_moved_and_removed_by_buttons(self, browser, version):
        for order in ("add:divider", "up:b3", "remove:b1"):
            version.refresh_from_db()
            browser.post(self.address("version-save", version), self.posted(version, do=order))
        version.refresh_from_db()
        assert [block["kind"] for block in version.blocks] == ["button", "text", "divider"]

    def test_autosave_answers_with_the_new_revision(self, browser, version):
        answer = browser.post(self.address("version-save", version), self.posted(version, subject="Ny"),
                              headers={"X-Requested-With": "autosave"})  # fmt: skip
        assert answer.json()["version"] == 2

    def test_autosave_of_two_authors_refuses_the_second_and_keeps_both(self, browser, version):
        browser.post(self.address("version-save", version), self.posted(version, subject="Første"))
        answer = browser.post(self.address("version-save", version), self.posted(version, subject="Andre"),
                              headers={"X-Requested-With": "autosave"})  # fmt: skip
        assert answer.status_code == 409
        page = browser.post(self.address("version-save", version), self.posted(version, subject="Andre"))
        assert page.status_code == 409
        assert "Første" in page.content.decode()
        assert "Andre" in page.content.decode()

    def test_an_unknown_merge_field_is_named_in_words(self, browser, campaign, version):
        browser.post(self.address("version-save", version), self.posted(version, subject="{{ customer.given_nam }}"))
        page = browser.get(there("message", campaign, version.message_id)).content.decode()
        assert "There is no merge field" in page
        assert "customer.given_name" in page

    def test_an_endless_template_is_explained_and_kept_for_mending(self, browser, campaign, version):
        endless = "{% for i in (1..100000) %}{% for j in (1..100000) %}x{% endfor %}{% endfor %}"
        browser.post(self.address("version-save", version), self.posted(version, subject=endless))
        page = browser.get(there("message", campaign, version.message_id)).content.decode()
        assert "A loop runs too long" in page
        assert ContentVersion.objects.get(pk=version.pk).subject == endless

    def test_a_subject_that_is_too_long_is_named_and_what_was_typed_stays(self, browser, version):
        answer = browser.post(self.address("version-save", version), self.posted(version, subject="x" * 301))
        assert answer.status_code == 422
        assert "at most 300 characters" in answer.content.decode()
        assert "x" * 301 in answer.content.decode()

    def test_an_impossible_address_is_refused_and_what_was_typed_stays(self, browser, version):
        answer = browser.post(self.address("version-save", version), self.posted(version, **{"b3-url": "javascript:alert(1)"}))
        assert answer.status_code == 422
        assert "javascript:alert(1)" in answer.content.decode()

    def test_the_preview_frame_is_sealed_off(self, browser, version):
        answer = browser.get(self.address("preview-frame", version))
        assert "default-src 'none'" in answer["Content-Security-Policy"]
        assert "sandbox" in answer["Content-Security-Policy"]
        assert answer["X-Frame-Options"] == "SAMEORIGIN"

    def test_an_earlier_text_is_compared_and_brought_back(self, browser, version):
        old = version.subject
        browser.post(self.address("version-save", version), self.posted(version, subject="Ny"))
        assert "Ny" in browser.get(self.address("revision", version, 1)).content.decode()
        browser.post(self.address("version-restore", version), {"number": 1})
        version.refresh_from_db()
        assert version.subject == old

    def test_a_language_is_added_with_the_words_of_another(self, browser, campaign, version):
        browser.post(there("version-add", campaign, version.message_id), {"language": "en", "variant": "A", "copy_of": version.pk})
        assert ContentVersion.objects.get(language="en").blocks == version.blocks


def test_the_page_in_the_browser_shows_one_persons_message_to_whoever_has_the_address(client, campaign):
    from apps.campaigns.content import addresses

    customer = person(given_name="Ola", language="nb")
    version = ContentVersion.objects.get(language="nb")
    answer = client.get(reverse("campaigns:browser", args=[addresses.browser_token(version.pk, 1, customer.pk)]))
    assert "Hei Ola" in answer.content.decode()
    assert client.get(reverse("campaigns:browser", args=["nonsense"])).status_code == 404


def test_an_offer_is_made_with_prices_per_country(browser, campaign):
    browser.post(reverse("campaigns:offer-new"), {
        "name": "Coats", "kind": "price", "first_day": "2026-11-20", "last_day": "2026-11-30",
        "price_list": "NO 999 NOK\npl 399,50 PLN",
    })  # fmt: skip
    prices = dict(browser.get(reverse("campaigns:offers")).context["offers"].get(name="Coats").prices.values_list("country", "amount"))
    assert {country: float(amount) for country, amount in prices.items()} == {"NO": 999, "PL": 399.5}


def test_only_the_lead_changes_the_brand_and_only_with_a_real_picture(client, campaign):
    from django.core.files.uploadedfile import SimpleUploadedFile

    address = reverse("campaigns:brand", args=[campaign.department.slug])
    client.force_login(campaign.owner)
    assert client.post(address, {}).status_code == 403
    client.force_login(make.lead(campaign.department))
    fake = SimpleUploadedFile("logo.png", b"<script>alert(1)</script>", content_type="image/png")
    answer = client.post(address, {"company_name": "N", "sender_name": "N", "sender_email": "a@b.no", "colour": "#112233",
                                   "text_colour": "#112233", "logo_file": fake})  # fmt: skip
    assert "not a picture" in answer.content.decode()


def test_a_removed_message_is_gone_and_a_sent_one_stays(browser, campaign):
    message = campaign.messages.get()
    browser.post(there("message-remove", campaign, message.pk))
    assert not Message.objects.filter(pk=message.pk).exists()


def test_agents_cannot_plan(client, campaign):
    client.force_login(UserFactory(role=Role.AGENT, department=DepartmentFactory()))
    assert client.get(reverse("campaigns:new")).status_code == 403


def test_the_settings_of_a_message_take_a_split(browser, campaign):
    message = campaign.messages.get()
    answer = browser.post(there("message-settings", campaign, message.pk), {
        "name": "Announcement", "kind": "addressed", "channel": "email", "purpose": message.purpose_id,
        "account": message.account_id, "split": "A 80, B 20", "version": 1,
    })  # fmt: skip
    assert answer.status_code == 302
    message.refresh_from_db()
    assert message.variants_share == {"A": 80, "B": 20}
    assert message.send_at == make.NOW + timedelta(days=2)


@pytest.mark.parametrize("name", ["version", "message", "number", "copy_of"])
def test_nonsense_in_a_form_is_no_error(browser, campaign, name):
    version = ContentVersion.objects.get(language="nb")
    for address in (there("schedule", campaign), there("version-add", campaign, version.message_id)):
        assert browser.post(address, {name: "9" * 40, "language": "\x00"}).status_code < 500


def test_a_zero_sign_in_a_text_is_dropped(browser, campaign):
    version = ContentVersion.objects.get(language="nb")
    address = reverse("campaigns:version-save", args=[campaign.pk, version.message_id, version.pk])
    assert browser.post(address, {"version": 1, "subject": "Hei\x00 du"}).status_code == 302
    version.refresh_from_db()
    assert version.subject == "Hei du"
