"""Walks the whole product as people do: from every address without arguments along its links, one page of each kind.

Each page is read by axe in light at 1440 px and in dark at 390 px, must fit sideways at 390 px, and must leave the
console silent: a style or script that the Content-Security-Policy refuses is a failure.
"""

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from django.urls import URLPattern, URLResolver, get_resolver, resolve
from django.urls.exceptions import Resolver404

from apps.accounts.models import User
from apps.core import clock

SIDEWAYS = "document.documentElement.scrollWidth - window.innerWidth"
WHOLE_PAGES = "document.querySelector('main') !== null"
LINKS = "[...document.querySelectorAll('a[href]')].map(a => a.href)"
# Not pages: files, redirects, programs' answers, and what ends the walk itself.
LEFT_OUT = ("/accounts/logout/", "/admin/logout/", "/admin/jsi18n/", "/api/", "/healthz", "/readyz", "/static/", "/t/",
            "/accounts/signup/", "/accounts/passkey/", "/admin/r/", "/admin/autocomplete/", "/admin/password_change/",
            "/accounts/oidc/", "/hooks/")  # fmt: skip
MOST = 160


def addresses(patterns: list[URLPattern | URLResolver], prefix: str = "/") -> Iterator[str]:
    """All addresses of the URLconf that take no argument."""
    for entry in patterns:
        route = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from addresses(entry.url_patterns, route)
        elif not entry.pattern.converters and not set("(<^$\\?") & set(route):
            yield route


def kind(path: str) -> str:
    """What sort of page an address is: one of each is enough; the administration has one per model."""
    try:
        match = resolve(path)
    except Resolver404:
        return path
    tabs = "".join(f"{k}={v}" for k, v in match.kwargs.items() if k in ("tab", "part", "view"))
    return match.view_name + tabs


@pytest.fixture
def administrator(live_server):
    """Somebody who may see everything, in the demo company with a few hundred customers."""
    load = pytest.importorskip("apps.reporting.demo.load", reason="no demo company yet")
    load.load(customers_wanted=300, seed=1, now=clock.now(), progress=lambda what, done, total: None)
    User.objects.filter(role="administrator").update(is_superuser=True, is_staff=True, handles_personal_data=True)
    return User.objects.filter(role="administrator").first()


def test_every_page_is_accessible_fits_a_phone_and_keeps_the_policy(open_page, axe, administrator):
    wide, narrow = open_page(administrator), open_page(administrator, width=390, dark=True)
    waiting = [path for path in addresses(get_resolver().url_patterns) if not path.startswith(LEFT_OUT)]
    seen: set[str] = set()
    problems: list[str] = []
    while waiting and len(seen) < MOST:
        path = waiting.pop(0)
        if kind(path) in seen or path.startswith(LEFT_OUT):
            continue
        seen.add(kind(path))
        found, links = visit(path, wide, narrow, axe)
        problems += found
        waiting += [
            urlsplit(link).path for link in links if link.startswith(wide.url.split(urlsplit(wide.url).path)[0])
        ]
    assert not problems, f"{len(problems)} problems on {len(seen)} pages:\n" + "\n".join(problems)
    assert len(seen) > 20


def visit(path, wide, narrow, axe) -> tuple[list[str], list[str]]:
    """What is wrong with one page, and where it leads. Files and answers that are no page lead nowhere."""
    try:
        answer = wide.goto(path)
    except Exception as error:  # a download is no page
        return ([], []) if "Download is starting" in str(error) else ([f"{path}: {error}"], [])
    if answer is None or "text/html" not in (answer.headers.get("content-type") or ""):
        return [], []
    if answer.status == 405:
        wide.complaints.clear()
        return [], []
    if answer.status >= 400:
        wide.complaints.clear()
        return [f"{path}: status {answer.status}"], []
    if not wide.evaluate(WHOLE_PAGES):
        return [], []
    found = axe(wide)
    narrow.goto(path)
    found += [f"390 dark: {line}" for line in axe(narrow)]
    over = narrow.evaluate(SIDEWAYS)
    if over > 0:
        found.append(f"{path} is {over} px too wide at 390 px")
    return found, wide.evaluate(LINKS)
