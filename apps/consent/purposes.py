"""The purposes that every installation begins with, and their names in a person's language."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.utils import translation

from .models import Purpose, PurposeClass, Wording


@dataclass(frozen=True)
class Default:
    """A purpose as it is first made; administrators may change all but the code."""

    code: str
    purpose_class: str
    names: dict[str, str]
    descriptions: dict[str, str]
    wordings: dict[str, str]
    needs_consent: bool = True
    is_topic: bool = True
    is_measurement: bool = False


# The first wordings came with Concord itself.
FIRST = datetime(2026, 11, 1, tzinfo=UTC)
DEFAULTS = (
    Default(
        "offers",
        PurposeClass.PROMOTION,
        {"en": "Offers", "nb": "Tilbud", "pl": "Oferty"},
        {
            "en": "Prices, sales and what is new in our shops.",
            "nb": "Priser, salg og nyheter i butikkene våre.",
            "pl": "Ceny, wyprzedaże i nowości w naszych sklepach.",
        },
        {
            "en": "Yes, send me offers. I can say no at any time.",
            "nb": "Ja, send meg tilbud. Jeg kan si nei når som helst.",
            "pl": "Tak, proszę wysyłać mi oferty. Mogę zrezygnować w każdej chwili.",
        },
    ),
    Default(
        "newsletter",
        PurposeClass.PROMOTION,
        {"en": "Newsletter", "nb": "Nyhetsbrev", "pl": "Newsletter"},
        {
            "en": "Stories, advice and invitations, at most once a week.",
            "nb": "Historier, råd og invitasjoner, høyst én gang i uken.",
            "pl": "Artykuły, porady i zaproszenia, najwyżej raz w tygodniu.",
        },
        {
            "en": "Yes, send me the newsletter. I can say no at any time.",
            "nb": "Ja, send meg nyhetsbrevet. Jeg kan si nei når som helst.",
            "pl": "Tak, proszę wysyłać mi newsletter. Mogę zrezygnować w każdej chwili.",
        },
    ),
    Default(
        "service",
        PurposeClass.SERVICE,
        {"en": "Service messages", "nb": "Servicemeldinger", "pl": "Wiadomości serwisowe"},
        {
            "en": "About what you bought or asked us: thanks, questions, surveys.",
            "nb": "Om det du har kjøpt eller spurt oss om: takk, spørsmål, undersøkelser.",
            "pl": "O tym, co kupiono lub o co nas zapytano: podziękowania, pytania, ankiety.",
        },
        {},
        needs_consent=False,
    ),
    Default(
        "safety",
        PurposeClass.SAFETY,
        {"en": "Safety and recalls", "nb": "Sikkerhet og tilbakekallinger", "pl": "Bezpieczeństwo i wycofania"},
        {
            "en": "Warnings about products that you bought. These always reach you.",
            "nb": "Advarsler om produkter du har kjøpt. Disse når deg alltid.",
            "pl": "Ostrzeżenia o kupionych produktach. Wysyłamy je zawsze.",
        },
        {},
        needs_consent=False,
        is_topic=False,
    ),
    Default(
        "measurement",
        PurposeClass.SERVICE,
        {"en": "Measuring what interests me", "nb": "Måling av hva som interesserer meg", "pl": "Pomiar moich zainteresowań"},
        {
            "en": "We may see whether you open our messages and which links you choose.",
            "nb": "Vi kan se om du åpner meldingene våre og hvilke lenker du velger.",
            "pl": "Możemy widzieć, czy otwierasz nasze wiadomości i które linki wybierasz.",
        },
        {
            "en": "Yes, you may see whether I open messages and which links I choose.",
            "nb": "Ja, dere kan se om jeg åpner meldinger og hvilke lenker jeg velger.",
            "pl": "Tak, możecie widzieć, czy otwieram wiadomości i które linki wybieram.",
        },
        is_measurement=True,
    ),
)  # fmt: skip


def ensure_defaults(**_signal: Any) -> None:
    """Makes the default purposes and the first version of their wordings where they are missing. Changes nothing else."""
    for position, default in enumerate(DEFAULTS, 1):
        purpose, _made = Purpose.objects.get_or_create(
            code=default.code,
            defaults={
                "name": default.names["en"],
                "names": default.names,
                "description": default.descriptions["en"],
                "descriptions": default.descriptions,
                "purpose_class": default.purpose_class,
                "needs_consent": default.needs_consent,
                "is_topic": default.is_topic,
                "is_measurement": default.is_measurement,
                "position": position * 10,
            },
        )
        known = set(purpose.wordings.values_list("language", flat=True))
        Wording.objects.bulk_create(
            Wording(purpose=purpose, language=language, version=1, text=text, created_at=FIRST)
            for language, text in default.wordings.items()
            if language not in known
        )


def name_of(purpose: Purpose, language: str = "") -> str:
    """Its name in the language (the active one by default), else the name colleagues gave it."""
    return purpose.name_in(language or _active())


def description_of(purpose: Purpose, language: str = "") -> str:
    """What it means for the person, in the language."""
    return str(purpose.descriptions.get(language or _active()) or purpose.description)


def current_wording(purpose: Purpose, language: str = "") -> Wording | None:
    """The newest version of the wording in the language, else in English, else in any."""
    wanted = language or _active()
    newest: dict[str, Wording] = {}
    for wording in purpose.wordings.order_by("version"):
        newest[wording.language] = wording
    return newest.get(wanted) or newest.get("en") or next(iter(newest.values()), None)


def in_use() -> list[Purpose]:
    return list(Purpose.objects.filter(is_active=True))


def of_codes(codes: Iterable[str]) -> dict[str, Purpose]:
    return {purpose.code: purpose for purpose in Purpose.objects.filter(code__in=list(codes))}


def _active() -> str:
    return (translation.get_language() or "en").split("-")[0]
