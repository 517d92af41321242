"""Text messages: how long they are (3GPP TS 23.038, 23.040) and what a reply with one word means."""

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum

_GSM7 = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡"
    "ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_GSM7_EXTENDED = frozenset("\f^{}\\[~]|€")


@dataclass(frozen=True)
class Length:
    """Size of a text message. `units` are septets (GSM-7) or UTF-16 code units (UCS-2); `left` fit in the last segment.

    `unusual` are the characters that forced UCS-2, in order of appearance.
    """

    encoding: str
    segments: int
    units: int
    left: int
    unusual: tuple[str, ...] = ()


def _widths(text: str) -> tuple[str, list[int], int, int]:
    """Encoding, units of each character, units of a single message, units of one of several."""
    if all(c in _GSM7 or c in _GSM7_EXTENDED for c in text):
        return "GSM-7", [2 if c in _GSM7_EXTENDED else 1 for c in text], 160, 153
    return "UCS-2", [2 if ord(c) > 0xFFFF else 1 for c in text], 70, 67


def measure(text: str) -> Length:
    """Encoding and number of segments of `text`; an escaped or surrogate pair is never cut in two."""
    encoding, widths, single, part = _widths(text)
    total = sum(widths)
    unusual = tuple(dict.fromkeys(c for c in text if c not in _GSM7 and c not in _GSM7_EXTENDED))
    if total <= single:
        return Length(encoding, 1, total, single - total, unusual)
    segments, used = 1, 0
    for width in widths:
        if used + width > part:
            segments, used = segments + 1, 0
        used += width
    return Length(encoding, segments, total, part - used, unusual)


class Keyword(StrEnum):
    """What a person asked for by one word."""

    STOP = "stop"
    START = "start"
    HELP = "help"


_KEYWORDS = {
    Keyword.STOP: "STOP STOPALL UNSUBSCRIBE CANCEL END QUIT REVOKE OPTOUT ARRET STOPP AVSLUTT REZYGNUJE WYPISZ",
    Keyword.START: "START YES UNSTOP",
    Keyword.HELP: "HELP INFO HJELP POMOC",
}
_MEANING = {word: keyword for keyword, words in _KEYWORDS.items() for word in words.split()}
_PLAIN_WORDS = re.compile(
    r"\b(?:(?:please\s+)?stop\b(?!\s+by)|opt\s*-?\s*out|unsubscribe|remove\s+me|"
    r"(?:do\s*n['o]?t|do\s+not)\s+(?:text|message|contact)\s+me)",
    re.IGNORECASE,
)


def _single_word(text: str) -> str:
    bare = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    return re.sub(r"[^A-Z]+", "", bare.upper()) if len(text) <= 40 else ""


def keyword(text: str) -> Keyword | None:
    """What an inbound text asks for.

    The CTIA words and those of our languages, alone, in any case and punctuation ("Opt-out!"); and, because wishes in
    normal language must be acted upon too (CTIA, FCC), short sentences such as "please stop texting me".
    """
    found = _MEANING.get(_single_word(text))
    if found is None and len(text) <= 160 and _PLAIN_WORDS.search(text):
        return Keyword.STOP
    return found
