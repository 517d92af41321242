"""Plans made by hand, without a database: rules are pure."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from pyroaring import BitMap

from apps.campaigns.conflicts import parameters
from apps.campaigns.conflicts.circumstances import Circumstances, PlannedPolicy
from apps.campaigns.conflicts.people import People
from apps.campaigns.conflicts.pressure import Contact
from apps.campaigns.conflicts.snapshot import Plan, PlannedBlackout, PlannedCampaign, PlannedMessage, PlannedOffer
from apps.campaigns.conflicts.sources import Sources
from apps.customers import care

NOW = datetime(2026, 11, 11, 12, 0, tzinfo=UTC)
OSLO = ZoneInfo("Europe/Oslo")


def at(day, hour=9):
    """A moment in November 2026, in UTC."""
    return datetime(2026, 11, 1, tzinfo=UTC) + timedelta(days=day - 1, hours=hour)


def message(pk, campaign=0, *, sent=None, until=None, **values):
    """A planned message; ``sent`` one moment or several."""
    starts = sent if isinstance(sent, (list, tuple)) else [sent or at(20)]
    fields = {
        "channel": "email", "kind": "addressed", "purpose_class": "promotion", "timing": "fixed", "is_recurring": len(starts) > 1
    }
    return PlannedMessage(
        id=pk, campaign_id=campaign, windows=tuple((start, until or start) for start in starts), **(fields | values)
    )


def campaign(pk, *messages, department=None, status="scheduled", **values):
    """A campaign of its own department (unless given) with these messages."""
    moments = [start for item in messages for start, _end in item.windows] or [NOW]
    return PlannedCampaign(
        id=pk, department_id=department or pk, status=status, starts_on=min(moments).date(), ends_on=max(moments).date(),
        messages=tuple(replace(item, campaign_id=pk) for item in messages), **values,
    )


def offer(pk, kind="percent", value=20, *, product=None, category=None, path="/1/", **values):
    """An offer on a product or category at ``path`` of the tree."""
    return PlannedOffer(
        id=pk, kind=kind, value=value, currency=values.pop("currency", ""), claim=values.pop("claim", ""),
        product_id=product, category_id=category, path=path, **values,
    )


def blackout(pk=1, first=20, last=20, **values):
    """Days of November 2026 without messages."""
    return PlannedBlackout(id=pk, starts_on=at(first).date(), ends_on=at(last).date(), **values)


def policy(limit, days, pk=1, **values):
    """A contact policy of so many contacts in so many days."""
    return PlannedPolicy(pk, values.pop("name", "Limit"), limit, timedelta(days=days), **values)


def sent(pk, who, moment, campaign=0, **values):
    """What the ledger says about one message."""
    fields = {"channel": "email", "purpose_class": "promotion", "department_id": 99} | values
    return Contact(moment, BitMap(who), message_id=pk, campaign_id=campaign, **fields)


def given(*, places=None, served=(), served_until=(), sent=(), tested=None):
    """Sources that ask no database: (country, zone) -> people, who is served first, what was sent, whom tests keep out."""
    return Sources(
        places_known={place: BitMap(who) for place, who in (places or {}).items()},
        served=care.Open(BitMap(served), tuple((until, BitMap(who)) for until, who in served_until)),
        sent_known=tuple(sent), tested={pk: BitMap(who) for pk, who in (tested or {}).items()}, is_given=True,
    )


def plan(
    *campaigns, people=None, blackouts=(), homes=None, focus=None, now=NOW, circumstances=None, past=None, unreachable=None,
    sources=None, absent=(), **changes,
):
    """A plan; ``people`` message id -> people, or None for the metadata pass. ``past`` is what was sent."""
    audiences = None
    if people is not None:
        known = {item.id: BitMap() for each in campaigns for item in each.messages}
        audiences = People({**known, **{pk: BitMap(who) for pk, who in people.items()}},
                           {code: BitMap(who) for code, who in (homes or {}).items()}, sent=past, unreachable=unreachable,
                           sources=sources or given())
    return Plan(
        number=1, now=now, zone=OSLO, parameters=parameters.current(**changes),
        campaigns={each.id: each for each in campaigns}, blackouts=tuple(blackouts),
        focus=None if focus is None else frozenset(focus), people=audiences, circumstances=circumstances or Circumstances(),
        absent={each.id: each for each in absent},
    )
