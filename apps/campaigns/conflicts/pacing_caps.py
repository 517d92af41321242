"""The contact policies and the minimum gaps as limits of one kind, each with its name in facts and identities."""

from __future__ import annotations

from dataclasses import dataclass

from .circumstances import PlannedPolicy
from .snapshot import Plan

POLICY, GAP = 0, 1


@dataclass(frozen=True)
class Named:
    """One limit. ``code`` is as in the ledger ("policy.5", "gap.2"), ``subject`` its place in a finding's identity."""

    code: str
    subject: tuple[int, int]
    cap: PlannedPolicy


def of(plan: Plan) -> list[Named]:
    """All limits that are in force for the plan."""
    policies = [Named(f"policy.{cap.id}", (POLICY, cap.id), cap) for cap in plan.circumstances.policies]
    return policies + [Named(f"gap.{gap.id}", (GAP, gap.id), gap.cap) for gap in plan.circumstances.gaps]
