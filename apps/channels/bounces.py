"""Mail that comes back: delivery status notifications (RFC 3464) become events of the delivery they speak of.

Which delivery it was stands, signed, in the address the notification came to (VERP). Without it the Message-ID of the
returned message names it; anybody can write that, so such news is kept as a delay at most and condemns no address.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes, policy
from email.errors import MessageError
from email.message import Message
from typing import Any

from django.db import transaction

from . import events
from .models import ChannelAccount, ContactEvent, EventKind
from .references import parse_reference, parse_signed

MAX_BYTES = 10 * 1024 * 1024
_STATUS = re.compile(r"\b([245])\.(\d{1,3})\.(\d{1,3})\b")
_REFERENCE_ID = re.compile(r"<(\d{1,18}\.\d{1,18})@[^>\s]+>")
_KINDS = {"failed": EventKind.BOUNCED, "delayed": EventKind.DEFERRED, "delivered": EventKind.DELIVERED}
# RFC 3463: the address itself is no good (x.1.1 bad mailbox, x.1.2 bad system, x.1.3 syntax, x.1.6 moved, x.1.10 null MX),
# nobody takes mail there (x.4.4). 5.1.7 and 5.1.8 are about the sender.
_HARD = {(1, 1), (1, 2), (1, 3), (1, 6), (1, 10), (4, 4)}
# codes that mean anything or nothing: here the words decide
_VAGUE = {(1, 0), (2, 0), (2, 1), (3, 0), (4, 1), (5, 0), (7, 0), (7, 1)}
_HARD_WORDS = re.compile(
    r"user (?:is )?unknown|unknown user|not exist|recipient address rejected|domain is not reachable|doesn't have an? |"
    r"no such (?:user|recipient|mailbox|person|address)|does(?: not|n't) exist|"
    r"(?:recipient|mailbox|address|user|account) (?:address )?(?:not found|unknown|rejected: .*unknown)|"
    r"mailbox unavailable|invalid (?:recipient|mailbox|user)|not a known user|not listed in|host (?:or domain name )?not found|"
    r"unrouteable address|no mailbox here",
    re.IGNORECASE,
)
_NOT_THE_ADDRESS = re.compile(
    r"spam|blocked|blacklist|reputation|spf|dkim|dmarc|policy|relaying|relay (?:access|denied|not)|quota|"
    r"full|too (?:large|big)|exceed|virus|content|"
    r"rate|temporar|suspend|disabled|authenticat",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Notice:
    """What one notification says of one recipient. ``permanent``: the address is no good at all."""

    kind: str
    status: str
    permanent: bool
    words: str


@dataclass(frozen=True)
class Returned:
    """A notification that was read: its notices, the delivery, and whether the delivery is certain (signed)."""

    notices: list[Notice]
    reference: str
    certain: bool


def read(raw: bytes, recipient: str = "") -> Returned:
    """Understands a mail that came back. ``recipient`` is the address it was delivered to (Postfix's ``${original_recipient}``).

    Mail that is no status notification (an answer, a holiday note) has no notices. Never raises for what stands in it.
    """
    try:
        mail = message_from_bytes(raw[:MAX_BYTES], policy=policy.compat32)
        notices = [notice for part in mail.walk() for notice in _notices(part)]
    except (MessageError, LookupError, ValueError, TypeError, AttributeError, RecursionError):
        return Returned([], "", False)
    signed = _signed(mail, recipient)
    return Returned(notices, signed or _by_message_id(mail), bool(signed))


def _signed(mail: Message, recipient: str) -> str:
    places = [recipient] + [str(mail.get(name, "")) for name in ("Delivered-To", "X-Original-To", "To")]
    for place in places:
        for extension in re.findall(r"\+([^@\s<>]+)@", place):
            if reference := parse_signed(extension):
                return reference
    return ""


def _by_message_id(mail: Message) -> str:
    """From the returned message's own header, which stands in a part of its own (the whole message, or its headers)."""
    for part in mail.walk():
        kind = part.get_content_type()
        text = part.get_payload() if kind in ("text/rfc822-headers", "message/rfc822-headers") else ""
        inner = part.get_payload() if kind == "message/rfc822" else None
        first: Any = inner[0] if isinstance(inner, list) and inner else None
        found = str(first.get("Message-ID", "")) if isinstance(first, Message) else ""
        if isinstance(text, str):
            found += " ".join(re.findall(r"^Message-ID:\s*(\S+)", text, re.IGNORECASE | re.MULTILINE))
        if match := _REFERENCE_ID.search(found):
            return match[1]
    return ""


def _notices(part: Message) -> Iterator[Notice]:
    if part.get_content_type() not in ("message/delivery-status", "message/global-delivery-status"):
        return
    blocks: Any = part.get_payload()
    for block in blocks if isinstance(blocks, list) else []:
        kind = _KINDS.get(str(block.get("Action", "")).split(";")[0].strip().lower())
        if kind and (block.get("Final-Recipient") or block.get("Original-Recipient")):
            words = " ".join(str(block.get("Diagnostic-Code", "")).split())
            status = _status(str(block.get("Status", "")), words)
            yield Notice(kind, status, kind == EventKind.BOUNCED and is_hard(status, words), words[:300])


def _status(stated: str, words: str) -> str:
    """The most exact RFC 3463 code there is: relays write 5.0.0 and leave the exact one to the words."""
    own, told = _STATUS.search(stated), _STATUS.search(words)
    if own and (own[2], own[3]) != ("0", "0"):
        return own[0]
    return told[0] if told else own[0] if own else ""


def is_hard(status: str, words: str) -> bool:
    """Whether a failure says that the address is no good, not that this message or this moment was."""
    found = _STATUS.fullmatch(status)
    if found and found[1] == "4":
        return False
    place = (int(found[2]), int(found[3])) if found else (0, 0)
    says_so = bool(_HARD_WORDS.search(words))
    if _NOT_THE_ADDRESS.search(_HARD_WORDS.sub("", words)):
        return False
    return place in _HARD or (says_so and (place in _VAGUE or place[0] == 0))


@transaction.atomic
def receive(account: ChannelAccount, raw: bytes, *, recipient: str = "", now: datetime) -> list[ContactEvent]:
    """Keeps what a returned mail says as events of the account; the same mail twice changes nothing."""
    returned = read(raw, recipient)
    delivery = parse_reference(returned.reference)
    if delivery is None:
        return []
    news = [_news(account, returned, notice, now) for notice in returned.notices]
    return events.record(account=account, news=news, now=now)


def _news(account: ChannelAccount, returned: Returned, notice: Notice, now: datetime) -> events.News:
    run_id, customer_id = parse_reference(returned.reference) or (0, 0)
    kind = notice.kind if returned.certain else EventKind.DEFERRED
    return events.News(
        channel=account.channel, kind=kind, at=now, dedupe_key=f"{account.pk}:dsn:{returned.reference}:{kind}:{notice.status}",
        run_id=run_id, customer_id=customer_id, code=notice.status,
        permanent=notice.permanent if kind == EventKind.BOUNCED else None,
    )  # fmt: skip


def account_for(recipient: str) -> ChannelAccount | None:
    """The e-mail account whose address for bounces this is, its extension left aside."""
    local, _at, domain = recipient.strip("<> ").lower().partition("@")
    wanted = f"{local.partition('+')[0]}@{domain}"
    found = ChannelAccount.objects.filter(channel="email", is_elsewhere=False).order_by("pk")
    return next((each for each in found if str(each.options.get("return_path", "")).lower() == wanted), None)
