"""Where and how a wish came to us, in the reader's language.

The ledger keeps the words of the day they were written down and is never rewritten; those that Concord writes itself are
codes, said here for the reader. What a file or a colleague named stays as it was named.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from apps.channels.kinds import Channel

if TYPE_CHECKING:
    from .models import ConsentEvent

WORDS = {
    "preference page": _("preference page"),
    "one-click unsubscribe": _("one-click unsubscribing"),
    "one click (RFC 8058)": _("one click (RFC 8058)"),
    "confirmation page": _("confirmation page"),
    "double opt-in": _("confirmed by e-mail"),
    "colleague": _("a colleague"),
    "spoken on the phone": _("on the phone"),
    "spoken at the counter": _("at the counter"),
    "spoken, noted at the till": _("spoken, noted at the till"),
    "by letter": _("by letter"),
    "reply STOP": _("reply STOP"),
    "reply START": _("reply START"),
    "checkout form": _("checkout form"),
    "web shop": _("web shop"),
    "web form": _("web form"),
    "till": _("till"),
    "import": _("import"),
}


def where_and_how(event: ConsentEvent) -> str:
    """``web shop, checkout form``; said once when both are the same."""
    return ", ".join(dict.fromkeys(filter(None, (_word(event.source), _word(event.method)))))


def _word(text: str) -> str:
    if text in WORDS:
        return str(WORDS[text])
    channel, colon, rest = text.partition(": ")
    if colon and channel in Channel.values:
        return _t("%(channel)s: %(name)s") % {"channel": Channel(channel).label, "name": rest}
    return text
