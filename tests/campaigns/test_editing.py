"""The editor's blocks by HTMX, the counter of a text message, and problems said where they stand."""

import json

import pytest
from django.urls import reverse

from apps.accounts.models import AuditEvent
from apps.campaigns.content import editing, liquid, locating
from apps.campaigns.models import ContentVersion
from apps.core import clock
from tests.factories import campaigns as make
from tests.factories.customers import person

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


@pytest.fixture(autouse=True)
def _now(monkeypatch):
    monkeypatch.setattr(clock, "now", lambda: make.NOW)


def version_of(client, **fields):
    message = make.MessageFactory(**fields)
    make.BrandFactory(department=message.campaign.department, logo=None)
    person(given_name="Kari")
    client.force_login(message.campaign.owner)
    return make.ContentVersionFactory(message=message)


def there(name, version):
    return reverse(f"campaigns:{name}", args=[version.message.campaign_id, version.message_id, version.pk])


def form_of(version, **more):
    posted = {"version": version.revision, "subject": version.subject, "has_blocks": "1", "format": "blocks"}
    posted["block"] = [block["id"] for block in version.blocks]
    for block in version.blocks:
        posted |= {f"{block['id']}-{name}": value if value is not None else "" for name, value in block.items() if name != "id"}
    return posted | more


def test_a_blocks_button_brings_back_the_editor_alone_with_the_place_to_go_on(client):
    version = version_of(client)
    second = version.blocks[1]["id"]
    page = client.post(there("version-save", version), form_of(version, do=f"up:{second}"), headers=HTMX).content.decode()
    assert "<html" not in page
    assert f'data-focus="{second}-down"' in page
    assert ContentVersion.objects.get().blocks[0]["id"] == second


def test_a_new_block_gets_the_focus_and_a_removed_one_gives_it_to_its_neighbour():
    shown = [{"id": name, "kind": "divider"} for name in "abc"]
    assert editing.next_place(shown, [*shown, {"id": "d", "kind": "text"}], "add:text") == "block-d"
    assert editing.next_place(shown, [shown[0], shown[2]], "remove:b") == "c-remove"
    assert editing.next_place(shown, shown[:2], "remove:c") == "b-remove"
    assert editing.next_place(shown[:1], [], "remove:a") == "add-heading"


def test_two_authors_by_htmx_see_both_texts_too(client):
    version = version_of(client)
    ContentVersion.objects.filter(pk=version.pk).update(subject="Theirs", revision=version.revision + 1)
    answer = client.post(there("version-save", version), form_of(version, subject="Mine", do="save"), headers=HTMX)
    page = answer.content.decode()
    assert answer.status_code == 200
    assert "Theirs" in page
    assert "Mine" in page


@pytest.mark.parametrize(
    ("text", "told"), [("Hei", "GSM-7 · 3 characters · parts: 1"), ("ż" * 80, "UCS-2 · 80 characters · parts: 2")]
)
def test_a_text_message_is_measured_while_it_is_typed_and_nothing_is_saved_or_logged(client, text, told):
    version = version_of(client, channel="sms")
    ContentVersion.objects.filter(pk=version.pk).update(format="text", body="before")
    page = client.post(there("version-measure", version), {"body": text}, headers=HTMX).content.decode()
    assert told in page
    assert ContentVersion.objects.get().body == "before"
    assert not AuditEvent.objects.filter(action="people.opened").exists()


def test_a_template_problem_names_the_block_and_its_own_line(client):
    version = version_of(client)
    version.blocks[1]["text"] = "One\nTwo {{ customer.city | nonsense }}"
    version.save()
    problem = locating.located(version, liquid.TemplateProblem("x", 24), {"customer": {"city": "Oslo"}})
    assert str(problem).startswith("Block 2 (Text), line 2: ")
    page = client.get(reverse("campaigns:message", args=[version.message.campaign_id, version.message_id])).content.decode()
    assert "Block 2 (Text), line 2: " in page
    assert "Line 24" not in page


def test_an_autosave_answers_in_json_as_before(client):
    version = version_of(client)
    answer = client.post(
        there("version-save", version), form_of(version, subject="New"), headers={"X-Requested-With": "autosave"}
    )
    assert json.loads(answer.content)["version"] == version.revision + 1
