"""From a content version to what a channel hands over: compiled once, then filled per person.

The Liquid is cut at its top level: literal text stays in the compiled content, every dynamic piece becomes a slot. So a
person costs the evaluation of a few expressions, not the making of a message.
"""

from __future__ import annotations

import html as html_escaping
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from django.utils.translation import gettext as _

from apps.channels import slots as slot_marks
from apps.channels import tracking
from apps.channels.content import CallContent, LetterContent, MimeTemplate, SmsContent
from apps.channels.kinds import Channel
from apps.consent.models import PurposeClass
from apps.customers.models import Product

from ..models import Brand, ContentVersion
from . import addresses, blocks, facts, html, liquid, mjml

PIXEL, TRAP = "open", "trap"
_HREF = re.compile(r'(<a\b[^>]*?\bhref=")(https?://[^"{}]+)(")', re.IGNORECASE)
_BARE = re.compile(r"https?://[^\s<>()\"{}]+[^\s<>()\"{}.,;:!?]")
_PRODUCT_URL = re.compile(r'\{\{\s*product(?:s\["(\d+)"\])?\.url\s*\}\}')


class Where(Protocol):
    """Gives the addresses of one delivery (see ``addresses``)."""

    def links(self) -> dict[str, str]: ...
    def click(self, link_id: int, url: str) -> str: ...
    def pixel(self) -> str: ...
    def trap(self) -> str: ...


@dataclass(frozen=True)
class Part:
    """One Liquid text: its template, the slots of its dynamic nodes in order, and whether it is HTML.

    A merge field that is written several times has one slot.
    """

    template: liquid.Template
    slots: tuple[str, ...]
    is_html: bool


@dataclass(frozen=True)
class Compiled:
    """A version ready to be filled. ``content`` is what the channel's adapter takes; texts have slot marks."""

    version_id: int
    revision: int
    channel: str
    language: str
    content: Any
    subject: str
    html: str
    text: str
    parts: tuple[Part, ...]
    links: Mapping[str, tuple[int, str]]
    fields: frozenset[str]

    def slots_for(self, person: facts.Facts, where: Where) -> dict[str, str]:
        """Slot values for one person. Raises TemplateProblem when the message cannot be made for them."""
        known = {**person, "links": where.links()}
        links = {slot: where.click(link_id, url) for slot, (link_id, url) in self.links.items()}
        values = dict(links)
        if PIXEL in self.html:
            values |= {PIXEL: where.pixel(), TRAP: where.trap()}
        for part in self.parts:
            for slot, value in zip(part.slots, part.template.values(known), strict=True):
                values[slot] = _with_links(value, links, part.is_html)
        return values

    def preview(self, person: facts.Facts, where: Where) -> Preview:
        """The finished message for one person, to be looked at."""
        values = self.slots_for(person, where)
        escaped = values | {slot: html_escaping.escape(values[slot]) for slot in (*self.links, PIXEL, TRAP) if slot in values}
        return Preview(
            subject=slot_marks.fill_text(slot_marks.pieces(self.subject), values),
            html=slot_marks.fill_text(slot_marks.pieces(self.html), escaped),
            text=slot_marks.fill_text(slot_marks.pieces(self.text), values),
        )


@dataclass(frozen=True)
class Preview:
    """What one person would get."""

    subject: str
    html: str
    text: str


def _with_links(value: str, links: Mapping[str, str], is_html: bool) -> str:
    """Put link addresses into a piece that a condition or loop made."""
    if slot_marks.marker("l0")[:7] not in value:
        return value
    return "".join(
        (html_escaping.escape(links[part]) if is_html else links[part]) if is_slot else part
        for is_slot, part in slot_marks.pieces(value)
    )


class _Cutter:
    """Collects parts and links while the texts of one version are compiled."""

    def __init__(self) -> None:
        self.parts: list[Part] = []
        self.urls: dict[str, str] = {}

    def mark_links(self, source: str, *, is_html: bool) -> str:
        """The text with each fixed web address replaced by the mark of a slot."""
        if is_html:
            return _HREF.sub(lambda m: m[1] + self._slot(html_escaping.unescape(m[2])) + m[3], source)
        return _BARE.sub(lambda m: self._slot(m[0]), source)

    def _slot(self, url: str) -> str:
        return slot_marks.marker(self.urls.setdefault(url, f"l{len(self.urls)}"))

    def cut(self, source: str, prefix: str, *, is_html: bool = False) -> str:
        """The text with the mark of a slot for every dynamic piece. Raises TemplateProblem."""
        template = liquid.parse(source, escape=is_html)
        known: dict[tuple[str, ...], str] = {}
        names = []
        for place, (_node, path) in enumerate(template.dynamic):
            name = f"{prefix}{place}"
            names.append(known.setdefault(path, name) if path else name)
        marks = iter(names)
        done = [slot_marks.marker(next(marks)) if dynamic else str(text) for dynamic, text in template.nodes]
        self.parts.append(Part(template, tuple(names), is_html))
        return "".join(done)

    def fields(self) -> frozenset[str]:
        return frozenset(path for part in self.parts for path in part.template.fields)

    def slots(self) -> list[str]:
        return [slot for part in self.parts for slot in part.slots if not part.is_html] + list(self.urls.values())

    def fragments(self) -> list[str]:
        return [slot for part in self.parts if part.is_html for slot in part.slots]


def compile(version: ContentVersion, brand: Brand | None, *, now: datetime) -> Compiled:
    """Compile a version for its message's channel. Raises TemplateProblem for what cannot be sent."""
    channel = version.message.channel
    if channel == Channel.EMAIL:
        return _email(version, brand, now)
    if channel == Channel.LETTER:
        return _letter(version, brand)
    if channel == Channel.CALL:
        return _text(version, lambda text, subject: CallContent(script=text, goal=subject))
    return _text(version, lambda text, subject: SmsContent(text))


