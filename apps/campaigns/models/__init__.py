"""Campaigns: the plan, its content and offers, agreements, and the ledger of every person."""

from .approval import Approval
from .conflicts import Agreement, Conflict, ConflictComment, PlanVersion, Resolution, Signature, StandIn
from .constraints import Capacity, CapacityDay, Exclusivity, LeadTime, OfferPairing, RuleParameter
from .content import Brand, ContentRevision, ContentVersion
from .elsewhere import CatchAll, RefusedPermission, ToldContact
from .hours import Embargo, QuietHours
from .offers import Offer, OfferPrice
from .plan import Campaign, CampaignStatus, Message, MessageKind, Programme, Timing
from .policy import Blackout, ChannelWeight, ConflictSettings, ContactPolicy, MinimumGap
from .scenarios import Scenario, ScenarioChange
from .sending import Burst, Chunk, Delivery, Halt, Run, RunArm
from .subscriptions import CalendarFeed, WebhookCall, WebhookEndpoint

__all__ = [
    "Agreement",
    "Approval",
    "Blackout",
    "Brand",
    "Burst",
    "CalendarFeed",
    "Campaign",
    "CampaignStatus",
    "Capacity",
    "CapacityDay",
    "CatchAll",
    "ChannelWeight",
    "Chunk",
    "Conflict",
    "ConflictComment",
    "ConflictSettings",
    "ContactPolicy",
    "ContentRevision",
    "ContentVersion",
    "Delivery",
    "Embargo",
    "Exclusivity",
    "Halt",
    "LeadTime",
    "Message",
    "MessageKind",
    "MinimumGap",
    "Offer",
    "OfferPairing",
    "OfferPrice",
    "PlanVersion",
    "Programme",
    "QuietHours",
    "RefusedPermission",
    "Resolution",
    "RuleParameter",
    "Run",
    "RunArm",
    "Scenario",
    "ScenarioChange",
    "Signature",
    "StandIn",
    "Timing",
    "ToldContact",
    "WebhookCall",
    "WebhookEndpoint",
]
