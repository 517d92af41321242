"""Pasted HTML: sanitised, styles inlined, Liquid kept out of every HTML parser's way.

An HTML parser moves ``{% for %}`` out of a table and turns ``>`` into ``&gt;``. So each piece of Liquid is swapped for a
placeholder first (a comment between tags, a word inside a tag: both are legal everywhere) and put back afterwards.
"""

from __future__ import annotations

import re
from html.parser import HTMLParser

import css_inline
import nh3
from django.utils.translation import gettext as _

from . import liquid

LONGEST = 200_000
_COMMENT = re.compile(r"<!--.*?(?:-->|$)", re.DOTALL)
_PLACE = re.compile(r"<!--qx7liq(\d+)-->|qx7liq(\d+)qil7xq", re.IGNORECASE)
_TAGS = (nh3.ALLOWED_TAGS | {
    "style", "center", "font", "table", "tbody", "thead", "tfoot", "tr", "td", "th", "caption", "img", "section",
    "header", "footer", "main", "button", "u",
}) - {"script"}
_EVERYWHERE = {
    "style", "class", "id", "title", "lang", "dir", "align", "valign", "width", "height", "bgcolor", "border", "role",
    "cellpadding", "cellspacing", "color", "face", "size", "background", "aria-label", "aria-hidden",
}
_SCHEMES = {"http", "https", "mailto", "tel"}


class Unusable(liquid.TemplateProblem):
    """HTML that cannot become a message."""


def hide(source: str) -> tuple[str, list[str]]:
    """The HTML with placeholders for its Liquid, and the Liquid."""
    tokens: list[str] = []
    done, position = [], 0
    for token in liquid.TOKENS.finditer(source):
        before = source[: token.start()]
        inside = before.rfind("<") > before.rfind(">")
        mark = f"qx7liq{len(tokens)}qil7xq" if inside else f"<!--qx7liq{len(tokens)}-->"
        done += [source[position : token.start()], mark]
        tokens.append(token[0])
        position = token.end()
    return "".join([*done, source[position:]]), tokens


def reveal(marked: str, tokens: list[str]) -> str:
    """Liquid back at its places."""
    return _PLACE.sub(lambda place: tokens[int(place[1] or place[2])], marked)


def without_comments(source: str) -> str:
    """The HTML without comments, also without those that appear once the first are gone."""
    while (less := _COMMENT.sub("", source)) != source:
        source = less
    return source


def prepare(source: str) -> str:
    """Pasted HTML made safe: a whole document with inlined styles, still in Liquid. Raises TemplateProblem."""
    if len(source) > LONGEST:
        raise Unusable(_("The HTML is too long: at most %(limit)s characters.") % {"limit": LONGEST})
    liquid.parse(source)
    marked, tokens = hide(_PLACE.sub("", without_comments(source)))
    clean = nh3.clean(
        marked,
        tags=_TAGS,
        clean_content_tags={"script", "title"},
        attributes={**nh3.ALLOWED_ATTRIBUTES, "*": _EVERYWHERE, "img": {"src", "alt", "width", "height", "align", "border"},
                    "a": {"href", "name", "target"}},
        strip_comments=False,
        link_rel=None,
        url_schemes=_SCHEMES,
    )
    document = (
        '<!DOCTYPE html><html><head><meta charset="utf-8" />'
        '<meta name="viewport" content="width=device-width, initial-scale=1" /></head>'
        f"<body>{clean}</body></html>"
    )
    try:
        inlined = css_inline.CSSInliner(keep_style_tags=True, load_remote_stylesheets=False).inline(document)
    except ValueError as error:
        raise Unusable(_("The styles of this HTML cannot be understood: %(detail)s.") % {"detail": error}) from error
    return reveal(inlined, tokens)


class _Words(HTMLParser):
    """Collects what a reader without pictures and colours would read."""

    BREAKS = frozenset({"p", "div", "h1", "h2", "h3", "h4", "tr", "table", "ul", "ol", "blockquote", "section"})
    SILENT = frozenset({"style", "script", "head", "title"})

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self.silent = 0
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag in self.SILENT:
            self.silent += 1
        elif tag in self.BREAKS:
            self.parts.append("\n\n")
        elif tag == "br":
            self.parts.append("\n")
        elif tag == "li":
            self.parts.append("\n- ")
        elif tag == "img" and values.get("alt"):
            self.parts.append(str(values["alt"]))
        if tag == "a":
            self.links.append(values.get("href") or "")

    def handle_endtag(self, tag: str) -> None:
        if tag in self.SILENT:
            self.silent = max(0, self.silent - 1)
        elif tag == "a" and self.links:
            link = self.links.pop()
            self.parts.append(f" ({link})" if link and not link.startswith("#") else "")
        elif tag in self.BREAKS:
            self.parts.append("\n\n")
        elif tag in {"td", "th"}:
            self.parts.append(" ")

    def handle_comment(self, data: str) -> None:
        self.parts.append(f"<!--{data}-->")

    def handle_data(self, data: str) -> None:
        if not self.silent:
            self.parts.append(re.sub(r"\s+", " ", data))


def to_text(source: str) -> str:
    """HTML in Liquid to plain text in Liquid, for the text part of an e-mail."""
    marked, tokens = hide(source)
    words = _Words()
    words.feed(marked)
    words.close()
    text = re.sub(r"[ \t]*\n[ \t]*", "\n", "".join(words.parts))
    return reveal(re.sub(r"\n{3,}", "\n\n", text).strip(), tokens)
