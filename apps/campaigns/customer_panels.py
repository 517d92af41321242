"""What campaigns tell on a customer's page: messages got and not got with the reason, what comes, contacts in any 7 days."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext as _

from apps.customers.models import Customer
from apps.customers.panels import Panel, TimelineEntry

from .sending import explain

SHOWN = 8


def messages_panel(request: HttpRequest, customer: Customer, now: datetime) -> Panel | None:
    """The newest messages: who got them, who did not, why."""
    rows, asked = explain.of_customer(customer.pk, limit=SHOWN), explain.asked_elsewhere(customer.pk, limit=SHOWN)
    if not rows and not asked:
        return None
    html = render_to_string("campaigns/customer/messages.html", {"rows": rows, "asked": asked, "customer": customer}, request)
    return Panel(_("Messages, got and not got"), html)


def upcoming_panel(request: HttpRequest, customer: Customer, now: datetime) -> Panel | None:
    """What is planned with this person, by all departments."""
    rows = explain.upcoming(customer.pk, now=now, limit=SHOWN)
    if not rows:
        return None
    return Panel(_("Upcoming contacts"), render_to_string("campaigns/customer/upcoming.html", {"rows": rows}, request))


def pressure_panel(request: HttpRequest, customer: Customer, now: datetime) -> Panel | None:
    """How many contacts stand in the fullest seven days around now."""
    pressure = explain.pressure(customer.pk, now=now)
    html = render_to_string("campaigns/customer/pressure.html", {"pressure": pressure}, request)
    return Panel(_("Contacts in any 7 days"), html)


def timeline(customer: Customer, now: datetime, before: datetime | None, limit: int) -> Iterable[TimelineEntry]:
    """Messages of the past for the timeline, and the planned ones at its head."""
    if before is None:
        for each in explain.upcoming(customer.pk, now=now, limit=5):
            yield TimelineEntry(
                at=each.at, channel=each.message.channel, title=each.message.name, about=each.message.campaign.name,
                colour=each.message.campaign.department.colour, planned=True,
                detail="" if each.is_agreed else _("not agreed yet"),
            )  # fmt: skip
    for told in explain.of_customer(customer.pk, before=before, limit=limit):
        yield _entry(told, customer)


def _entry(told: explain.Told, customer: Customer) -> TimelineEntry:
    row, message = told.delivery, told.message
    return TimelineEntry(
        at=row.at,
        channel=row.channel,
        title=message.name if message else _("a message that is no longer there"),
        about=message.campaign.name if message else "",
        detail=told.words if told.was_contacted else _("Not contacted: %(reason)s") % {"reason": told.words},
        colour=message.campaign.department.colour if message else 0,
        url=reverse("campaigns:delivery", args=[row.run_id, row.customer_id]),
        url_label=_("Why"),
    )
