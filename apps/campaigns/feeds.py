"""The plan as a calendar to subscribe to (RFC 5545), under a secret address that its maker can revoke.

A campaign is an event of whole days, a message one at its hour with its repetition. The address is the only key: it is shown
once, kept as SHA-256, and dies with its maker's account.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from hashlib import sha256
from secrets import token_urlsafe
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from dateutil.rrule import rrulestr
from django.conf import settings
from django.core.cache import cache
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _
from icalendar import Calendar, Event, vRecur

from apps.accounts import audit, notifications
from apps.accounts.models import Department, User
from apps.channels.kinds import Channel
from apps.core import clock

from .models import CalendarFeed, Campaign, CampaignStatus, Message, Programme
from .models.plan import Timing

PREFIX = "cal_"
BACK, AHEAD = timedelta(days=92), timedelta(days=400)
TOUCH_EVERY = timedelta(minutes=1)
MOST_PER_HOUR = 120
MESSAGE_TAKES = timedelta(minutes=15)
TENTATIVE = (CampaignStatus.DRAFT, CampaignStatus.IN_REVIEW)


def make(
    *, user: User, department: Department | None = None, programme: Programme | None = None, channel: str = "", is_mine: bool = False,
    now: datetime,
) -> tuple[CalendarFeed, str]:
    """A new feed and its secret, which is not kept and cannot be shown again."""
    secret = PREFIX + token_urlsafe(32)
    feed = CalendarFeed.objects.create(
        user=user, department=department, programme=programme, channel=channel, is_mine=is_mine, digest=_digest(secret),
        prefix=secret[:10], created_at=now,
    )
    audit.record(actor=user, action="feed.made", subject=feed, department=department, now=now)
    return feed, secret


def revoke(feed: CalendarFeed, *, actor: User, now: datetime) -> None:
    """Ends it at once. Doing it twice is harmless."""
    if feed.revoked_at is None:
        feed.revoked_at = now
        feed.save(update_fields=["revoked_at"])
        audit.record(actor=actor, action="feed.revoked", subject=feed, now=now)


def find(secret: str, *, now: datetime) -> CalendarFeed | None:
    """The living feed behind a secret, its last use noted at most once a minute."""
    rows = CalendarFeed.objects.filter(digest=_digest(secret), revoked_at=None, user__is_active=True)
    feed = rows.select_related("user", "department", "programme").first()
    if feed and (feed.last_used_at is None or now - feed.last_used_at > TOUCH_EVERY):
        CalendarFeed.objects.filter(pk=feed.pk).update(last_used_at=now)
    return feed


def is_too_often(feed: CalendarFeed, *, now: datetime) -> bool:
    """Whether this address was asked for more than it may be within this hour."""
    key = f"feed:{feed.pk}:{now:%Y%m%d%H}"
    cache.add(key, 0, 3600)
    try:
        return cache.incr(key) > MOST_PER_HOUR
    except ValueError:  # it ran out between the two
        return False


def _digest(secret: str) -> str:
    return sha256(secret.encode()).hexdigest()


def title(feed: CalendarFeed) -> str:
    """What a calendar program calls it."""
    parts = [feed.department.name] if feed.department else []
    parts += [feed.programme.name] if feed.programme else []
    parts += [str(Channel(feed.channel).label)] if feed.channel else []
    parts += [_("my campaigns")] if feed.is_mine else []
    return " · ".join(["Concord", *(parts or [_("all campaigns")])])


def written(feed: CalendarFeed, *, now: datetime) -> bytes:
    """The calendar, in its maker's language: three months back, thirteen ahead. The same plan gives the same bytes."""
    with translation.override(notifications.language_of(feed.user)):
        calendar = Calendar()
        calendar.add("prodid", "-//Concord//Campaign calendar//EN")
        calendar.add("version", "2.0")
        calendar.add("calscale", "GREGORIAN")
        calendar.add("name", title(feed))
        calendar.add("x-wr-calname", title(feed))
        calendar.add("refresh-interval", timedelta(hours=1), parameters={"VALUE": "DURATION"})
        for event in _events(feed, now):
            calendar.add_component(event)
        calendar.add_missing_timezones()
        return calendar.to_ical()


