"""How states, severities and channels look: a tone, a shape or a sign for each code, never a colour alone."""

from typing import Any

from django.utils.translation import gettext_lazy as _

# code -> (tone, line pattern) of a badge
BADGES: dict[str, tuple[str, str]] = {
    **dict.fromkeys(("draft", "planned", "waiting", "uploaded", "mapped", "new", "proposed"), ("amber", "dashed")),
    **dict.fromkeys(("in_review", "acknowledged", "checked"), ("blue", "dotted")),
    **dict.fromkeys(("approved", "scheduled", "accepted", "granted"), ("accent", "")),
    **dict.fromkeys(("live", "running", "sending", "leased"), ("green", "")),
    **dict.fromkeys(("done", "sent", "resolved", "delivered", "applied", "active", "ok", "yes"), ("green", "")),
    **dict.fromkeys(("paused", "deferred", "unknown", "retry", "held_out"), ("orange", "dotted")),
    **dict.fromkeys(("failed", "bounced", "complained", "open", "halted", "stopped", "no"), ("red", "")),
    **dict.fromkeys(("cancelled", "rejected", "declined", "withdrawn", "undone", "expired"), ("", "struck")),
    **dict.fromkeys(("obsolete", "refused", "outdated", "erased"), ("", "dotted")),
}

WORDS: dict[str, Any] = {
    "draft": _("Draft"),
    "in_review": _("In review"),
    "approved": _("Approved"),
    "scheduled": _("Scheduled"),
    "live": _("Live"),
    "paused": _("Paused"),
    "done": _("Done"),
    "cancelled": _("Cancelled"),
}

# level -> (shape, words); the shapes differ in outline so that they hold in print and for every eye
SEVERITIES: dict[str, tuple[str, Any]] = {
    "blocking": ("square", _("blocks")),
    "high": ("triangle", _("high")),
    "medium": ("circle", _("medium")),
    "low": ("ring", _("low")),
    "ok": ("check", _("in order")),
}
# Other writings of the same levels: the database holds numbers.
LEVELS = {"1": "low", "2": "medium", "3": "high", "4": "blocking", "info": "low", "block": "blocking"}
SHAPES = {
    "square": '<rect x="1" y="1" width="10" height="10" rx="1"/>',
    "triangle": '<path d="M6 .8 11.6 11.2H.4z"/>',
    "circle": '<circle cx="6" cy="6" r="5"/>',
    "ring": '<path d="M6 1a5 5 0 1 0 0 10A5 5 0 0 0 6 1m0 2.2a2.8 2.8 0 1 1 0 5.6 2.8 2.8 0 0 1 0-5.6"/>',
    "check": '<path d="M4.4 10.9.6 7.1 2.2 5.5l2.2 2.2L9.8 2.2l1.6 1.6z"/>',
}

# channel code -> (lucide icon or a word in capitals, words)
CHANNELS: dict[str, tuple[str, Any]] = {
    "email": ("mail", _("e-mail")),
    "sms": ("SMS", _("text message")),
    "whatsapp": ("message-circle", _("WhatsApp")),
    "push": ("bell", _("push")),
    "webpush": ("bell-ring", _("web push")),
    "letter": ("file-text", _("letter")),
    "call": ("phone", _("call")),
    "phone": ("phone", _("call")),
    "store": ("store", _("store")),
    "social": ("share-2", _("social post")),
    "ads": ("megaphone", _("ads")),
    "event": ("ticket", _("event")),
    "onsite": ("monitor", _("site")),
    "web": ("globe", _("web")),
    "unaddressed": ("radio", _("unaddressed")),
    "postal": ("file-text", _("post")),
}
