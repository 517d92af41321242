"""Campaigns: the plan, its content and offers, agreements, and the ledger of every person."""

from .approval import Approval
from .conflicts import Agreement, Conflict, ConflictComment, PlanVersion, Resolution, Signature
from .content import Brand, ContentRevision, ContentVersion
from .offers import Offer, OfferPrice
from .plan import Campaign, CampaignStatus, Message, MessageKind, Programme, Timing
from .policy import Blackout, ContactPolicy
from .sending import Burst, Chunk, Delivery, Halt, Run, RunArm

__all__ = [
    "Agreement",
    "Approval",
    "Blackout",
    "Brand",
    "Burst",
    "Campaign",
    "CampaignStatus",
    "Chunk",
    "Conflict",
    "ConflictComment",
    "ContactPolicy",
    "ContentRevision",
    "ContentVersion",
    "Delivery",
    "Halt",
    "Message",
    "MessageKind",
    "Offer",
    "OfferPrice",
    "PlanVersion",
    "Programme",
    "Resolution",
    "Run",
    "RunArm",
    "Signature",
    "Timing",
]
