"""Ordered blocks: how an e-mail is built without writing HTML. Stored as JSON, checked on the way in."""

from __future__ import annotations

import html
import re
import secrets
from collections.abc import Callable, Iterable
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from . import liquid

Block = dict[str, Any]

KINDS = {
    "heading": gettext_lazy("Heading"),
    "text": gettext_lazy("Text"),
    "image": gettext_lazy("Image"),
    "button": gettext_lazy("Button"),
    "product": gettext_lazy("Product"),
    "divider": gettext_lazy("Divider"),
}
FIELDS: dict[str, tuple[str, ...]] = {
    "heading": ("text", "level"),
    "text": ("text",),
    "image": ("url", "alt", "link"),
    "button": ("label", "url"),
    "product": ("product", "label"),
    "divider": (),
}
MOST_BLOCKS = 60
MOST_CHARACTERS = 20_000
_SAFE_URL = re.compile(r"(?:https?://[^\s<>\"]+|mailto:[^\s<>\"]+|tel:[+0-9 ]+|\{\{.*\}\}[^\s<>\"]*)")


def new(kind: str) -> Block:
    """An empty block of a kind with an id of its own. Raises ValidationError for an unknown kind."""
    if kind not in KINDS:
        raise ValidationError(_("There is no block of kind “%(kind)s”.") % {"kind": kind})
    block: Block = {"id": secrets.token_hex(4), "kind": kind}
    return block | {name: 1 if name == "level" else None if name == "product" else "" for name in FIELDS[kind]}


def cleaned(raw: Any) -> list[Block]:
    """The blocks with known fields only, each with an id. Raises ValidationError in words, naming the block."""
    if not isinstance(raw, list) or not all(isinstance(block, dict) for block in raw):
        raise ValidationError(_("The blocks cannot be read."))
    if len(raw) > MOST_BLOCKS:
        raise ValidationError(_("At most %(most)s blocks in one message.") % {"most": MOST_BLOCKS})
    return [_cleaned(block, place) for place, block in enumerate(raw, 1)]


def _cleaned(block: Block, place: int) -> Block:
    kind = block.get("kind")
    if kind not in KINDS:
        raise ValidationError(_("Block %(place)s is of an unknown kind.") % {"place": place})
    done: Block = {"id": str(block.get("id") or secrets.token_hex(4))[:16], "kind": kind}
    for name in FIELDS[kind]:
        done[name] = _cleaned_field(name, block.get(name), place)
    return done


def _cleaned_field(name: str, value: Any, place: int) -> Any:
    if name == "level":
        return 2 if str(value) == "2" else 1
    if name == "product":
        number = str(value or "")
        return int(number) if number.isdecimal() and len(number) < 10 else None
    text = str(value or "").replace("\r\n", "\n")
    if len(text) > MOST_CHARACTERS:
        raise ValidationError(_("Block %(place)s is too long.") % {"place": place})
    if name in {"url", "link"} and text.strip() and not _SAFE_URL.fullmatch(text.strip()):
        raise ValidationError(
            _("Block %(place)s: “%(url)s” is not an address. It begins with https://, or is a merge field.")
            % {"place": place, "url": text[:80]}
        )
    return text.strip() if name in {"url", "link"} else text


def problems(blocks: Iterable[Block]) -> list[str]:
    """What is missing before these blocks can be sent, in words."""
    found = []
    for place, block in enumerate(blocks, 1):
        wanted = {"button": ("label", "url"), "image": ("url", "alt"), "heading": ("text",)}.get(block["kind"], ())
        for name in wanted:
            if not block.get(name):
                found.append(
                    _("Block %(place)s (%(kind)s): %(field)s is empty.")
                    % {"place": place, "kind": KINDS[block["kind"]], "field": FIELD_LABELS[name]}
                )
    return found


FIELD_LABELS = {
    "text": gettext_lazy("text"),
    "level": gettext_lazy("size"),
    "url": gettext_lazy("address"),
    "alt": gettext_lazy("picture in words"),
    "link": gettext_lazy("leads to"),
    "label": gettext_lazy("label"),
    "product": gettext_lazy("product"),
}

_MARKUP: tuple[tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]], ...] = (
    (re.compile(r"\*\*(?=\S)(.+?)(?<=\S)\*\*", re.DOTALL), r"<strong>\1</strong>"),
    (re.compile(r"(?<!\w)_(?=\S)([^_\n]+?)(?<=\S)_(?!\w)"), r"<em>\1</em>"),
    (
        re.compile(r"\[([^\]\n]+)\]\((https?://[^\s)]+|mailto:[^\s)]+|Qx7liq\d+qil7xQ)\)"),
        r'<a href="\2">\1</a>',
    ),
)


def text_html(text: str) -> str:
    """Light markup to HTML: empty line parts paragraphs, ``**strong**``, ``_emphasis_``, ``[label](address)``.

    Everything else is escaped; Liquid stays as it is.
    """
    kept: list[str] = []

    def keep(token: re.Match[str]) -> str:
        kept.append(token[0])
        return f"Qx7liq{len(kept) - 1}qil7xQ"

    marked = html.escape(liquid.TOKENS.sub(keep, text), quote=True)
    for pattern, replacement in _MARKUP:
        marked = pattern.sub(replacement, marked)
    paragraphs = [part.strip().replace("\n", "<br />") for part in re.split(r"\n{2,}", marked) if part.strip()]
    done = "".join(f"<p>{part}</p>" for part in paragraphs)
    return re.sub(r"Qx7liq(\d+)qil7xQ", lambda mark: kept[int(mark[1])], done)


def plain_text(blocks: Iterable[Block], products: dict[int, Any]) -> str:
    """The blocks as the plain-text part of an e-mail, in Liquid."""
    return "\n\n".join(filter(None, (_plain(block, products) for block in blocks)))


def _plain(block: Block, products: dict[int, Any]) -> str:
    kind = block["kind"]
    if kind == "heading":
        return str(block["text"]).strip()
    if kind == "text":
        links = re.sub(r"\[([^\]\n]+)\]\(((?:\{\{.*?\}\}|[^\s)])+)\)", r"\1: \2", block["text"])
        return re.sub(r"\*\*(.+?)\*\*", r"\1", links).strip()
    if kind == "image":
        return f"{block['alt']}: {block['link']}" if block.get("link") else str(block.get("alt", ""))
    if kind == "button":
        return f"{block['label']}: {block['url']}"
    if kind == "product":
        path = field_path(block["product"])
        return f"{{{{ {path}.name }}}} {{{{ {path}.price }}}}\n{{{{ {path}.url }}}}"
    return "----"


def field_path(product_id: int | None) -> str:
    """Where a product block finds its product among the merge fields: the message's own, or one by id."""
    return f'products["{product_id}"]' if product_id else "product"


def sources(blocks: Iterable[Block]) -> list[str]:
    """All Liquid of these blocks, for analysis and problems."""
    return [str(block[name]) for block in blocks for name in ("text", "label", "url", "link", "alt") if block.get(name)]
