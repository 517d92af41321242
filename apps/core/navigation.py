"""The main navigation: where one can go, for whom, and the numbers beside it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext_lazy as _

Counter = Callable[[HttpRequest], int]

_counters: dict[str, Counter] = {}


@dataclass(frozen=True)
class Place:
    """One entry: the URL name it leads to, its words, the paths that belong to it, the roles that see it."""

    url_name: str
    label: Any
    paths: tuple[str, ...]
    roles: tuple[str, ...] = ()
    staff_only: bool = False
    privacy_only: bool = False


_PLANNERS = ("marketer", "lead", "administrator")
MAIN = (
    Place("reporting:desk", _("My desk"), ("/",)),
    Place("campaigns:calendar", _("Calendar"), ("/calendar/", "/conflicts/")),
    Place("campaigns:list", _("Campaigns"), ("/campaigns/",)),
    Place("customers:segments", _("Audiences"), ("/audiences/",)),
    Place("customers:list", _("Customers"), ("/customers/",)),
    Place("consent:overview", _("Consent"), ("/consent/",)),
    Place("channels:overview", _("Channels"), ("/channels/",)),
    Place("reporting:overview", _("Reports"), ("/reports/",)),
)
MORE = (
    Place("customers:imports", _("Imports"), ("/imports/",), roles=_PLANNERS),
    Place("channels:inbox", _("Sandbox inbox"), ("/inbox/",), roles=_PLANNERS),
    Place("campaigns:sending", _("Sending"), ("/sending/",), roles=("lead", "administrator")),
    Place("campaigns:print-files", _("Print files"), ("/print-files/",), roles=_PLANNERS),
    Place("campaigns:calls", _("Calls"), ("/calls/",), roles=("agent", "lead", "administrator")),
    Place("customers:counter", _("Counter"), ("/counter/",), roles=("agent", "lead", "administrator")),
    Place("customers:data_requests", _("Data requests"), ("/data-requests/",), privacy_only=True),
    Place("admin:index", _("Administration"), ("/admin/",), staff_only=True),
)


def register_badge(url_name: str, counter: Counter) -> None:
    """The number shown beside an entry, such as open conflicts beside the calendar. Asked once per full page."""
    if url_name in _counters:
        raise ValueError(f"{url_name} has a badge already")
    _counters[url_name] = counter


def entries(request: HttpRequest, places: tuple[Place, ...]) -> list[dict[str, Any]]:
    """The places this visitor may go, with address, number and whether it is where they are."""
    shown = []
    for place in places:
        there = address(place.url_name)
        if there and _visible(place, request.user):
            counter = _counters.get(place.url_name)
            shown.append(
                {
                    "url": there,
                    "label": place.label,
                    "current": _is_here(place, request.path),
                    "count": counter(request) if counter else 0,
                }
            )
    return shown


def address(url_name: str) -> str:
    """The page's address; empty when this installation has no such page."""
    try:
        return reverse(url_name)
    except NoReverseMatch:
        return ""


def _visible(place: Place, user: Any) -> bool:
    if place.staff_only:
        return bool(user.is_staff)
    if place.privacy_only:
        return bool(getattr(user, "handles_personal_data", False))
    return not place.roles or getattr(user, "role", "") in place.roles


def _is_here(place: Place, path: str) -> bool:
    return any(path == start if start == "/" else path.startswith(start) for start in place.paths)
