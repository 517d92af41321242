import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.test import RequestFactory
from django_htmx.middleware import HtmxDetails

from apps.accounts import access
from tests.factories.accounts import UserFactory


def page(request):
    return HttpResponse("page")


def visit(view, user, **headers):
    request = RequestFactory().get("/campaigns/?q=1", headers=headers)
    request.user = user
    request.htmx = HtmxDetails(request)
    return view(request)


def member(**fields):
    return UserFactory.build(department=None, **{"department_id": 1, **fields})


def test_a_public_page_opens_for_everybody():
    assert visit(access.public("because")(page), AnonymousUser()).content == b"page"


def test_a_visitor_without_a_login_is_sent_there_and_back():
    response = visit(access.signed_in(page), AnonymousUser())
    assert response.status_code == 302
    assert response.url == "/accounts/login/?next=/campaigns/%3Fq%3D1"


def test_an_expired_session_sends_the_whole_page_to_the_login_not_a_corner_of_it():
    address = "http://testserver/campaigns/?q=1"
    response = visit(access.signed_in(page), AnonymousUser(), **{"HX-Request": "true", "HX-Current-URL": address})
    assert response.status_code == 401
    assert response.headers["HX-Redirect"] == "/accounts/login/?next=/campaigns/%3Fq%3D1"


def test_a_role_that_is_not_named_is_refused_in_words():
    view = access.role("lead", "administrator")(page)
    assert visit(view, member(role="lead")).status_code == 200
    with pytest.raises(PermissionDenied, match="department lead, administrator"):
        visit(view, member(role="marketer"))


def test_a_view_has_exactly_one_rule():
    with pytest.raises(TypeError, match="already"):
        access.signed_in(access.public("because")(page))
    with pytest.raises(TypeError, match="unknown"):
        access.role("boss")


def test_only_the_own_department_edits():
    assert access.can_edit(member(role="marketer"), 1)
    assert not access.can_edit(member(role="marketer"), 2)
    assert not access.can_edit(member(role="agent"), 1)
    assert not access.can_edit(member(role="lead", is_active=False), 1)
    assert not access.can_edit(member(role="administrator", department_id=None), None)
    assert not access.can_edit(AnonymousUser(), 1)


def test_only_the_lead_approves_and_only_at_home():
    assert access.can_approve(member(role="lead"), 1)
    assert not access.can_approve(member(role="lead"), 2)
    assert not access.can_approve(member(role="marketer"), 1)


def test_people_are_opened_by_the_privacy_role_and_by_those_who_speak_with_them():
    assert access.can_open_people(member(role="agent"))
    assert access.can_open_people(member(handles_personal_data=True))
    assert not access.can_open_people(member(role="administrator"))
    assert access.can_export_people(member(handles_personal_data=True))
    assert not access.can_export_people(member(role="agent"))


def test_require_says_why():
    access.require(True)
    with pytest.raises(PermissionDenied, match="both leads"):
        access.require(False, "both leads have to agree")
