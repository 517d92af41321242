"""The administration: every page opens, nobody types JSON, ledgers only to look at."""

from datetime import UTC, datetime

import pytest
from django.contrib import admin
from django.urls import reverse

from apps.accounts import audit
from apps.accounts.models import ApiToken, AuditEvent, Department, User

NOW = datetime(2026, 11, 18, 14, tzinfo=UTC)
pytestmark = pytest.mark.django_db
PAGES = sorted(
    (model for model in admin.site._registry if model.__module__.startswith("apps.")), key=lambda model: model._meta.label
)


@pytest.fixture
def administrator(client):
    department = Department.objects.create(name="Service", slug="service")
    user = User.objects.create_superuser("admin@example.com", "x", name="Astrid", department=department)
    client.force_login(user)
    return user


@pytest.mark.parametrize("model", PAGES, ids=lambda model: model._meta.label)
def test_every_list_opens_and_can_be_searched(client, administrator, model):
    url = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    assert client.get(url).status_code == 200
    if admin.site._registry[model].search_fields:
        assert client.get(url, {"q": "ø'\"; DROP"}).status_code == 200


@pytest.mark.parametrize("model", PAGES, ids=lambda model: model._meta.label)
def test_every_form_to_add_opens_without_a_field_of_raw_json(client, administrator, model):
    page = client.get(reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_add"))
    assert page.status_code in {200, 403}
    if page.status_code == 200:
        fields = page.context["adminform"].form.fields.values()
        assert not [field for field in fields if type(field).__name__ == "JSONField"]


def test_the_audit_trail_can_be_looked_at_and_not_changed(client, administrator):
    line = audit.record(actor=administrator, action="test.done", subject=administrator, now=NOW)
    page = reverse("admin:accounts_auditevent_change", args=[line.pk])
    assert client.get(page).status_code == 200
    assert client.post(page, {"action": "else"}).status_code == 403


def test_a_new_token_is_shown_once(client, administrator):
    page = client.post(
        reverse("admin:accounts_apitoken_add"), {"name": "till", "actions": ["interactions.write"]}, follow=True
    )
    token = ApiToken.objects.get()
    assert token.actions == ["interactions.write"]
    assert "concord_" in page.content.decode()
    assert "concord_" not in client.get(reverse("admin:accounts_apitoken_change", args=[token.pk])).content.decode().replace(
        token.prefix, ""
    )


def test_a_change_stands_on_the_audit_trail(client, administrator):
    client.post(reverse("admin:accounts_department_add"), {"name": "Online", "slug": "online", "colour": 2, "position": 2})
    assert AuditEvent.objects.filter(action="administration.added", subject_type="accounts.department").exists()


def test_a_purpose_has_its_names_in_fields_of_their_own(client, administrator):
    from apps.consent.models import Purpose

    client.post(
        reverse("admin:consent_purpose_add"),
        {"code": "events", "name": "Events", "purpose_class": "promotion", "position": 9, "names_nb": "Arrangementer",
         "description": "", "is_active": "on"},
    )
    assert Purpose.objects.get(code="events").names == {"nb": "Arrangementer"}
