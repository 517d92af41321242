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
    "program",
    [
        visit(method="HEAD"),
        visit(agent="python-requests/2.32"),
        tracking.Visit("GET", BROWSER, NOW + timedelta(hours=1), prefetch=True),
    ],
    ids=["HEAD", "script", "prefetch"],
)
def test_a_program_that_says_so_is_kept_and_not_counted(program: tracking.Visit) -> None:
    tracking.click(token(), program, now=NOW)

    assert clicks() == [True]
    assert tracking.human("clicked", 3) == 0


GATEWAY = "Mozilla/5.0 (compatible; Barracuda Sentinel (EE))"


@pytest.mark.parametrize("one_sign", [visit(seconds=3), visit(agent=""), visit(agent=GATEWAY)], ids=["quick", "no name", "gateway"])
def test_one_sign_alone_is_no_machine(one_sign: tracking.Visit) -> None:
    tracking.click(token(), one_sign, now=NOW)

    assert clicks() == [False]


@pytest.mark.parametrize("two_signs", [visit(seconds=3, agent=""), visit(seconds=3, agent=GATEWAY)], ids=["no name", "gateway"])
def test_two_signs_together_are_a_machine(two_signs: tracking.Visit) -> None:
    tracking.click(token(), two_signs, now=NOW)

    assert clicks() == [True]


def test_three_links_at_once_need_one_more_sign_and_then_mark_those_before_too() -> None:
    for n in range(3):
        tracking.click(token(f"{SHOP}&n={n}"), visit(3600 + n * 0.5), now=NOW)
    assert clicks() == [False] * 3

    for n in range(3):
        tracking.click(token(f"{SHOP}&n={n}", customer=8), visit(1 + n * 0.5), now=NOW)
    assert clicks()[3:] == [True, True, True]


def test_five_links_at_once_are_more_than_a_hand_can_do() -> None:
    for n in range(5):
        tracking.click(token(f"{SHOP}&n={n}"), visit(3600 + n * 0.3), now=NOW)

    assert clicks() == [True] * 5


def test_two_links_are_a_person() -> None:
    for n in range(2):
        tracking.click(token(f"{SHOP}&n={n}"), visit(3600 + n), now=NOW)

    assert clicks() == [False, False]


def test_the_hidden_link_leads_nowhere_and_counts_for_nobody(client: Client) -> None:
    hidden = tracking.link_token(3, 7, tracking.HONEYPOT)

    assert client.get(f"/t/c/{hidden}", headers={"User-Agent": BROWSER}).status_code == 204
    assert clicks() == [True]


@pytest.mark.parametrize(("seconds", "machine"), [(1.0, True), (60.0, False)])
def test_the_hidden_link_is_one_sign_for_the_others(seconds: float, machine: bool) -> None:
    tracking.click(tracking.link_token(3, 7, tracking.HONEYPOT), visit(3600), now=NOW)
    tracking.click(token(), visit(3600 + seconds), now=NOW)

    assert clicks() == [True, machine]


def test_a_click_just_before_the_hidden_link_is_understood_afterwards() -> None:
    tracking.click(token(), visit(3600), now=NOW)
    tracking.click(tracking.link_token(3, 7, tracking.HONEYPOT), visit(3601), now=NOW)

    assert clicks() == [True, True]


@pytest.mark.parametrize(("agent", "machine"), [("Mozilla/5.0", True), (BROWSER, False), ("GoogleImageProxy", False), (GATEWAY, False)])
def test_prefetched_pictures_are_no_readers(agent: str, machine: bool) -> None:
    tracking.opened(tracking.open_token(3, 7), visit(agent=agent), now=NOW)

    assert ContactEvent.objects.get().machine is machine


def test_a_gateway_that_followed_the_hidden_link_does_not_read() -> None:
    tracking.click(tracking.link_token(3, 7, tracking.HONEYPOT), visit(3600), now=NOW)
    tracking.opened(tracking.open_token(3, 7), visit(3700, agent=GATEWAY), now=NOW)

    assert ContactEvent.objects.get(kind="opened").machine


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
