"""What a signature covers: dates, audience rule, content, offer and exclusions, as plain data with one SHA-256."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import models
from django.utils.translation import gettext as _

from apps.customers.models import Segment

from .models import Campaign, ContentVersion, Message, Offer

CAMPAIGN_PARTS = ("starts_on", "ends_on", "control_share")
MESSAGE_PARTS = (
    "name", "kind", "channel", "account_id", "purpose_id", "timing", "send_at", "send_until", "recurrence",
    "recurs_until", "audience_rule", "variants_share", "arms_attribute", "needs_fields",
)
OFFER_PARTS = (
    "name", "kind", "product_id", "category_id", "value", "currency", "code", "claim", "terms", "valid_from", "valid_until",
)
CONTENT_PARTS = ("format", "template", "subject", "preheader", "blocks", "body", "is_fallback")


def snapshot(campaign: Campaign) -> dict[str, Any]:
    """The stored plan as it would be signed now, in a fixed number of queries. Ids are strings, moments ISO 8601 in UTC."""
    stored = Campaign.objects.get(pk=campaign.pk)
    messages = (
        stored.messages.select_related("offer")
        .prefetch_related("include", "exclude", "versions", "offer__prices")
        .defer("plan_audience", "include__people", "exclude__people")
    )
    return {
        "campaign": _parts(stored, CAMPAIGN_PARTS),
        "messages": {str(message.pk): _message(message) for message in messages},
    }


def digest(signed: dict[str, Any]) -> str:
    """SHA-256 over the canonical JSON (sorted keys, no spaces, UTF-8) of a snapshot."""
    canonical = json.dumps(signed, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, (str, int, float, bool, dict, list)) or value is None:
        return value
    return format(value.normalize(), "f") if hasattr(value, "normalize") else str(value)


def _parts(subject: models.Model, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: _plain(getattr(subject, name)) for name in names}


def _message(message: Message) -> dict[str, Any]:
    return {
        **_parts(message, MESSAGE_PARTS),
        "include": {str(segment.pk): _segment(segment) for segment in message.include.all()},
        "exclude": {str(segment.pk): _segment(segment) for segment in message.exclude.all()},
        "offer": _offer(message.offer),
        "content": {f"{version.language} {version.variant}": _content(version) for version in message.versions.all()},
    }


def _segment(segment: Segment) -> dict[str, Any]:
    rule = json.dumps(segment.rule, sort_keys=True)
    return {"name": segment.name, "rule": hashlib.sha256(rule.encode()).hexdigest()}


def _offer(offer: Offer | None) -> dict[str, Any] | None:
    if offer is None:
        return None
    prices = {price.country: f"{_plain(price.amount)} {price.currency}" for price in offer.prices.all()}
    return {"id": offer.pk, **_parts(offer, OFFER_PARTS), "prices": prices}


def _content(version: ContentVersion) -> dict[str, Any]:
    return _parts(version, CONTENT_PARTS)


@dataclass(frozen=True)
class Difference:
    """One field that is not as it was signed. ``where`` names the message, ``field`` is in words."""

    where: str
    field: str
    before: Any
    after: Any


def differences(before: dict[str, Any], after: dict[str, Any]) -> list[Difference]:
    """What changed between two snapshots, field by field."""
    found = [
        Difference(_("Campaign"), _label("campaign", path), old, new)
        for path, old, new in _changes(before.get("campaign", {}), after.get("campaign", {}))
    ]
    old_messages, new_messages = before.get("messages", {}), after.get("messages", {})
    for key in sorted(old_messages.keys() | new_messages.keys(), key=int):
        old, new = old_messages.get(key), new_messages.get(key)
        name = (new or old)["name"]
        if old is None or new is None:
            found.append(Difference(name, _("message"), _("not there") if old is None else name, _("removed") if new is None else name))
            continue
        found += [Difference(name, _label("message", path), was, now) for path, was, now in _changes(old, new)]
    return found


def _changes(before: Any, after: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any, Any]]:
    opens = isinstance(before, dict) and isinstance(after, dict) and path[-1:] != ("audience_rule",)
    if opens:
        for key in sorted(before.keys() | after.keys()):
            yield from _changes(before.get(key), after.get(key), (*path, key))
    elif before != after:
        yield path, before, after


def _label(kind: str, path: tuple[str, ...]) -> str:
    model: type[models.Model] = Campaign if kind == "campaign" else Message
    first = path[0].removesuffix("_id")
    if first == "content":
        return " · ".join([_("content"), *path[1:2], *(_name(ContentVersion, part) for part in path[2:])])
    if first == "offer":
        return " · ".join([_("offer"), *(_name(Offer, part) for part in path[1:])])
    return " · ".join([_name(model, first), *(part for part in path[1:] if part in {"rule"})])


def _name(model: type[models.Model], part: str) -> str:
    name = part.removesuffix("_id")
    known = {field.name: field for field in model._meta.get_fields()}
    return str(getattr(known[name], "verbose_name", name)) if name in known else name
