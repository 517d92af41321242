"""Why somebody was not contacted: our one vocabulary, each code with its sentence."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Reason(models.TextChoices):
    """Codes stand in the ledger; the label is what people read."""

    NO_ADDRESS = "no_address", _("no valid address for this channel")
    NO_CONSENT = "no_consent", _("never agreed to this kind of message on this channel")
    WITHDRAWN = "withdrawn", _("said no to this kind of message on this channel")
    SUPPRESSED = "suppressed", _("is on the do-not-contact list")
    BOUNCED = "bounced", _("the address bounced")
    COMPLAINED = "complained", _("complained about an earlier message")
    ERASED = "erased", _("asked to be erased")
    SAME_PERSON = "same_person", _("is the same person as somebody who already gets it")
    SAME_ADDRESS = "same_address", _("somebody with the same address already gets it")
    OVER_LIMIT = "over_limit", _("has had as many messages as the contact policy allows")
    TOO_SOON = "too_soon", _("would be contacted twice within the minimum gap")
    BLACKOUT = "blackout", _("nothing may be sent on that day")
    QUIET_HOURS = "quiet_hours", _("it is outside permitted hours where the person lives")
    HOLIDAY = "holiday", _("it is a public holiday where the person lives")
    OVER_CAPACITY = "over_capacity", _("the channel can take no more contacts")
    SERVE_FIRST = "serve_first", _("has something open that is to be served first")
    AGREED = "agreed_elsewhere", _("was left to another campaign by agreement")
    OTHER_CHANNEL = "other_channel", _("gets this message, or the same one on another channel, already")
    LEFT_OUT = "left_out", _("was left out of this message by its departments")
    CONTROL_GROUP = "control_group", _("is in the control group")
    NO_VERSION = "no_version", _("there is no version in a language for this person")
    MISSING_FIELD = "missing_field", _("a merge field has no value for this person")
    HALTED = "halted", _("the message was stopped")
    CANCELLED = "cancelled", _("the campaign was cancelled")
    EXPIRED = "expired", _("the deadline of the run passed first")
    JURISDICTION = "jurisdiction", _("the law of the country does not allow it")
    LEFT_SEGMENT = "left_segment", _("no longer belongs to the audience")
    BAD_ADDRESS = "bad_address", _("the provider says the address does not exist")
    PROVIDER_REFUSED = "provider_refused", _("the provider refused the message")
    PROVIDER_DOWN = "provider_down", _("the provider could not be reached in time")
    NO_ANSWER_FROM_PROVIDER = "no_answer", _("handed over, but the provider never answered")
    RENDER_FAILED = "render_failed", _("the message could not be made for this person")


def sentence(code: str) -> str:
    """The words for a code; an unknown code is shown as it is."""
    return str(Reason(code).label) if code in Reason.values else code
