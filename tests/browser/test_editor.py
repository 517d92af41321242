"""The message editor in a real browser: autosave, blocks, preview, two authors."""

import pytest
from playwright.sync_api import expect

from apps.campaigns.models import ContentVersion
from apps.core import clock
from tests.factories import campaigns as make
from tests.factories.accounts import UserFactory
from tests.factories.customers import person


@pytest.fixture
def version(transactional_db):
    message = make.MessageFactory(send_at=clock.now())
    make.BrandFactory(department=message.campaign.department, logo=None)
    person(given_name="Kari")
    return make.ContentVersionFactory(message=message)


def address(version):
    return f"/campaigns/{version.message.campaign_id}/messages/{version.message_id}/"


def test_words_save_themselves_and_merge_fields_go_to_the_cursor(open_page, version):
    page = open_page(version.message.campaign.owner)
    page.goto(address(version))
    page.locator("#subject").fill("Ny hilsen ")
    page.get_by_text("Merge fields").click()
    page.get_by_role("button", name="customer.city").click()
    expect(page.locator("[data-saved]")).to_contain_text("Saved", timeout=10_000)
    version.refresh_from_db()
    assert version.subject == "Ny hilsen {{ customer.city }}"


def test_blocks_are_moved_by_keyboard_and_the_preview_shows_it(open_page, version):
    page = open_page(version.message.campaign.owner)
    page.goto(address(version))
    page.get_by_role("button", name="Move block 3 up").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".block").nth(1)).to_contain_text("Button")
    expect(page.get_by_role("button", name="Move block 2 up")).to_be_focused()
    preview = page.frame_locator("iframe")
    expect(preview.get_by_text("Vinteren er her")).to_be_visible()


def test_two_authors_see_both_texts(open_page, version):
    owner = version.message.campaign.owner
    colleague = UserFactory(department=owner.department)
    mine, theirs = open_page(owner), open_page(colleague)
    mine.goto(address(version))
    theirs.goto(address(version))
    theirs.locator("#subject").fill("Theirs")
    theirs.get_by_role("button", name="Save", exact=True).last.click()
    expect(theirs.locator("[data-saved]")).to_contain_text("Saved")
    mine.locator("#subject").fill("Mine")
    mine.get_by_role("button", name="Save", exact=True).last.click()
    expect(mine.get_by_text("Somebody saved this text while you were writing")).to_be_visible()
    expect(mine.locator("#subject")).to_have_value("Mine")
    expect(mine.locator("#editor, .notice").first).to_contain_text("Theirs")
    mine.complaints.clear()
    mine.get_by_role("button", name="Save", exact=True).last.click()
    expect(mine.locator("[data-saved]")).to_contain_text("Saved")
    version.refresh_from_db()
    assert version.subject == "Mine"
    assert ContentVersion.objects.get().revisions.filter(content__subject="Theirs").exists()


@pytest.mark.parametrize("dark", [False, True])
def test_the_editor_is_accessible_and_fits_a_phone(open_page, axe, version, dark):
    page = open_page(version.message.campaign.owner, width=390, dark=dark)
    page.goto(address(version))
    assert axe(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_a_new_block_is_ready_to_be_written_in_and_the_page_was_not_reloaded(open_page, version):
    page = open_page(version.message.campaign.owner)
    page.goto(address(version))
    page.evaluate("window.same = true")
    page.locator("#subject").fill("Just typed")
    page.get_by_role("button", name="Text", exact=True).click()
    expect(page.locator(".block")).to_have_count(4)
    expect(page.locator(".block textarea").last).to_be_focused()
    assert page.evaluate("window.same")
    expect(page.locator("#subject")).to_have_value("Just typed")
    version.refresh_from_db()
    assert version.subject == "Just typed"


def test_a_text_message_is_measured_while_it_is_typed(open_page, transactional_db):
    message = make.MessageFactory(send_at=clock.now(), channel="sms")
    person(given_name="Kari")
    version = make.ContentVersionFactory(message=message, format="text", body="Hei")
    page = open_page(message.campaign.owner)
    page.goto(address(version))
    expect(page.locator("#measure")).to_contain_text("GSM-7 · 3 characters")
    page.locator("#body").press_sequentially(" — snø")
    expect(page.locator("#measure")).to_contain_text("UCS-2 · 9 characters")
