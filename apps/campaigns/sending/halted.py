"""Whether something may be sent at this moment: asked by the claim and again at the beginning of every burst."""

from __future__ import annotations

from django.db.models import Q

from apps.campaigns.models import Halt, Run
from apps.campaigns.models.plan import CampaignStatus
from apps.campaigns.models.sending import HaltScope, RunState


def halts_for(run: Run) -> list[Halt]:
    """The stops in force that hold this run."""
    message = run.message
    mine = (
        Q(scope=HaltScope.EVERYTHING)
        | Q(scope=HaltScope.DEPARTMENT, department=message.campaign.department_id)
        | Q(scope=HaltScope.CAMPAIGN, campaign=message.campaign_id)
        | Q(scope=HaltScope.MESSAGE, message=message.pk)
    )
    return list(Halt.objects.filter(mine, lifted_at=None))


def may_send(run_id: int) -> bool:
    """Whether the run is open, its campaign live, its message not stopped and no stop in force. Reads afresh."""
    run = (
        Run.objects.select_related("message__campaign")
        .only("state", "message__is_stopped", "message__campaign__status", "message__campaign__department")
        .get(pk=run_id)
    )
    return (
        run.state in (RunState.PLANNED, RunState.RUNNING)
        and not run.message.is_stopped
        and run.message.campaign.status == CampaignStatus.LIVE
        and not halts_for(run)
    )


# The same question for many runs in SQL; `r`, `m` and `c` are run, message and campaign.
SENDABLE = """
    r.state IN ('planned', 'running') AND NOT m.is_stopped AND c.status = 'live' AND NOT EXISTS (
        SELECT FROM campaigns_halt h WHERE h.lifted_at IS NULL AND (
            h.scope = 'everything' OR h.scope = 'department' AND h.department_id = c.department_id
            OR h.scope = 'campaign' AND h.campaign_id = c.id OR h.scope = 'message' AND h.message_id = m.id))
"""