def _events(feed: CalendarFeed, now: datetime) -> Iterator[Event]:
    today = clock.company_day(now)
    campaigns = Campaign.objects.between(today - BACK, today + AHEAD).select_related("department", "owner")
    if feed.department_id:
        campaigns = campaigns.filter(department=feed.department_id)
    if feed.programme_id:
        campaigns = campaigns.filter(programme=feed.programme_id)
    if feed.is_mine:
        campaigns = campaigns.filter(owner=feed.user_id)
    messages = Message.objects.filter(campaign__in=campaigns).defer("plan_audience")
    if feed.channel:
        messages = messages.filter(channel=feed.channel)
        campaigns = campaigns.filter(messages__channel=feed.channel).distinct()
    by_id = {campaign.pk: campaign for campaign in campaigns.order_by("starts_on", "pk")}
    for campaign in by_id.values():
        yield _campaign(campaign)
    for message in messages.order_by("send_at", "pk"):
        yield _message(message, by_id[message.campaign_id])


def _common(event: Event, uid: str, campaign: Campaign, version: int, is_cancelled: bool) -> None:
    event.add("uid", f"{uid}@{urlsplit(settings.PUBLIC_URL).hostname}")
    event.add("dtstamp", campaign.updated_at.astimezone(UTC).replace(microsecond=0))
    event.add("last-modified", campaign.updated_at.astimezone(UTC).replace(microsecond=0))
    event.add("sequence", version - 1)
    event.add("status", "CANCELLED" if is_cancelled else "TENTATIVE" if campaign.status in TENTATIVE else "CONFIRMED")
    event.add("transp", "TRANSPARENT")
    event.add("categories", [campaign.department.name])
    event.add("url", settings.PUBLIC_URL.rstrip("/") + reverse("campaigns:detail", args=[campaign.pk]))


def _campaign(campaign: Campaign) -> Event:
    event = Event()
    event.add("summary", f"{campaign.name} ({campaign.department.name})")
    # The end of an event of whole days is the day after its last one (RFC 5545, 3.6.1).
    event.add("dtstart", campaign.starts_on)
    event.add("dtend", campaign.ends_on + timedelta(days=1))
    event.add("description", f"{campaign.get_status_display()} · {campaign.owner}")
    _common(event, f"campaign-{campaign.pk}", campaign, campaign.version, campaign.status == CampaignStatus.CANCELLED)
    return event


def _message(message: Message, campaign: Campaign) -> Event:
    zone = clock.company_zone()
    event = Event()
    event.add("summary", f"{message.name} · {campaign.name}")
    event.add("dtstart", message.send_at.astimezone(zone) if message.recurrence else message.send_at.astimezone(UTC))
    event.add("duration", MESSAGE_TAKES)
    words = [str(message.get_channel_display()), str(campaign.get_status_display())]
    if message.timing == Timing.LOCAL:
        words.append(_("at the recipients' local time"))
    event.add("description", " · ".join(words))
    if message.recurrence:
        event.add("rrule", _repetition(message, campaign, zone))
    cancelled = message.is_stopped or campaign.status == CampaignStatus.CANCELLED
    # A campaign's change counts for its messages: moving it moves them.
    _common(event, f"message-{message.pk}", campaign, message.version + campaign.version - 1, cancelled)
    return event


def _repetition(message: Message, campaign: Campaign, zone: ZoneInfo) -> vRecur:
    """The message's own rule with the last day it repeats on; a rule with a count of its own ends with whichever is first."""
    rule = vRecur.from_ical(message.recurrence)
    last_day = message.recurs_until or campaign.ends_on
    last = datetime.combine(last_day, time.max.replace(microsecond=0), zone)
    start = message.send_at.astimezone(zone).replace(tzinfo=None)
    own = rrulestr(message.recurrence, dtstart=start)
    if "COUNT" in rule:
        times = sum(1 for moment in own.xafter(start, count=1000, inc=True) if moment.date() <= last_day)
        rule["COUNT"] = [max(1, times)]
    else:
        until = rule.get("UNTIL")
        rule["UNTIL"] = [min(last, _moment(until[0], zone)) if until else last]
        rule["UNTIL"] = [rule["UNTIL"][0].astimezone(UTC)]
    return rule


def _moment(value: object, zone: ZoneInfo) -> datetime:
    """A rule's end as a moment: a day counts in full, a wall clock is the company's."""
    if not isinstance(value, datetime):
        return datetime.combine(value, time.max.replace(microsecond=0), zone)  # type: ignore[arg-type]
    return value if value.tzinfo else value.replace(tzinfo=zone)
