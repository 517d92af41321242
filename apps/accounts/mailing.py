"""News by e-mail: at once, or in one mail a day at a set hour of the reader's zone.

A daily mail holds the lines made before today's hour, so there is never a second one on a day, whoever asks and how often;
lines under lock are somebody else's, and what could not be handed over is tried again by the next tick.
"""

from __future__ import annotations

import logging
from datetime import datetime, time, timedelta
from smtplib import SMTPException
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from django.template.loader import render_to_string
from django.utils import timezone, translation
from django.utils.translation import ngettext

from .models import Mailing, Notification, NotificationChoice, User
from .notifications import KINDS, kind_of, language_of

log = logging.getLogger(__name__)

# What is older was news once.
STALE = timedelta(days=3)
MOST_LINES = 50


def mail_news(*, now: datetime) -> int:
    """Sends what is due: lines wanted at once, and daily mails whose hour has come. Returns how many mails left."""
    waiting = Notification.objects.filter(mailed_at=None, created_at__gt=now - STALE)
    users = User.objects.filter(is_active=True, pk__in=waiting.values("user"))
    return sum(_mail(user, now) for user in users)


def _mail(user: User, now: datetime) -> int:
    try:
        return sum(_send(user, wanted, now) for wanted in (Mailing.AT_ONCE, Mailing.DAILY))
    except (OSError, SMTPException) as error:
        log.warning("news for user %s could not be mailed: %s", user.pk, error)
        return 0


def zone_of(user: User) -> ZoneInfo:
    """The reader's own zone, else the company's."""
    return ZoneInfo(user.time_zone or settings.COMPANY_TIME_ZONE)


def last_hour(user: User, now: datetime) -> datetime:
    """The latest moment at which this reader's daily mail was due."""
    zone = zone_of(user)
    day = now.astimezone(zone).date()
    due = datetime.combine(day, time(settings.DIGEST_HOUR), zone)
    return due if due <= now else datetime.combine(day - timedelta(days=1), time(settings.DIGEST_HOUR), zone)


@transaction.atomic
def _send(user: User, wanted: str, now: datetime) -> int:
    choices = {row.code: row for row in NotificationChoice.objects.filter(user=user)}
    usual = NotificationChoice(user=user)
    before = now if wanted == Mailing.AT_ONCE else last_hour(user, now)
    rows = Notification.objects.filter(user=user, mailed_at=None, created_at__gt=now - STALE, created_at__lte=before)
    lines = []
    for line in rows.order_by("created_at", "pk").select_for_update(skip_locked=True):
        choice = choices.get(kind_of(line.code), usual)
        is_read_already = choice.in_app and line.read_at is not None
        if choice.by_email == wanted and not is_read_already:
            lines.append(line)
    if not lines:
        return 0
    Notification.objects.filter(pk__in=[line.pk for line in lines]).update(mailed_at=now)
    written(user, lines, now).send()
    return 1


def written(user: User, lines: list[Notification], now: datetime) -> EmailMultiAlternatives:
    """One mail with these lines by kind, in the reader's language and zone."""
    with translation.override(language_of(user)), timezone.override(zone_of(user)):
        parts = []
        for kind, (words, _starts) in KINDS.items():
            if found := [line for line in lines if kind_of(line.code) == kind]:
                parts.append((words, found[:MOST_LINES], max(0, len(found) - MOST_LINES)))
        context = {"user": user, "parts": parts, "base": settings.PUBLIC_URL.rstrip("/"), "now": now}
        subject = lines[0].words if len(lines) == 1 else ngettext(
            "Concord: %(n)d piece of news", "Concord: %(n)d pieces of news", len(lines)) % {"n": len(lines)}
        mail = EmailMultiAlternatives(
            subject=" ".join(subject.split()), body=render_to_string("accounts/mail/news.txt", context), to=[user.email],
            headers={"Auto-Submitted": "auto-generated"},
        )
        mail.attach_alternative(render_to_string("accounts/mail/news.html", context), "text/html")
    return mail
