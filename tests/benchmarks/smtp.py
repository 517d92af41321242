"""How near e-mail comes to what the machine can do: `python -m tests.benchmarks.smtp [--messages N] [--rounds N]`.

All three send 10 KB messages to Postfix's smtp-sink in the same round:

- ceiling: smtp-source, a C program that sends one prepared message again and again over kept connections;
- ours: the SMTP adapter, with every message built for its person from the pre-rendered template;
- naive: Django's EmailMultiAlternatives.send() per person, its template rendered each time.

What counts is the ratio within one round. The machine has to be quiet for absolute rates to mean anything.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import time

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

import django
from django.conf import settings

from tests.sink import PATH, running_sink

_PARAGRAPH = "<p>Kjære {name}, nå er {product} her for {price}. Zażółć gęślą jaźń. " + "Mange ord. " * 6 + "</p>\n"
_BLOCKS = 34
_CONNECTIONS = 20


def _program(name: str) -> str:
    found = shutil.which(name, path=PATH)
    if not found:
        sys.exit(f"{name} is not installed (Debian: postfix)")
    return found


def ceiling(port: int, messages: int, size: int) -> float:
    """Messages per second of smtp-source."""
    began = time.perf_counter()
    arguments = ["-d", "-s", str(_CONNECTIONS), "-m", str(messages), "-l", str(size)]
    addresses = ["-f", "a@example.com", "-t", "b@example.com"]
    subprocess.run([_program("smtp-source"), *arguments, *addresses, f"127.0.0.1:{port}"], check=True)
    return messages / (time.perf_counter() - began)


def ours(port: int, messages: int) -> tuple[float, int]:
    """Messages per second of the adapter, building included, and the size of a message."""
    from apps.channels.adapters.base import AccountConfig, Outcome, OutgoingMessage
    from apps.channels.adapters.smtp import SmtpAdapter
    from apps.channels.content import MimeTemplate, marker, unsubscribe_headers

    slots = {name: marker(name) for name in ("name", "product", "price")}
    template = MimeTemplate.compile(
        subject=f"{slots['name']}: {slots['product']} – {slots['price']}",
        html=_PARAGRAPH.format(**slots) * _BLOCKS,
        text=f"Kjære {slots['name']}, nå er {slots['product']} her.\n" * 20,
        sender={"from_email": "hei@fjord.example", "from_name": "Fjord"},
        slots=list(slots),
    )
    options = {"host": "127.0.0.1", "port": port, "security": "none", "connections": _CONNECTIONS}
    adapter = SmtpAdapter(AccountConfig(1, "email", "smtp", options))
    people = [
        OutgoingMessage(
            f"1.{n}",
            f"person{n}@example.com",
            "nb",
            template,
            {"name": f"Åse {n}", "product": f"jakke nr {n % 50}", "price": f"{n % 900 + 99},00 kr"},
            unsubscribe_headers(f"https://fjord.example/u/{n:032d}/"),
        )
        for n in range(messages)
    ]
    began = time.perf_counter()
    accepted = 0
    for first in range(0, messages, 1000):
        requests = [adapter.build(person) for person in people[first : first + 1000]]
        accepted += sum(receipt.outcome is Outcome.ACCEPTED for receipt in adapter.post(requests))
    took = time.perf_counter() - began
    size = len(adapter.build(people[0]).data)
    adapter.close()
    if accepted != messages:
        sys.exit(f"only {accepted} of {messages} were accepted")
    return messages / took, size


def naive(port: int, messages: int) -> float:
    """Messages per second of Django's own way: a template, a message object and a connection each."""
    from django.core.mail import EmailMultiAlternatives
    from django.template import Context, Template

    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", port
    html = Template(_PARAGRAPH.format(name="{{ name }}", product="{{ product }}", price="{{ price }}") * _BLOCKS)
    text = Template("Kjære {{ name }}, nå er {{ product }} her.\n" * 20)
    began = time.perf_counter()
    for n in range(messages):
        facts = Context({"name": f"Åse {n}", "product": f"jakke nr {n % 50}", "price": f"{n % 900 + 99},00 kr"})
        mail = EmailMultiAlternatives(
            f"Åse {n}: tilbud", text.render(facts), "hei@fjord.example", [f"person{n}@example.com"]
        )
        mail.attach_alternative(html.render(facts), "text/html")
        mail.send()
    return messages / (time.perf_counter() - began)


def main() -> None:
    """Runs the rounds and prints a line for each, and the medians of the ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    django.setup()
    to_ceiling, to_naive = [], []
    _program("smtp-sink")
    with running_sink(backlog=1000) as port:
        ours(port, 500)
        for number in range(1, given.rounds + 1):
            mine, size = ours(port, given.messages)
            top = ceiling(port, given.messages, size)
            slow = naive(port, max(100, given.messages // 50))
            to_ceiling.append(mine / top)
            to_naive.append(mine / slow)
            print(f"round {number}: ours {mine:,.0f}/s  smtp-source {top:,.0f}/s  naive {slow:,.0f}/s  ({size} bytes)")
    print(f"ours / smtp-source: {statistics.median(to_ceiling):.2f}   ours / naive: {statistics.median(to_naive):.1f}")


if __name__ == "__main__":
    main()
