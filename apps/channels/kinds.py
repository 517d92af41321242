"""The kinds of channel, and which kind of address each needs."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Channel(models.TextChoices):
    EMAIL = "email", _("E-mail")
    SMS = "sms", _("SMS")
    WHATSAPP = "whatsapp", _("WhatsApp")
    PUSH = "push", _("Push")
    WEBPUSH = "webpush", _("Web push")
    LETTER = "letter", _("Letter")
    CALL = "call", _("Call")
    STORE = "store", _("Store")
    SOCIAL = "social", _("Social post")
    ADS = "ads", _("Ad audience")
    EVENT = "event", _("Event")
    ONSITE = "onsite", _("On site")
    UNADDRESSED = "unaddressed", _("Unaddressed")


ADDRESS_KIND: dict[str, str] = {
    Channel.EMAIL: "email",
    Channel.SMS: "phone",
    Channel.WHATSAPP: "phone",
    Channel.CALL: "phone",
    Channel.LETTER: "postal",
    Channel.PUSH: "push",
    Channel.WEBPUSH: "push",
    Channel.ADS: "email",
}
