"""Who may do what. Every view stands behind exactly one rule; tests/architecture walks all addresses to see it.

Everybody sees every department's plans, that is the point of Concord. Only the own department edits, leads approve for
theirs, and what touches two departments needs both leads. Counts of people are for everyone; people themselves are
masked by role (see masking.py), and exporting or erasing them needs the privacy role.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import wraps
from typing import Any
from urllib.parse import quote

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import resolve_url
from django.utils.translation import gettext as _

from apps.accounts import deputies
from apps.accounts.models import Role, User
from apps.core import clock

View = Callable[..., HttpResponseBase]


@dataclass(frozen=True)
class AccessRule:
    """What a view asks of its visitor: nothing (with the reason), to be signed in, or one of some roles."""

    kind: str
    roles: tuple[str, ...] = ()
    reason: str = ""


def public(reason: str) -> Callable[[View], View]:
    """For views without a login; the reason is read by whoever checks what is open to the world."""
    return lambda view: _guarded(view, AccessRule("public", reason=reason))


def signed_in(view: View) -> View:
    """For every colleague with a login."""
    return _guarded(view, AccessRule("signed_in"))


def role(*roles: str) -> Callable[[View], View]:
    """For colleagues of these roles; others get words and status 403."""
    unknown = set(roles) - set(Role.values)
    if unknown or not roles:
        raise TypeError(f"unknown roles: {sorted(unknown)}")
    return lambda view: _guarded(view, AccessRule("role", roles=roles))


def can_edit(user: Any, department_id: int | None) -> bool:
    """May change plans of this department: its own people, agents excepted."""
    return _is_of(user, department_id) and user.role != Role.AGENT


def can_approve(user: Any, department_id: int | None, *, now: datetime | None = None) -> bool:
    """May approve, agree and stop for this department: its lead, or the lead's deputy today (or at ``now``)."""
    if _is_of(user, department_id) and user.role == Role.LEAD:
        return True
    return department_id in deputies.departments(user, now=now or clock.now())


def departments_led(user: Any, *, now: datetime | None = None) -> set[int]:
    """All departments this person signs for: the own one of a lead, and those they stand in for."""
    own = {user.department_id} if user.role == Role.LEAD and user.department_id else set()
    return own | deputies.departments(user, now=now or clock.now())


def can_open_people(user: Any) -> bool:
    """May see names and addresses in clear: the privacy role, and agents, who speak with these people."""
    return bool(user.is_authenticated and user.is_active and (user.handles_personal_data or user.role == Role.AGENT))


def can_export_people(user: Any) -> bool:
    """May take personal data out of Concord or erase it: the privacy role only."""
    return bool(user.is_authenticated and user.is_active and user.handles_personal_data)


def is_administrator(user: Any) -> bool:
    return bool(user.is_authenticated and user.is_active and user.role == Role.ADMINISTRATOR)


def require(allowed: bool, why: str = "") -> None:
    """Raises PermissionDenied, which the visitor reads as `why`, unless `allowed`."""
    if not allowed:
        raise PermissionDenied(why or _("Your role does not allow this."))


def current_user(request: HttpRequest) -> User:
    """The colleague behind the request, for views that are not public."""
    if not isinstance(request.user, User):
        raise PermissionDenied(_("Please sign in."))
    return request.user


def _is_of(user: Any, department_id: int | None) -> bool:
    return bool(
        user.is_authenticated and user.is_active and department_id is not None and user.department_id == department_id
    )


def _guarded(view: View, rule: AccessRule) -> View:
    if hasattr(view, "access_rule"):
        raise TypeError(f"{view} has an access rule already")

    @wraps(view)
    def wrapper(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if rule.kind == "public":
            return view(request, *args, **kwargs)
        if not request.user.is_authenticated:
            return _sign_in_first(request)
        if rule.kind == "role" and current_user(request).role not in rule.roles:
            names = ", ".join(str(Role(name).label) for name in rule.roles)
            raise PermissionDenied(_("This page is for: %(roles)s.") % {"roles": names})
        return view(request, *args, **kwargs)

    wrapper.access_rule = rule  # type: ignore[attr-defined]
    return wrapper


def _sign_in_first(request: HttpRequest) -> HttpResponseBase:
    """The login page; an HTMX request is sent there as a whole page, not swapped into a corner of this one."""
    if getattr(request, "htmx", False):
        there = resolve_url("account_login")
        back = request.htmx.current_url_abs_path or "/"  # type: ignore[attr-defined]
        return HttpResponse(status=401, headers={"HX-Redirect": f"{there}?next={quote(back)}"})
    return redirect_to_login(request.get_full_path())
