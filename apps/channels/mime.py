"""E-mail written once and filled per person: a whole RFC 5322 message with holes.

Building a message object per recipient costs hundreds of microseconds, filling a pre-rendered one a few. Bodies are
quoted-printable (RFC 2045 6.7) with soft line breaks around every slot, so that a value is encoded on its own; the
subject is RFC 2047. No line ever begins with a dot (it is written =2E), so the bytes need no dot-stuffing and mean the
same in a file and in an SMTP conversation.
"""

import html as html_escaping
import re
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from email.utils import formataddr
from functools import lru_cache

from .slots import MissingSlot, declared, fill_text, pieces

_LINE = 75
_WORD = 52
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_UNSAFE = re.compile(rb"[^ !-<>-~]")
_TOKEN = re.compile(rb"=[0-9A-F]{2}|.", re.DOTALL)
_SIMPLE = re.compile(rb"(?:[!-\-/-<>-~](?:[ !-<>-~]{0,72}[!-<>-~])?)?")
_SAME_EVERYWHERE = re.compile(r"[A-EG-Za-z0-9](?:[A-Za-z0-9 ,:/?_-]{0,70}[A-Za-z0-9,:/?_-])?")
_WORD_SAFE = re.compile(rb"[A-Za-z0-9!*+/-]")
_HEADER_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,60}")
_HEADER_VALUE = re.compile(r"[ -~]{0,900}")
_ADDRESS = re.compile(r"[!#-'*+\-/-9=?A-Z^-~.]{1,64}@[A-Za-z0-9.-]{1,253}")
_OWN_HEADERS = {"from", "to", "cc", "bcc", "subject", "date", "message-id", "mime-version", "reply-to", "sender"}


class BadHeader(Exception):
    """A header or address that cannot stand in a message; nothing of it was written."""


def qp_line(line: bytes) -> bytes:
    """One line (without its end) as quoted-printable, wrapped by soft breaks."""
    if _SIMPLE.fullmatch(line) and not line.startswith(b"From "):
        return line
    coded = _UNSAFE.sub(lambda found: b"=%02X" % found[0][0], line)
    if coded[-1:] == b" ":
        coded = coded[:-1] + b"=20"
    if coded.startswith(b"From "):
        coded = b"=46" + coded[1:]
    done, current = [], bytearray()
    for token in _TOKEN.findall(coded):
        if len(current) + len(token) > _LINE:
            done.append(bytes(current) + b"=")
            current = bytearray()
        current += b"=2E" if token == b"." and not current else token
    return b"\r\n".join([*done, bytes(current)])


def qp_text(text: str) -> bytes:
    """Text of any number of lines as quoted-printable; every kind of line end becomes CRLF."""
    raw = text.replace("\r\n", "\n").replace("\r", "\n").encode("utf-8", "replace")
    return b"\r\n".join([qp_line(line) for line in raw.split(b"\n")])


@lru_cache(maxsize=4096)
def _plain_value(value: str) -> bytes:
    return qp_text(value)


@lru_cache(maxsize=4096)
def _html_value(value: str) -> bytes:
    return qp_text(html_escaping.escape(value))


def _encode(context: str, value: str) -> bytes:
    # most values (tokens, figures, first names) mean the same in every context: no cache, no second look
    if _SAME_EVERYWHERE.fullmatch(value):
        return value.encode()
    return _html_value(value) if context == "html" else _plain_value(value)


def header_text(text: str) -> bytes:
    """Unstructured header text: plain when it can be, otherwise RFC 2047 words on folded lines.

    Control characters become spaces, which is what makes header injection impossible.
    """
    text = _CONTROL.sub(" ", text).strip()
    if text.isascii() and len(text) <= 66 and "=?" not in text:
        return text.encode()
    coded = [_coded_character(character) for character in text]
    if sum(map(len, coded)) <= _WORD:
        return b"=?utf-8?q?%b?=" % b"".join(coded)
    words: list[bytes] = []
    current: list[bytes] = []
    used = 0
    for piece in coded:
        if used + len(piece) > _WORD:
            words.append(b"".join(current))
            current, used = [], 0
        current.append(piece)
        used += len(piece)
    return b"\r\n ".join(b"=?utf-8?q?%b?=" % word for word in [*words, b"".join(current)])


@lru_cache(maxsize=4096)
def _coded_character(character: str) -> bytes:
    """One character in the Q encoding of RFC 2047; a character is never cut in two."""
    raw = character.encode("utf-8", "replace")
    if raw == b" ":
        return b"_"
    return raw if _WORD_SAFE.fullmatch(raw) else b"".join(b"=%02X" % byte for byte in raw)


