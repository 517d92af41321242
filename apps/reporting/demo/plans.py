"""The demo's plan: who plans what, when, for whom. Days count from today in the company's zone."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

from apps.campaigns.models.offers import OfferKind


@dataclass(frozen=True)
class OfferSpec:
    key: str
    name: str
    department: str
    kind: str
    category: str = ""
    value: int | None = None
    code: str = ""
    claim: str = ""
    first: int = -90
    last: int = 60


@dataclass(frozen=True)
class MessageSpec:
    """One message: ``day`` and ``hour`` of sending, the copy it uses, the segments it is for."""

    name: str
    channel: str
    day: int
    hour: int
    copy: str
    include: tuple[str, ...]
    exclude: tuple[str, ...] = ()
    purpose: str = "offers"
    offer: str = ""
    variants: dict[str, int] = field(default_factory=dict)
    recurrence: str = ""
    kind: str = "addressed"
    follows: str = ""
    reach: int | None = None
    region: str = ""


@dataclass(frozen=True)
class CampaignSpec:
    name: str
    department: str
    status: str
    first: int
    last: int
    goal: str
    goal_metric: str
    goal_value: int
    budget: int
    messages: tuple[MessageSpec, ...]
    control: Decimal = Decimal("0")
    priority: int = 50
    on_a_day_off: bool = False
    programme: str = ""
    takes_dates: bool = False


@dataclass(frozen=True)
class ProgrammeSpec:
    key: str
    name: str
    key_message: str
    offer: str
    first: int
    last: int
    budget: int


# An offer of this name is the programme's; a message without any under a programme makes none.
INHERITED = "programme"

PROGRAMMES = (
    ProgrammeSpec(
        "black_week", "Black Week", "Warm all winter: the best prices of the year, online and in every store.", "bw_online", 15, 26, 36000
    ),
)

OFFERS = (
    OfferSpec("coats20", "Winter coats −20 %", "retail", OfferKind.PERCENT, "coats", 20, claim="20 % off all winter coats in store", first=-3, last=8),
    OfferSpec("coats30", "Coats online −30 %", "online", OfferKind.PERCENT, "coats", 30, "COAT30", "30 % off every coat online", first=-1, last=6),
    OfferSpec("freight", "Free delivery", "online", OfferKind.FREE_DELIVERY, value=None, claim="Free delivery"),
    OfferSpec("points2", "Double points", "loyalty", OfferKind.POINTS, value=2, claim="Double points on everything"),
    OfferSpec("bw_store", "Black Week in store, full price coats", "retail", OfferKind.FULL_PRICE, "outerwear", claim="New coats, no discount", first=14, last=26),
    OfferSpec("bw_online", "Black Week online −30 %", "online", OfferKind.PERCENT, "outerwear", 30, "WINTER30", "30 % off outerwear", first=15, last=24),
    OfferSpec("boots15", "Winter boots −15 %", "online", OfferKind.PERCENT, "boots", 15, "BOOTS15", "15 % off winter boots", first=-26, last=-10),
    OfferSpec("kids", "Children's outerwear −25 %", "online", OfferKind.PERCENT, "kids-outer", 25, "KIDS25", "25 % off", first=8, last=14),
    OfferSpec("skis", "First on the snow −10 %", "retail", OfferKind.PERCENT, "ski", 10, "SNOW10", "10 % off the new skis", first=25, last=40),
    OfferSpec("jackets", "Autumn jackets −10 %", "online", OfferKind.PERCENT, "shells", 10, "RAIN10", "10 % off", first=-80, last=-55),
)

EMAIL, SMS, LETTER, CALL = "email", "sms", "letter", "call"

CAMPAIGNS = (
    CampaignSpec("Autumn jackets −10 %", "online", "done", -75, -60, "Sell rain and shell jackets", "orders", 400, 6000, (
        MessageSpec("Announcement", EMAIL, -74, 9, "free_delivery", ("with_email",), offer="jackets", variants={"A": 50, "B": 50}),
        MessageSpec("Reminder", SMS, -68, 12, "free_delivery", ("recent_web",), offer="jackets"),
    ), Decimal("0.1")),
    CampaignSpec("Wool weeks", "retail", "done", -52, -40, "People into the stores", "visits", 2500, 9000, (
        MessageSpec("Invitation", EMAIL, -51, 10, "newsletter", ("store_buyers",), purpose="newsletter"),
        MessageSpec("Letter to regulars", LETTER, -48, 9, "coats_store", ("regulars_norway",)),
    )),
    CampaignSpec("Gold evening", "loyalty", "done", -35, -30, "A full house in Oslo", "visits", 180, 4000, (
        MessageSpec("Invitation", EMAIL, -34, 11, "gold_preview", ("gold",)),
        MessageSpec("Personal call", CALL, -32, 13, "gold_preview", ("gold_oslo",)),
    )),
    CampaignSpec("Delivery delays", "service", "done", -28, -27, "Everybody with an open order knows", "reach", 2000, 200, (
        MessageSpec("Information", EMAIL, -28, 8, "survey", ("bought_90",), purpose="service"),
    )),
    CampaignSpec("Winter boots −15 %", "online", "done", -24, -16, "500 orders of boots", "orders", 500, 7000, (
        MessageSpec("Announcement", EMAIL, -23, 9, "boots", ("with_email",), ("bought_boots",), offer="boots15", variants={"A": 80, "B": 20}),
        MessageSpec("Last day", SMS, -17, 12, "boots", ("recent_web",), ("bought_boots",), offer="boots15"),
    ), Decimal("0.1")),
    CampaignSpec("Points about to expire", "loyalty", "done", -18, -12, "Points are used, not lost", "orders", 250, 1500, (
        MessageSpec("Reminder", EMAIL, -18, 10, "double_points", ("many_points",)),
        MessageSpec("Last reminder", SMS, -13, 12, "double_points", ("many_points",)),
    )),
    CampaignSpec("Satisfaction survey, autumn", "service", "done", -14, -8, "A thousand answers", "replies", 1000, 300, (
        MessageSpec("Survey", EMAIL, -13, 15, "survey", ("bought_90",), purpose="service"),
    )),
    CampaignSpec("Ski pre-order", "retail", "cancelled", -10, -3, "Pre-orders before the snow", "orders", 120, 3000, (
        MessageSpec("Announcement", EMAIL, -9, 9, "coats_store", ("store_buyers",)),
    )),
    CampaignSpec("Weekly letter", "online", "live", -60, 30, "People read and come back", "visits", 2000, 2000, (
        MessageSpec("Weekly letter", EMAIL, -58, 11, "newsletter", ("newsletter_uk",), purpose="newsletter", recurrence="FREQ=WEEKLY"),
    )),
    CampaignSpec("Thank you after a purchase", "service", "live", -30, 90, "Every buyer is thanked", "reach", 9000, 500, (
        MessageSpec("Thank you", EMAIL, -29, 10, "thanks", ("bought_yesterday",), purpose="service", recurrence="FREQ=DAILY"),
    )),
    CampaignSpec("Winter coats −20 %", "retail", "approved", 0, 6, "900 coats sold in store", "orders", 900, 12000, (
        MessageSpec("Announcement", EMAIL, 0, 15, "coats_store", ("store_norway", "regulars_norway"), offer="coats20", variants={"A": 50, "B": 50}),
        MessageSpec("Letter to regulars", LETTER, 2, 9, "coats_store", ("regulars_norway",), offer="coats20"),
        MessageSpec("Call to Gold members", CALL, 3, 11, "gold_preview", ("gold_oslo",), offer="coats20"),
    ), priority=60),
    CampaignSpec("Partner bank's Gold offer", "loyalty", "done", -6, -5, "Members use their card", "orders", 40, 500, (
        MessageSpec("Partner bank's Gold mail", EMAIL, -6, 12, "", ("gold",), kind="elsewhere"),
    )),
    CampaignSpec("Coat days online −30 %", "online", "approved", 0, 4, "700 orders", "orders", 700, 8000, (
        MessageSpec("Announcement", EMAIL, 0, 15, "coats_online", ("with_email",), ("bought_coats",), offer="coats30"),
        MessageSpec("Reminder", SMS, 0, 15, "coats_online", ("web_continent",), ("bought_coats",), offer="coats30"),
    )),
    CampaignSpec("Recall: head torch Tind 300", "service", "scheduled", 0, 2, "Every owner is told", "reach", 1500, 0, (
        MessageSpec("Safety notice", EMAIL, 0, 15, "recall", ("bought_ski_gear",), purpose="safety"),
        MessageSpec("Safety notice", SMS, 1, 17, "recall", ("bought_ski_gear",), purpose="safety"),
    ), priority=100),
    CampaignSpec("Free delivery weekend", "online", "scheduled", 7, 9, "Fill the weekend", "orders", 300, 5000, (
        MessageSpec("Announcement", EMAIL, 7, 8, "free_delivery", ("web_continent",), offer="freight"),
        MessageSpec("Last hours", SMS, 8, 9, "free_delivery", ("web_continent",), offer="freight"),
    )),
    CampaignSpec("Double points", "loyalty", "in_review", 7, 14, "Members come back", "orders", 500, 3000, (
        MessageSpec("Announcement", SMS, 8, 17, "double_points", ("members_continent",), offer="points2"),
        MessageSpec("Partner bank's mail", EMAIL, 8, 12, "", ("gold_norway",), offer="points2", kind="elsewhere"),
    ), priority=70),
    CampaignSpec("A day off outdoors", "loyalty", "in_review", 0, 2, "Members go out on their day off", "visits", 60, 800, (
        MessageSpec("Ideas for the day", EMAIL, 0, 17, "double_points", ("club_abroad",)),
    ), on_a_day_off=True),
    CampaignSpec("Outlet clearance", "retail", "paused", -3, 10, "Empty the outlet", "orders", 300, 2500, (
        MessageSpec("Announcement", EMAIL, 8, 9, "coats_store", ("store_uk",)),
    )),
    CampaignSpec("Black Week in store", "retail", "in_review", 15, 26, "Record week in store", "orders", 3000, 30000, (
        MessageSpec("Invitation", EMAIL, 15, 9, "coats_store", ("store_north",), offer="bw_store"),
        MessageSpec("Doors open", SMS, 18, 18, "coats_store", ("store_north",), offer="bw_store"),
        MessageSpec("Local radio", "unaddressed", 17, 7, "", (), offer="bw_store", kind="unaddressed", reach=180000, region="Oslo"),
    ), Decimal("0.1"), programme="black_week", takes_dates=True),
    CampaignSpec("Black Week online −30 %", "online", "draft", 16, 24, "4,500 orders", "orders", 4500, 0, (
        MessageSpec("Announcement", EMAIL, 16, 9, "coats_online", ("with_email",), offer=INHERITED, variants={"A": 50, "B": 50}),
        MessageSpec("Reminder", SMS, 20, 12, "coats_online", ("recent_web",), offer=INHERITED),
        MessageSpec("Last day", EMAIL, 24, 10, "coats_online", ("recent_web",), offer=INHERITED, variants={"A": 80, "B": 20}),
    ), programme="black_week"),
    CampaignSpec("Gold members preview", "loyalty", "approved", 26, 33, "One Gold member in three orders", "orders", 400, 6000, (
        MessageSpec("Preview", EMAIL, 26, 9, "gold_preview", ("gold",)),
        MessageSpec("Adviser's call", CALL, 28, 12, "gold_preview", ("gold_silver_abroad",)),
    ), programme="black_week"),
    CampaignSpec("Children's winter", "online", "in_review", 10, 14, "Parents dress for winter", "orders", 350, 4000, (
        MessageSpec("Announcement", EMAIL, 11, 9, "free_delivery", ("parents",), offer="kids"),
    )),
    CampaignSpec("Satisfaction survey, winter", "service", "draft", 15, 21, "A thousand answers", "replies", 1000, 300, (
        MessageSpec("Survey", EMAIL, 15, 15, "survey", ("bought_90",), purpose="service"),
    )),
    CampaignSpec("Ski season opening", "retail", "draft", 27, 40, "First on the snow", "orders", 260, 7000, (
        MessageSpec("Announcement", EMAIL, 30, 15, "coats_store", ("store_norway",), offer="skis"),
        MessageSpec("Reminder", EMAIL, 28, 15, "coats_store", ("store_norway",), offer="skis", follows="Announcement"),
    )),
)



def _within(countries: str, rule: dict) -> dict:
    return {"all": [{"is": "attribute", "field": "country", "op": "in", "value": countries}, rule]}


VISITED = {"is": "interaction", "kind": "visit", "op": "ge", "count": 1, "days": 60}
IN_STORE = {"is": "interaction", "kind": "purchase", "channel": "store", "op": "ge", "count": 1, "days": 540}
READS = {"is": "consent", "channel": "email", "purpose": "newsletter", "state": "granted"}
GOLD_SILVER = {"is": "attribute", "field": "attribute:tier", "op": "in", "value": "Silver, Gold"}
MEMBER = {"is": "attribute", "field": "attribute:tier", "op": "in", "value": "Bronze, Silver, Gold"}
SEGMENTS: dict[str, tuple[str, str, dict]] = {
    "web_continent": ("Poles and Germans who visited the web shop in 60 days", "online", _within("PL, DE", VISITED)),
    "store_norway": ("Norwegians who bought in a store in 18 months", "retail", _within("NO", IN_STORE)),
    "store_uk": ("Britons who bought in a store in 18 months", "retail", _within("GB", IN_STORE)),
    "store_north": ("Norwegians and Poles who bought in a store in 18 months", "retail", _within("NO, PL", IN_STORE)),
    "members_continent": ("Club members in Poland and Germany", "loyalty", _within("PL, DE", MEMBER)),
    "gold_norway": ("Gold members in Norway", "loyalty", _within("NO", {
        "is": "attribute", "field": "attribute:tier", "op": "is", "value": "Gold"})),
    "gold_silver_abroad": ("Silver and Gold members outside Norway", "loyalty", _within("PL, DE, GB, US", GOLD_SILVER)),
    "club_abroad": ("Silver and Gold members who have the day off", "loyalty", _within("US", GOLD_SILVER)),
    "newsletter_uk": ("Newsletter readers in the UK", "online", _within("GB", READS)),
    "parents": ("Norwegians who bought for children in two years", "online", _within("NO", {
        "is": "interaction", "kind": "purchase", "category": "kids", "op": "ge", "count": 1, "days": 730})),
    "with_email": ("Bought or looked in the last year", "online", {"any": [
        {"is": "interaction", "kind": "purchase", "op": "ge", "count": 1, "days": 365},
        {"is": "interaction", "kind": "visit", "op": "ge", "count": 1, "days": 365}]}),
    "recent_web": ("Visited the web shop in 60 days", "online",
                   {"is": "interaction", "kind": "visit", "op": "ge", "count": 1, "days": 60}),
    "store_buyers": ("Bought in a store in 18 months", "retail",
                     {"is": "interaction", "kind": "purchase", "channel": "store", "op": "ge", "count": 1, "days": 540}),
    "regulars_norway": ("Regulars in Norway", "retail", {"all": [
        {"is": "attribute", "field": "country", "op": "is", "value": "NO"},
        {"is": "interaction", "kind": "purchase", "op": "ge", "count": 3, "days": 365}]}),
    "gold": ("Gold members", "loyalty", {"is": "attribute", "field": "attribute:tier", "op": "is", "value": "Gold"}),
    "members": ("Club members", "loyalty", {"is": "attribute", "field": "attribute:tier", "op": "in", "value": "Bronze, Silver, Gold"}),
    "gold_oslo": ("Gold members in Oslo", "loyalty", {"all": [
        {"is": "attribute", "field": "attribute:tier", "op": "is", "value": "Gold"},
        {"is": "attribute", "field": "city", "op": "is", "value": "Oslo"}]}),
    "many_points": ("More than 1,500 points", "loyalty", {"is": "attribute", "field": "attribute:points", "op": "gt", "value": 1500}),
    "newsletter": ("Newsletter readers", "online",
                   {"is": "consent", "channel": "email", "purpose": "newsletter", "state": "granted"}),
    "bought_90": ("Bought in the last 90 days", "service",
                  {"is": "interaction", "kind": "purchase", "op": "ge", "count": 1, "days": 90}),
    "bought_yesterday": ("Bought yesterday", "service",
                         {"is": "interaction", "kind": "purchase", "op": "ge", "count": 1, "days_ago": 1}),
    "bought_boots": ("Bought winter boots this year", "online",
                     {"is": "interaction", "kind": "purchase", "category": "boots", "op": "ge", "count": 1, "days": 300}),
    "bought_coats": ("Bought a coat this year", "online",
                     {"is": "interaction", "kind": "purchase", "category": "coats", "op": "ge", "count": 1, "days": 300}),
    "bought_ski_gear": ("Bought ski gear in two years", "service",
                        {"is": "interaction", "kind": "purchase", "category": "ski", "op": "ge", "count": 1, "days": 730}),
}

COLLEAGUES = (
    ("retail.lead@fjellfjord.example", "Marit Solberg", "lead", "retail", False),
    ("retail@fjellfjord.example", "Jonas Berg", "marketer", "retail", False),
    ("online.lead@fjellfjord.example", "Ola Nordmann", "lead", "online", False),
    ("online@fjellfjord.example", "Katarzyna Nowak", "marketer", "online", False),
    ("loyalty.lead@fjellfjord.example", "Ingrid Haugen", "lead", "loyalty", False),
    ("loyalty@fjellfjord.example", "Tomasz Zieliński", "marketer", "loyalty", False),
    ("service.lead@fjellfjord.example", "Liv Strand", "lead", "service", True),
    ("agent@fjellfjord.example", "Eirik Moen", "agent", "service", False),
    ("admin@fjellfjord.example", "Astrid Lie", "administrator", "service", True),
)
DEPARTMENTS = (("retail", "Retail", 1), ("online", "Online", 2), ("loyalty", "Loyalty", 3), ("service", "Service", 4))
PASSWORD = "fjell-og-fjord"