def _email(version: ContentVersion, brand: Brand | None, now: datetime) -> Compiled:
    cutter = _Cutter()
    source, text = sources(version, brand)
    html_text = cutter.cut(cutter.mark_links(source, is_html=True), "h", is_html=True)
    plain = cutter.cut(cutter.mark_links(text, is_html=False), "t")
    subject = cutter.cut(" ".join(version.subject.split()), "s")
    html_text = _with_signs(html_text)
    ids = tracking.links_for(cutter.urls, now=now)
    content = MimeTemplate.compile(
        subject=subject, html=html_text, text=plain, sender=sender(version, brand),
        slots=[*cutter.slots(), PIXEL, TRAP], fragments=cutter.fragments(),
    )
    return _compiled(version, cutter, content, subject, html_text, plain,
                     {slot: (ids[url], url) for url, slot in cutter.urls.items()})  # fmt: skip


def _compiled(
    version: ContentVersion, cutter: _Cutter, content: Any, subject: str, html_text: str, text: str,
    links: Mapping[str, tuple[int, str]],
) -> Compiled:
    return Compiled(
        version_id=version.pk, revision=version.revision, channel=version.message.channel, language=version.language,
        content=content, subject=subject, html=html_text, text=text, parts=tuple(cutter.parts), links=links,
        fields=cutter.fields(),
    )


def _with_signs(source: str) -> str:
    """With the open pixel, and a link that no reader sees or reaches by keyboard: only machines follow it."""
    hidden = (
        f'<a href="{slot_marks.marker(TRAP)}" tabindex="-1" aria-hidden="true" rel="nofollow" '
        'style="display:none;max-height:0;overflow:hidden"></a>'
    )
    picture = f'<img src="{slot_marks.marker(PIXEL)}" width="1" height="1" alt="" style="display:block" />'
    head, body, tail = source.rpartition("</body>")
    return f"{head}{hidden}{picture}{body}{tail}" if body else source + hidden + picture


def sources(version: ContentVersion, brand: Brand | None) -> tuple[str, str]:
    """HTML and plain text of an e-mail version, both in Liquid, with product pages put in. Raises TemplateProblem."""
    if version.format == "html":
        source = html.prepare(version.body)
        return _with_product_pages(version, source), _with_product_pages(version, html.to_text(source))
    shown = version.blocks or []
    service = bool(version.message.purpose and version.message.purpose.purpose_class != PurposeClass.PROMOTION)
    look = mjml.look_of(brand, version.language, logo_url=logo_url(brand))
    source = mjml.to_html(
        template=version.template, blocks=shown, look=look, preheader=version.preheader,
        language=version.language, service=service,
    )
    text = "\n\n".join([blocks.plain_text(shown, {}), _text_foot(look, version.language, service)])
    return _with_product_pages(version, source), _with_product_pages(version, text)


def logo_url(brand: Brand | None) -> str:
    """Where mail programs fetch the department's logo."""
    return addresses.public_url("campaigns:logo", str(brand.department_id)) if brand and brand.logo else ""


def _text_foot(look: mjml.Look, language: str, service: bool) -> str:
    words = mjml.words_in(language)
    lines = ["-- ", look.footer, " · ".join(filter(None, [look.company, look.address]))]
    if not service:
        lines += [words["why"], f"{words['preferences']}: {{{{ links.preference }}}}",
                  f"{words['unsubscribe']}: {{{{ links.unsubscribe }}}}"]  # fmt: skip
    return "\n".join(filter(None, lines))


def _with_product_pages(version: ContentVersion, source: str) -> str:
    """Product pages are the same for everybody: put in here, so that links to them are tracked."""
    if not _PRODUCT_URL.search(source):
        return source
    message = version.message
    own = (message.offer.product if message.offer else None) or message.campaign.product
    pages = dict(Product.objects.filter(pk__in=facts.product_ids([version])).values_list("pk", "url"))

    def page(found: re.Match[str]) -> str:
        return str(pages.get(int(found[1]), "")) if found[1] else (own.url if own else "")

    return _PRODUCT_URL.sub(page, source)


def sender(version: ContentVersion, brand: Brand | None) -> dict[str, str]:
    """Who an e-mail is from: the department's brand, or without one the account. Raises TemplateProblem."""
    account = version.message.account
    from_email = (brand.sender_email if brand else "") or (account.sender_address if account else "")
    if not from_email:
        raise liquid.TemplateProblem(_("There is no sender: give the department a brand with a sender address."))
    return {
        "from_email": from_email,
        "from_name": (brand.sender_name if brand else "") or (account.sender_name if account else ""),
        "reply_to": brand.reply_to if brand else "",
        "message_id_domain": from_email.rpartition("@")[2],
    }


def _letter(version: ContentVersion, brand: Brand | None) -> Compiled:
    cutter = _Cutter()
    heading, text = cutter.cut(version.subject, "s"), cutter.cut(version.body, "t")
    content = LetterContent(
        heading=heading, text=text, signature=brand.company_name if brand else "",
        sender_lines=tuple(filter(None, [brand.company_name, brand.postal_address])) if brand else (),
        footer=str(brand.footers.get(version.language, "")) if brand else "",
        **({"colour": brand.colour} if brand else {}),
    )
    return _compiled(version, cutter, content, heading, "", text, {})


def _text(version: ContentVersion, make: Any) -> Compiled:
    """Texts and scripts. Their web addresses are not tracked: a token would double the price of a text message."""
    cutter = _Cutter()
    text, subject = cutter.cut(version.body, "t"), cutter.cut(version.subject, "s")
    return _compiled(version, cutter, make(text, subject), subject, "", text, {})
