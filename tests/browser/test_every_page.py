"""Walks the whole product as people do: from every address without arguments along its links, one page of each kind.

Each page is read by axe in light at 1440 px and must fit sideways at 390 px; the main ones are read in dark there too.
The console must stay silent: a style or script that the Content-Security-Policy refuses is a failure, and so is a link
to a page that the visitor may not open.
"""

import inspect
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.urls import ResolverMatch, URLPattern, URLResolver, get_resolver, resolve
from django.urls.exceptions import Resolver404
from playwright.sync_api import Error

from apps.accounts.models import User
from apps.core import clock
from apps.reporting.demo import load

SIDEWAYS = "document.documentElement.scrollWidth - window.innerWidth"
WHOLE_PAGE = "document.querySelector('main') !== null"
LINKS = """[...document.querySelectorAll('a[href]:not([download])')]
    .filter(a => a.origin === location.origin).map(a => a.pathname + a.search)"""
DOWNLOAD = "Download is starting"
# Answers to programs, and what leads out of the product or ends the visit.
NO_PAGES = ("api", "healthz", "readyz", "channels:click", "channels:open", "channels:hook", "account_logout",
            "admin:logout", "admin:jsi18n", "admin:autocomplete", "admin:view_on_site")  # fmt: skip
# Written by others, and many of their addresses only make sense in the middle of something: opened where a link leads.
BY_LINK_ONLY = ("allauth.", "django.")
ALIKE = ("changelist", "add", "change", "delete", "history")
IN_DARK = {"reporting:desk", "reporting:overview", "campaigns:calendar", "campaigns:list", "campaigns:detail",
           "campaigns:message", "campaigns:conflicts", "campaigns:conflict", "customers:list", "customers:customer",
           "customers:segment_edit", "consent:overview"}  # fmt: skip


def addresses(patterns: list[URLPattern | URLResolver], prefix: str = "/") -> Iterator[str]:
    """All addresses of the URLconf that take no argument."""
    for entry in patterns:
        route = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from addresses(entry.url_patterns, route)
        elif not set("(<^$\\?") & set(route) and not entry.callback.__module__.startswith(BY_LINK_ONLY):
            yield route


def found_at(path: str) -> ResolverMatch | None:
    try:
        return resolve(path.partition("?")[0])
    except Resolver404:
        return None  # a static file


def kind(match: ResolverMatch) -> str:
    """What sort of page an address is: one of each is enough. The administration has the same ones for every model."""
    name, _, last = match.view_name.rpartition("_")
    return f"admin:{last}" if name.startswith("admin:") and "_" in name and last in ALIKE else match.view_name


def layers(view: Callable[..., Any]) -> Iterator[Callable[..., Any]]:
    """A view and what its decorators wrap."""
    yield view
    while view := getattr(view, "__wrapped__", None):  # type: ignore[assignment]
        yield view


def may_open(match: ResolverMatch, user: User) -> bool:
    """Whether it is a page, by the view's own rules: it answers GET, and is for everybody or for this role."""
    if match.view_name.startswith(NO_PAGES):
        return False
    for view in layers(match.func):
        kept = inspect.getclosurevars(view).nonlocals if inspect.isfunction(view) else {}
        if "GET" not in kept.get("request_method_list", ["GET"]):
            return False
    rule = getattr(match.func, "access_rule", None)
    return rule is None or rule.kind != "role" or user.role in rule.roles


@pytest.fixture
def administrator(live_server, settings):
    """A lead who may use the administration too and so sees nearly everything, in the demo company with a few hundred customers."""
    settings.DEMO = True
    load.load(customers_wanted=300, seed=1, now=clock.now(), progress=lambda what, done, total: None)
    leads = User.objects.filter(role="lead", department__slug="online")
    leads.update(is_superuser=True, is_staff=True, handles_personal_data=True)
    return leads.get()


def test_every_page_is_accessible_fits_a_phone_and_keeps_the_policy(open_page, axe, administrator):
    page = open_page(administrator)
    waiting = deque(["/admin/accounts/user/", *addresses(get_resolver().url_patterns)])
    seen: set[str] = set()
    problems: list[str] = []
    while waiting:
        path = waiting.popleft()
        match = found_at(path)
        if match is None or kind(match) in seen or not may_open(match, administrator):
            continue
        seen.add(kind(match))
        found, links = visit(path, kind(match), page, axe)
        problems += found
        waiting.extendleft(reversed(links))  # before the bare addresses, for a link knows what to ask
    assert not problems, f"{len(problems)} problems on {len(seen)} pages:\n" + "\n".join(problems)
    assert seen >= IN_DARK
    assert len(seen) > 60


def visit(path: str, what: str, page, axe) -> tuple[list[str], list[str]]:
    """What is wrong with one page, and where it leads. Files and parts of pages lead nowhere."""
    page.set_viewport_size({"width": 1440, "height": 900})
    try:
        answer = page.goto(path)
    except Error as error:
        return ([] if DOWNLOAD in str(error) else [f"{path}: {error}"]), []
    if answer.status >= 400:
        return [f"{path}: status {answer.status}"], []
    if "text/html" not in answer.headers.get("content-type", "") or not page.evaluate(WHOLE_PAGE):
        return [], []
    links = page.evaluate(LINKS)
    found = axe(page)
    page.set_viewport_size({"width": 390, "height": 844})
    if (over := page.evaluate(SIDEWAYS)) > 0:
        found.append(f"{path} is {over} px too wide at 390 px")
    if what in IN_DARK:
        page.emulate_media(color_scheme="dark")
        found += [f"390 dark: {line}" for line in axe(page)]
        page.emulate_media(color_scheme="light")
    return found, links
