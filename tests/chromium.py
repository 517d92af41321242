"""A real browser against a live server: one for the whole run, since a second one cannot be driven beside it.

Without Chromium the tests that need it are skipped; in CI that is a failure.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

CHROMIUM = Path(os.environ.get("CONCORD_CHROMIUM", "/usr/bin/chromium"))


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Debian's Chromium; skipped when absent unless CONCORD_REQUIRE_BROWSER=1."""
    if not CHROMIUM.exists():
        if os.environ.get("CONCORD_REQUIRE_BROWSER") == "1":
            pytest.fail(f"{CHROMIUM} is missing and CONCORD_REQUIRE_BROWSER is 1")
        pytest.skip(f"no browser at {CHROMIUM}")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        yield browser
        browser.close()


class Complaints(list[str]):
    """What the browser's console said: errors, refused by the Content-Security-Policy, or thrown by a script."""

    def watch(self, page: Page) -> None:
        page.on("console", lambda m: self.append(f"{page.url}: {m.text}") if m.type == "error" else None)
        page.on("pageerror", lambda error: self.append(f"{page.url}: {error}"))


@pytest.fixture
def open_page(chromium: Browser, live_server: Any, db: None) -> Iterator[Callable[..., Page]]:
    """open_page(user=None, width=1440, dark=False, **context): a fresh browser window, signed in when a user is given.

    A console error in any of its pages (a refused style or script above all) fails the test at its end;
    `page.complaints` holds them, and a test that expects some clears it.
    """
    contexts, complaints = [], Complaints()

    def opened(user: Any = None, width: int = 1440, dark: bool = False, **options: Any) -> Page:
        height = 900 if width > 600 else 844
        settings = {
            "viewport": {"width": width, "height": height},
            "color_scheme": "dark" if dark else "light",
            "reduced_motion": "reduce",
        }
        context = chromium.new_context(base_url=live_server.url, **({"locale": "en-GB"} | settings | options))
        contexts.append(context)
        if user is not None:
            context.add_cookies([session_cookie(user, live_server.url)])
        page = context.new_page()
        complaints.watch(page)
        page.complaints = complaints  # type: ignore[attr-defined]
        return page

    yield opened
    for context in contexts:
        context.close()
    assert not complaints, "the browser complained:\n" + "\n".join(complaints)


def session_cookie(user: Any, url: str) -> Any:
    """Signed in without the login page, as Django's test client does it."""
    from django.conf import settings
    from django.test import Client

    client = Client()
    client.force_login(user)
    return {
        "name": settings.SESSION_COOKIE_NAME,
        "value": client.cookies[settings.SESSION_COOKIE_NAME].value,
        "url": url,
    }


@pytest.fixture(scope="session")
def axe() -> Callable[[Page], list[str]]:
    """axe(page): the page's violations of WCAG 2.2 A and AA, one line each."""
    options = {
        "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
        "resultTypes": ["violations"],
        "preload": False,  # it would copy imported style sheets into the page, which the policy refuses
    }

    def run(page: Page) -> list[str]:
        found = Axe().run(page, options=options).response["violations"]
        return [
            f"{page.url} {item['id']} ({item['impact']}): {node['target']} {node['html'][:160]}"
            for item in found
            for node in item["nodes"][:3]
        ]

    return run
