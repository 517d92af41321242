"""Blocks on a template with the department's brand: MJML, compiled to HTML once, Liquid untouched."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.template.loader import render_to_string
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from mjml import mjml2html

from ..models import Brand
from . import blocks as block_kinds
from . import liquid

TEMPLATES = {
    "classic": gettext_lazy("Classic: logo above, text and pictures in one column"),
    "letter": gettext_lazy("Letter: plain, like a personal note"),
    "poster": gettext_lazy("Poster: a coloured head, large words, one clear button"),
}
_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")
_PLACE = re.compile(r"Qx7liq(\d+)qil7xQ")


@dataclass(frozen=True)
class Look:
    """A brand as plain values, so that compiled mail can be kept by value."""

    company: str = "Concord"
    colour: str = "#0f5e5c"
    text_colour: str = "#1b2b2b"
    on_colour: str = "#ffffff"
    logo: str = ""
    logo_alt: str = ""
    address: str = ""
    footer: str = ""


def look_of(brand: Brand | None, language: str, *, logo_url: str = "") -> Look:
    """How a department's mail looks in one language. ``logo_url`` is where the logo can be fetched."""
    if brand is None:
        return Look()
    colour = brand.colour if _COLOUR.fullmatch(brand.colour) else "#0f5e5c"
    return Look(
        company=brand.company_name,
        colour=colour,
        text_colour=brand.text_colour if _COLOUR.fullmatch(brand.text_colour) else "#1b2b2b",
        on_colour=readable_on(colour),
        logo=logo_url if brand.logo else "",
        logo_alt=brand.logo_alt or brand.company_name,
        address=brand.postal_address,
        footer=str(brand.footers.get(language) or brand.footers.get("en") or ""),
    )


def logo_data(brand: Brand) -> str:
    """The logo as a data address, for previews that may not fetch anything."""
    return f"data:{brand.logo_type};base64,{base64.b64encode(bytes(brand.logo)).decode()}" if brand.logo else ""


def readable_on(colour: str) -> str:
    """Black or white, whichever has more contrast on the colour (relative luminance of WCAG 2.2)."""
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return "#ffffff" if 1.05 / (luminance + 0.05) >= (luminance + 0.05) / 0.05 else "#111111"


WORDS = {
    "en": {"unsubscribe": "Unsubscribe", "preferences": "Choose what you receive", "browser": "Read in the browser",
           "why": "You receive this because you said yes to messages from us."},
    "nb": {"unsubscribe": "Meld deg av", "preferences": "Velg hva du vil motta", "browser": "Les i nettleseren",
           "why": "Du får denne fordi du har sagt ja til å høre fra oss."},
    "pl": {"unsubscribe": "Wypisz się", "preferences": "Wybierz, co chcesz otrzymywać", "browser": "Czytaj w przeglądarce",
           "why": "Otrzymujesz tę wiadomość, bo zgodziłeś się na kontakt z nami."},
    "de": {"unsubscribe": "Abmelden", "preferences": "Auswählen, was Sie erhalten", "browser": "Im Browser lesen",
           "why": "Sie erhalten diese Nachricht, weil Sie zugestimmt haben."},
}  # fmt: skip


def words_in(language: str) -> Mapping[str, str]:
    """The fixed words under a mail in the reader's language; English where we have none."""
    return WORDS.get(language.split("-")[0].lower(), WORDS["en"])


def to_html(
    *, template: str, blocks: Iterable[block_kinds.Block], look: Look, preheader: str, language: str, service: bool = False
) -> str:
    """The HTML of an e-mail, still in Liquid. ``service`` mail has no word of consent. Raises TemplateProblem."""
    context = {
        "blocks": [_prepared(block) for block in blocks],
        "look": look,
        "footer": mark_safe(block_kinds.text_html(look.footer)),
        "preheader": mark_safe(liquid.escape_around(preheader)),
        "language": language,
        "words": words_in(language),
        "service": service,
    }
    name = template if template in TEMPLATES else "classic"
    return _compiled(render_to_string(f"campaigns/mail/{name}.mjml", context))


def _prepared(block: block_kinds.Block) -> dict[str, Any]:
    """A block with its texts ready to stand in MJML."""
    ready: dict[str, Any] = {"kind": block["kind"], "level": block.get("level", 1)}
    for name in ("label", "url", "link", "alt"):
        ready[name] = mark_safe(liquid.escape_around(str(block.get(name) or "")))
    text = str(block.get("text") or "")
    ready["text"] = mark_safe(block_kinds.text_html(text) if block["kind"] == "text" else liquid.escape_around(text))
    if block["kind"] == "product":
        path = block_kinds.field_path(block.get("product"))
        ready |= {name: mark_safe(f"{{{{ {path}.{name} }}}}") for name in ("name", "price", "was", "url", "image_url")}
        ready["if_image"], ready["if_was"] = (
            mark_safe(f"{{% if {path}.{name} %}}") for name in ("image_url", "was")
        )
        ready["endif"] = mark_safe("{% endif %}")
    return ready


@lru_cache(maxsize=256)
def _compiled(source: str) -> str:
    tokens: list[str] = []

    def hide(token: re.Match[str]) -> str:
        tokens.append(token[0])
        return f"Qx7liq{len(tokens) - 1}qil7xQ"

    try:
        html = mjml2html(liquid.TOKENS.sub(hide, source), disable_comments=False)
    except ValueError as error:
        raise liquid.TemplateProblem(_("The blocks cannot be put together: %(detail)s.") % {"detail": error}) from error
    return _PLACE.sub(lambda place: tokens[int(place[1])], html)
