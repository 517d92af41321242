"""What a finished e-mail costs per person: `python -m tests.benchmarks.rendering [--people N] [--rounds N]`.

Two ways to the same bytes, in the same round, in CPU time of one core:

- ours: a version compiled once (blocks, MJML, Liquid), then slots and tracked links filled per person;
- naive: a Django template rendered and an EmailMultiAlternatives built per person.

What counts is the ratio within one round; absolute figures depend on the machine. No database is touched.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

import django

TEXT = "Hei {name}, nå er {product} her for {price}. Tilbudet gjelder til {until}. " + "Mange gode ord om vinteren. " * 6


def _liquid(text: str) -> str:
    fields = {"name": "customer.given_name", "product": "product.name", "price": "product.price", "until": "offer.until"}
    return text.format(**{name: f"{{{{ {path} }}}}" for name, path in fields.items()})


def _facts(number: int) -> dict[str, Any]:
    return {
        "customer": {"given_name": f"Åse{number}", "name": "", "language": "nb"}, "attribute": {}, "company": {},
        "offer": {"until": "30. november 2026"},
        "product": {"name": "Vinterkåpe", "price": "1 049 kr", "url": "https://nordlys.example/kaape"},
    }  # fmt: skip


def _compiled() -> Any:
    from apps.campaigns.content import blocks, liquid, mjml, rendering
    from apps.channels.content import MimeTemplate

    made = [{"kind": "heading", "text": "Vinteren er her"}, *({"kind": "text", "text": _liquid(TEXT)} for _ in range(6)),
            *({"kind": "button", "label": "Se", "url": f"https://nordlys.example/{n}"} for n in range(4))]  # fmt: skip
    shown = blocks.cleaned(made)
    cutter = rendering._Cutter()
    source = mjml.to_html(template="classic", blocks=shown, look=mjml.Look(), preheader="", language="nb")
    html = rendering._with_signs(cutter.cut(cutter.mark_links(source, is_html=True), "h", is_html=True))
    text = cutter.cut(cutter.mark_links(blocks.plain_text(shown, {}), is_html=False), "t")
    subject = cutter.cut("{{ customer.given_name }}, vinteren er her", "s")
    content = MimeTemplate.compile(
        subject=subject, html=html, text=text, sender={"from_email": "hei@nordlys.example", "from_name": "Nordlys"},
        slots=[*cutter.slots(), rendering.PIXEL, rendering.TRAP], fragments=cutter.fragments(),
    )  # fmt: skip
    links = {slot: (number, url) for number, (url, slot) in enumerate(cutter.urls.items(), 1)}
    ready = rendering.Compiled(1, 1, "email", "nb", content, subject, html, text, tuple(cutter.parts), links, frozenset())
    return ready, liquid.parse(source, escape=True).render(_facts(0) | {"links": {}})


def _ours(ready: Any, people: int) -> float:
    from apps.campaigns.content.addresses import Addresses

    began = time.process_time()
    for number in range(1, people + 1):
        slots = ready.slots_for(_facts(number), Addresses(7, number, 1, measured=True))
        ready.content.fill(slots, {}, to=f"p{number}@example.no", reference=f"7.{number}")
    return (time.process_time() - began) / people * 1e6


def _naive(page: str, people: int) -> float:
    from django.core.mail import EmailMultiAlternatives
    from django.template import Context, engines

    html = engines["django"].engine.from_string(  # type: ignore[attr-defined]
        page.replace("Åse0", "{{ customer.given_name }}").replace("1 049 kr", "{{ product.price }}")
    )
    text = engines["django"].engine.from_string("{{ customer.given_name }} {{ product.price }} " + TEXT * 6)  # type: ignore[attr-defined]
    began = time.process_time()
    for number in range(1, people + 1):
        facts = Context(_facts(number))
        mail = EmailMultiAlternatives(f"Åse{number}, vinteren er her", text.render(facts), "hei@nordlys.example", [f"p{number}@example.no"])
        mail.attach_alternative(html.render(facts), "text/html")
        mail.message().as_bytes()
    return (time.process_time() - began) / people * 1e6


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--people", type=int, default=1000)
    options.add_argument("--rounds", type=int, default=5)
    given = options.parse_args()
    django.setup()
    ready, page = _compiled()
    _ours(ready, 10)  # what is loaded once is not the price of a person
    ratios = []
    for _round in range(given.rounds):
        ours, naive = _ours(ready, given.people), _naive(page, given.people)
        ratios.append(naive / ours)
        print(f"ours {ours:7.1f} us   naive {naive:7.1f} us   ratio {naive / ours:5.2f}")
    print(f"median ratio {statistics.median(ratios):.2f} over {given.rounds} rounds of {given.people} people")


if __name__ == "__main__":
    main()
