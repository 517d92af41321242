"""Moving bars of the calendar by the mouse."""

from playwright.sync_api import Locator, Page

DAYS_SHOWN = 35


def drag(page: Page, bar: Locator, *, days: int) -> None:
    """Takes hold of the bar and moves it that many days later, halting on the way; the button stays down."""
    box, day = bar.bounding_box(), page.locator(".lane").first.bounding_box()["width"] / DAYS_SHOWN
    x, y = box["x"] + 30, box["y"] + 10
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + days // 2 * day, y, steps=4)
    page.mouse.move(x + days * day, y, steps=6)
