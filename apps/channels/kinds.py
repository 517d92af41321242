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

_QUICK = (Channel.EMAIL,)
_TEXTS = (Channel.SMS, Channel.WHATSAPP, Channel.PUSH, Channel.WEBPUSH)
# Each family is handed over by tasks in a queue of its own name (CELERY_TASK_QUEUES), so that none waits for another.
FAMILIES: dict[str, tuple[Channel, ...]] = {
    "email": _QUICK,
    "text": _TEXTS,
    "lists": tuple(channel for channel in Channel if channel not in (*_QUICK, *_TEXTS)),
}
