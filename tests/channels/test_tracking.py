"""Tracked links and the pixel: they work for everybody, and count people only."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from apps.channels import tracking
from apps.channels.models import ContactEvent
from tests.factories.channels import NOW

pytestmark = pytest.mark.django_db
BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
SHOP = "https://shop.example/jackets?size=m"


def visit(seconds: float = 3600, agent: str = BROWSER, method: str = "GET") -> tracking.Visit:
    return tracking.Visit(method, agent, NOW + timedelta(seconds=seconds))


def token(url: str = SHOP, customer: int = 7, **more: Any) -> str:
    link = tracking.link_for(url, now=NOW)
    return tracking.link_token(3, customer, link.pk, sent=NOW, **more)


def clicks() -> list[bool]:
    return list(ContactEvent.objects.filter(kind="clicked").order_by("id").values_list("machine", flat=True))


def test_a_link_leads_to_its_stored_target(client: Client) -> None:
    response = client.get(f"/t/c/{token()}", headers={"User-Agent": BROWSER})

    assert (response.status_code, response["Location"]) == (302, SHOP)
    assert "no-store" in response["Cache-Control"]
    event = ContactEvent.objects.get()
    assert (event.run_id, event.customer_id, event.channel, event.machine) == (3, 7, "email", False)


@pytest.mark.parametrize("bad", ["", "x", "A" * 60, "../../etc", "https:%2F%2Fevil.example"])
def test_a_token_nobody_made_leads_nowhere(client: Client, bad: str) -> None:
    assert client.get(f"/t/c/{bad}").status_code == 404
    assert not ContactEvent.objects.exists()


def test_an_open_token_is_no_link(client: Client) -> None:
    assert client.get(f"/t/c/{tracking.open_token(3, 7)}").status_code == 404


def test_without_consent_to_measuring_the_link_works_and_leaves_no_trace(client: Client) -> None:
    assert client.get(f"/t/c/{token(customer=0)}", headers={"User-Agent": BROWSER}).status_code == 302
    assert client.get(f"/t/o/{tracking.open_token(3, 0)}.gif").status_code == 200
    assert not ContactEvent.objects.exists()


def test_the_pixel_is_a_picture_whatever_the_token_says(client: Client) -> None:
    good, bad = client.get(f"/t/o/{tracking.open_token(3, 7)}.gif"), client.get("/t/o/nonsense.gif")

    assert good.content == bad.content == tracking.PIXEL
    assert good["Content-Type"] == "image/gif"
    assert ContactEvent.objects.get().kind == "opened"


def test_a_person_is_counted() -> None:
    tracking.click(token(), visit(), now=NOW)

    assert clicks() == [False]
    assert tracking.human("clicked", 3) == 1


@pytest.mark.parametrize(
    "suspicious",
    [
        visit(seconds=3),
        visit(method="HEAD"),
        visit(agent=""),
        visit(agent="Mozilla/5.0 (compatible; Barracuda Sentinel (EE))"),
        visit(agent="python-requests/2.32"),
    ],
    ids=["at once", "HEAD", "no agent", "scanner", "script"],
)
def test_a_machine_is_kept_and_not_counted(suspicious: tracking.Visit) -> None:
    tracking.click(token(), suspicious, now=NOW)

    assert clicks() == [True]
    assert tracking.human("clicked", 3) == 0


def test_three_links_in_two_seconds_are_a_machine_also_afterwards() -> None:
    for n in range(3):
        tracking.click(token(f"{SHOP}&n={n}"), visit(3600 + n * 0.5), now=NOW)

    assert clicks() == [True, True, True]


def test_two_links_are_a_person() -> None:
    for n in range(2):
        tracking.click(token(f"{SHOP}&n={n}"), visit(3600 + n), now=NOW)

    assert clicks() == [False, False]


def test_who_follows_the_hidden_link_is_a_machine_for_a_while(client: Client) -> None:
    hidden = tracking.link_token(3, 7, tracking.HONEYPOT)

    assert client.get(f"/t/c/{hidden}", headers={"User-Agent": BROWSER}).status_code == 204
    trapped = ContactEvent.objects.get()
    soon = tracking.Visit("GET", BROWSER, trapped.at + timedelta(seconds=60))
    tracking.click(token(), soon, now=soon.at)

    assert clicks() == [True, True]


@pytest.mark.parametrize(("agent", "machine"), [("Mozilla/5.0", True), (BROWSER, False), ("GoogleImageProxy", True)])
def test_prefetched_pictures_are_no_readers(agent: str, machine: bool) -> None:
    tracking.opened(tracking.open_token(3, 7), visit(agent=agent), now=NOW)

    assert ContactEvent.objects.get().machine is machine


def test_a_link_in_a_text_message_is_a_click_on_that_channel() -> None:
    tracking.click(token(channel="sms"), visit(), now=NOW)

    assert ContactEvent.objects.get().channel == "sms"


def test_targets_are_stored_once() -> None:
    first = tracking.links_for([SHOP, "https://shop.example/b"], now=NOW)

    assert tracking.links_for([SHOP], now=NOW)[SHOP] == first[SHOP] == tracking.link_for(SHOP, now=NOW).pk


def test_tokens_survive_the_rotation_of_keys(settings: Any) -> None:
    settings.TOKEN_KEYS = ["old"]
    made = token()
    settings.TOKEN_KEYS = ["new", "old"]

    assert tracking.click(made, visit(), now=NOW) == SHOP