def header_line(name: str, value: str) -> bytes:
    """A header of our own making (`List-Unsubscribe: <...>`); raises `BadHeader`."""
    if not _HEADER_NAME.fullmatch(name) or name.lower() in _OWN_HEADERS or name.lower().startswith("content-"):
        raise BadHeader(f"header {name!r} is not allowed")
    if not _HEADER_VALUE.fullmatch(value):
        raise BadHeader(f"header {name} holds characters that do not belong there")
    return f"{name}: {value}\r\n".encode("ascii")


def address(value: str) -> str:
    """`value` when it can stand in an envelope and a To header (ASCII, RFC 5321 dot-string); raises `BadHeader`."""
    if not _ADDRESS.fullmatch(value):
        raise BadHeader("the address cannot be written in an envelope")
    return value


def _sender_lines(sender: Mapping[str, str]) -> bytes:
    name = _CONTROL.sub(" ", sender.get("from_name", "")).strip()
    lines = f"From: {formataddr((name, address(sender['from_email'])))}\r\n"
    if sender.get("reply_to"):
        lines += f"Reply-To: <{address(sender['reply_to'])}>\r\n"
    return lines.encode("ascii")


def _body(text: str, context: str, fragments: frozenset[str]) -> tuple[bytes, list[tuple[str, str]]]:
    """Quoted-printable body with %b for every slot, and the (context, slot) of each of them."""
    out: list[bytes] = []
    places: list[tuple[str, str]] = []
    line_start = True
    for is_slot, part in pieces(text if text.endswith("\n") else text + "\n"):
        if is_slot:
            out.append(b"%b=\r\n" if line_start else b"=\r\n%b=\r\n")
            places.append(("fragment" if part in fragments and context == "html" else context, part))
        else:
            out.append(qp_text(part).replace(b"%", b"%%"))
        line_start = is_slot or part[-1] in "\r\n"
    return b"".join(out), places


def _assemble(text: bytes, html: bytes) -> bytes:
    # "=_" cannot occur in quoted-printable, so the boundary never meets content
    boundary = b"=_" + secrets.token_hex(12).encode()
    part = b'--%s\r\nContent-Type: text/%s; charset="utf-8"\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n'
    return b"".join(
        [
            b'MIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary="%s"\r\n\r\n' % boundary,
            part % (boundary, b"plain") + text + b"\r\n",
            part % (boundary, b"html") + html + b"\r\n",
            b"--%s--\r\n" % boundary,
        ]
    )


@dataclass(frozen=True)
class MimeTemplate:
    """A compiled e-mail, once per (content version, brand). Make it with `compile`, use it with `fill`."""

    sender: bytes
    from_email: str
    message_id_domain: str
    subject: tuple[tuple[bool, str], ...]
    body: bytes
    values: tuple[tuple[str, str], ...]
    order: tuple[int, ...]
    slots: frozenset[str]

    @classmethod
    def compile(
        cls,
        *,
        subject: str,
        html: str,
        text: str,
        sender: Mapping[str, str],
        slots: Iterable[str] = (),
        fragments: Iterable[str] = (),
    ) -> "MimeTemplate":
        """Subject, HTML and text with `slots.marker` at their slots.

        `sender`: from_email, from_name, reply_to, message_id_domain. Values are escaped where they land in HTML,
        except those of `fragments`, which are HTML already. Raises `UnknownSlot`, `BadHeader`.
        """
        raw = frozenset(fragments)
        found = declared([subject, html, text], {*slots, *raw})
        text_body, text_places = _body(text, "text", raw)
        html_body, html_places = _body(html, "html", raw)
        from_email = address(sender["from_email"])
        places = text_places + html_places
        values = tuple(dict.fromkeys(places))
        return cls(
            sender=_sender_lines(sender),
            from_email=from_email,
            message_id_domain=sender.get("message_id_domain") or from_email.rsplit("@", 1)[1],
            subject=tuple(pieces(subject)),
            body=_assemble(text_body, html_body),
            values=values,
            order=tuple([values.index(place) for place in places]),
            slots=found,
        )

    def fill(self, slots: Mapping[str, str], headers: Mapping[str, str], *, to: str, reference: str) -> bytes:
        """The message for one person, with CRLF line ends and without a Date (the hand-over stamps it).

        `reference` becomes the Message-ID. Raises `MissingSlot`, `BadHeader`.
        """
        head = b"%bTo: <%b>\r\nSubject: %b\r\nMessage-ID: <%b@%b>\r\n" % (
            self.sender,
            address(to).encode(),
            header_text(fill_text(self.subject, slots)),
            reference.encode("ascii"),
            self.message_id_domain.encode("ascii"),
        )
        extra = b"".join([header_line(name, value) for name, value in headers.items()])
        try:
            coded = [_encode(context, slots[name]) for context, name in self.values]
        except KeyError as missing:
            raise MissingSlot(str(missing.args[0])) from None
        return head + extra + self.body % tuple([coded[i] for i in self.order])
