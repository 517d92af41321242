"""The partner bank's tool: it tells whom it contacted, two in three of those it had planned, and a few besides."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from apps.campaigns import audiences
from apps.campaigns.elsewhere import contacts, told
from apps.campaigns.models import CampaignStatus, Message, MessageKind

BESIDES = 25


def tell(now: datetime) -> int:
    """Records the contacts of messages sent elsewhere whose campaigns are done. Returns how many."""
    done = Message.objects.filter(kind=MessageKind.ELSEWHERE, campaign__status=CampaignStatus.DONE)
    recorded = 0
    for message in done.select_related("campaign__department", "purpose", "account"):
        people = list(audiences.refresh(message, now=now))
        items = [_item(f"bank-{message.pk}-{pk}", pk, message.send_at, message=message.pk) for pk in people if pk % 3]
        later = message.send_at + timedelta(days=2)
        items += [_item(f"bank-extra-{pk}", pk, later, channel="email", purpose="offers") for pk in people[:BESIDES]]
        recorded += _tell(message, items, now)
    return recorded


def _item(key: str, person: int, at: datetime, **more: Any) -> dict[str, Any]:
    return {"id": key, "person": {"id": person}, "at": at, **more}


def _tell(message: Message, items: list[dict[str, Any]], now: datetime) -> int:
    contacts.prepare(item["at"] for item in items)
    answers: list[told.Told] = []
    for first in range(0, len(items), told.MOST):
        answers += told.tell(department=message.campaign.department, items=items[first : first + told.MOST], now=now)
    return sum(answer.outcome == "recorded" for answer in answers)
