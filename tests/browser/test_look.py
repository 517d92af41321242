"""The frame and the components, in a real browser."""

import pytest

from tests.factories.accounts import UserFactory

pytestmark = pytest.mark.usefixtures("_in_demo")
SIDEWAYS = "document.documentElement.scrollWidth - window.innerWidth"


@pytest.fixture
def _in_demo(settings):
    """The style page is shown while developing and in the demo only."""
    settings.DEMO = True


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
def test_every_component_is_accessible_and_fits(open_page, axe, width, dark):
    page = open_page(width=width, dark=dark)
    page.goto("/style/")
    assert axe(page) == []
    assert page.evaluate(SIDEWAYS) <= 0


def test_the_login_page_needs_no_help_to_be_read(open_page, axe):
    for dark in (False, True):
        page = open_page(width=390, dark=dark)
        page.goto("/accounts/login/")
        assert axe(page) == []
        assert page.evaluate(SIDEWAYS) <= 0


def test_the_narrow_menu_opens_closes_and_gives_the_focus_back(open_page):
    page = open_page(UserFactory(), width=390)
    page.goto("/profile/")
    menu = page.locator(".topbar details")
    menu.locator("summary").click()
    assert menu.get_by_role("link", name="Notifications").is_visible()
    page.keyboard.press("Escape")
    assert menu.get_by_role("link", name="Notifications").is_hidden()
    assert page.evaluate("document.activeElement.tagName") == "SUMMARY"


def test_the_keyboard_can_skip_to_the_content(open_page):
    page = open_page(UserFactory())
    page.goto("/profile/")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"


def test_a_dangerous_act_is_asked_about_and_kept_back_on_cancel(open_page):
    page = open_page()
    page.goto("/style/")
    page.evaluate("""() => {
        const form = document.createElement("form");
        form.id = "danger"; form.action = "/style/"; form.dataset.confirm = "Stop 37,394 messages?";
        form.innerHTML = "<input type=hidden name=done value=1><button>Stop</button>";
        document.querySelector("main").append(form);
    }""")
    page.locator("#danger button").click()
    page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
    assert "done" not in page.url
    page.locator("#danger button").click()
    page.get_by_role("dialog").get_by_role("button", name="Stop").click()
    page.wait_for_url("**done=1**")
