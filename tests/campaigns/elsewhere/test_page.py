"""The page of a message that another tool sends."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.urls import reverse

from apps.campaigns.models import Delivery, Message
from apps.core import clock
from tests.campaigns.elsewhere.test_permissions import elsewhere
from tests.factories.sending import NOW, make_people

pytestmark = pytest.mark.django_db


@pytest.fixture
def theirs(client, monkeypatch):
    monkeypatch.setattr(clock, "now", lambda: NOW)
    message = elsewhere(status="draft", send_at=NOW - timedelta(hours=1))
    client.force_login(message.campaign.owner)
    return message


def there(name, message):
    return reverse(f"campaigns:{name}", args=[message.campaign_id, message.pk])


def test_contacts_come_in_as_a_file_and_bad_rows_are_shown(client, theirs):
    person = make_people(1)[0]
    assert client.get(there("message", theirs)).url == there("message-elsewhere", theirs)
    for told in ("1 contacts recorded", "0 contacts recorded, 1 known before"):
        file = SimpleUploadedFile("sent.csv", f"customer\n{person}\n999999\n".encode())
        page = client.post(there("elsewhere-contacts", theirs), {"file": file}).content.decode()
        assert told in page
        assert "Nobody, or more than one person" in page
    assert Delivery.objects.get().at == theirs.send_at


def test_a_file_becomes_the_audience(client, theirs, monkeypatch):
    people = make_people(2)
    monkeypatch.undo()
    file = SimpleUploadedFile("list.csv", ("email\n" + "".join(f"person{pk}@example.no\n" for pk in people)).encode())
    answer = client.post(there("elsewhere-audience", theirs), {"file": file})
    assert answer.status_code == 302
    message = Message.objects.get(pk=theirs.pk)
    assert message.include.get().people == people


def test_no_file_and_a_picture_are_refused_in_words(client, theirs):
    assert "Choose a file" in client.post(there("elsewhere-contacts", theirs)).content.decode()
    file = SimpleUploadedFile("x.png", b"\x89PNG\r\n\x1a\n123")
    answer = client.post(there("elsewhere-contacts", theirs), {"file": file})
    assert answer.status_code == 422
    assert "picture" in answer.content.decode()


def test_the_command_tells_the_same_file(theirs, tmp_path):
    person = make_people(1)[0]
    file = tmp_path / "sent.csv"
    file.write_text(f"customer;at\n{person};2026-11-18 09:00\n")
    out = StringIO()
    call_command("tell_contacts", str(file), department=theirs.campaign.department.slug, message=theirs.pk, stdout=out)
    assert '"recorded": 1' in out.getvalue()
