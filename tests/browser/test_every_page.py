"""Walks the whole product as people do: from every address without arguments along its links, one page of each kind.

Each page is read by axe in light at 1440 px and in dark at 390 px, must fit sideways at 390 px, and must leave the
console silent: a style or script that the Content-Security-Policy refuses is a failure.
"""

from collections.abc import Iterator

import pytest
from django.urls import URLPattern, URLResolver, get_resolver, resolve
from django.urls.exceptions import Resolver404
from playwright.sync_api import Error

from apps.accounts.models import User
from apps.core import clock
from apps.reporting.demo import load

SIDEWAYS = "document.documentElement.scrollWidth - window.innerWidth"
WHOLE_PAGE = "document.querySelector('main') !== null"
LINKS = "[...document.querySelectorAll('a[href]')].filter(a => a.origin === location.origin).map(a => a.pathname + a.search)"
NO_PAGE = ("Download is starting", "ERR_HTTP_RESPONSE_CODE_FAILURE", "ERR_ABORTED")
# Not pages: files, redirects, programs' answers, and what ends the walk itself.
LEFT_OUT = ("/accounts/logout/", "/admin/logout/", "/admin/jsi18n/", "/api/", "/healthz", "/readyz", "/static/", "/t/",
            "/accounts/signup/", "/accounts/passkey/", "/admin/r/", "/admin/autocomplete/", "/admin/password_change/",
            "/accounts/oidc/", "/accounts/3rdparty/login/", "/accounts/2fa/totp/deactivate/", "/accounts/2fa/recovery-codes/", "/hooks/")  # fmt: skip
MOST = 120


def addresses(patterns: list[URLPattern | URLResolver], prefix: str = "/") -> Iterator[str]:
    """All addresses of the URLconf that take no argument."""
    for entry in patterns:
        route = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from addresses(entry.url_patterns, route)
        elif not entry.pattern.converters and not set("(<^$\\?") & set(route):
            yield route


def kind(path: str) -> str:
    """What sort of page an address is: one of each is enough."""
    try:
        match = resolve(path.partition("?")[0])
    except Resolver404:
        return path
    if match.view_name.startswith("admin:"):  # the same templates for every model: one list, one form of each kind
        return "admin:" + match.view_name.rsplit("_", 1)[-1]
    return match.view_name


@pytest.fixture
def administrator(live_server, settings):
    """A lead who may use the administration too and so see nearly everything, in the demo company with a few hundred customers."""
    settings.DEMO = True
    load.load(customers_wanted=300, seed=1, now=clock.now(), progress=lambda what, done, total: None)
    leads = User.objects.filter(role="lead", department__slug="online")
    leads.update(is_superuser=True, is_staff=True, handles_personal_data=True)
    return leads.get()


def test_every_page_is_accessible_fits_a_phone_and_keeps_the_policy(open_page, axe, administrator):
    page = open_page(administrator)
    waiting = [path for path in addresses(get_resolver().url_patterns) if not path.startswith(LEFT_OUT)]
    seen: set[str] = set()
    problems: list[str] = []
    while waiting and len(seen) < MOST:
        path = waiting.pop(0)
        if kind(path) in seen or path.startswith(LEFT_OUT):
            continue
        seen.add(kind(path))
        found, links = visit(path, page, axe)
        problems += found
        waiting += links
    assert not problems, f"{len(problems)} problems on {len(seen)} pages:\n" + "\n".join(problems)
    assert len(seen) > 40


def visit(path, page, axe) -> tuple[list[str], list[str]]:
    """What is wrong with one page, and where it leads. Files and answers that are no page lead nowhere."""
    page.set_viewport_size({"width": 1440, "height": 900})
    page.emulate_media(color_scheme="light")
    try:
        answer = page.goto(path)
    except Error as error:  # a download, or an address that only takes what a form sends
        page.complaints.clear()
        return ([], []) if any(words in str(error) for words in NO_PAGE) else ([f"{path}: {error}"], [])
    if answer is None or answer.status >= 400:
        page.complaints.clear()
        return ([] if answer is None or answer.status in (403, 405) else [f"{path}: status {answer.status}"]), []
    if "text/html" not in answer.headers.get("content-type", "") or not page.evaluate(WHOLE_PAGE):
        return [], []
    links = page.evaluate(LINKS)
    found = axe(page)
    page.set_viewport_size({"width": 390, "height": 844})
    page.emulate_media(color_scheme="dark")
    found += [f"390 dark: {line}" for line in axe(page)]
    if (over := page.evaluate(SIDEWAYS)) > 0:
        found.append(f"{path} is {over} px too wide at 390 px")
    return found, links
