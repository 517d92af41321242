""""May I, and reserve": another tool asks before it contacts people, and holds their place for as long as it needs.

Judged by the same call as our own claims, under the same locks: address, consent, do-not-contact list, law, quiet hours,
blackouts, holidays, agreements, limits, capacities and control groups. What is allowed counts as a contact until it is confirmed
or falls back; a no, or a not yet, is kept with who asked and why.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from pyroaring import BitMap

from apps.accounts.models import ApiToken
from apps.campaigns.models import Campaign, CampaignStatus, CatchAll, Message, Run
from apps.campaigns.sending import aliases as alias_lookup
from apps.campaigns.sending import capacity, chunks, judging
from apps.campaigns.sending.aliases import Aliases
from apps.campaigns.sending.halted import halts_for
from apps.campaigns.sending.plan import same_address
from apps.core.clock import company_day
from apps.core.reasons import Reason

from . import holds, refusals
from .refusals import Answer
from .runs import Runs

LONGEST_HOLD = timedelta(days=7)
USUAL_HOLD = timedelta(minutes=15)
# Somebody who may only be contacted later than this is told no: nobody waits so long with a finished message.
PATIENCE = timedelta(days=31)
SENDING = (CampaignStatus.SCHEDULED, CampaignStatus.LIVE)


class NotApproved(ValueError):
    """Nobody may be contacted for this campaign as it stands; the message says why."""


def ask(
    *, message: Message, people: BitMap, at: datetime, until: datetime, now: datetime, token: ApiToken | None = None
) -> dict[int, Answer]:
    """Whether these people may be contacted at `at`; whoever is allowed has a place held till `until`. `token` is who asks.

    Raises NotApproved while the message's campaign is neither scheduled nor live.
    """
    _require_approved(message)

    def act(_aliases: Aliases) -> dict[int, Answer]:
        answers = _ask(message, people, at, until, now)
        refusals.keep(message=message, answers=answers, at=at, token=token, now=now)
        return answers

    return chunks.decide(people, act)


def _require_approved(message: Message) -> None:
    if CatchAll.objects.filter(message=message).exists():
        return
    status = Campaign.objects.values_list("status", flat=True).get(pk=message.campaign_id)
    if status not in SENDING:
        raise NotApproved(f"This campaign is {status}. People may be contacted for it once it is approved and scheduled.")


def _ask(message: Message, people: BitMap, at: datetime, until: datetime, now: datetime) -> dict[int, Answer]:
    # A run of its own that is never stored: whatever the ledger and all places hold already counts against it.
    run = Run(
        message=message, run_day=company_day(at), scheduled_at=at, deadline=message.send_until or at + PATIENCE, audience=people
    )
    if message.is_stopped or halts_for(run):
        return {customer_id: Answer("refused", Reason.HALTED) for customer_id in people}
    aliases = alias_lookup.of(people)
    doubles = same_address(message, people, at)
    verdict = judging.judge(run, people - doubles, at, aliases)
    verdict.refused[Reason.SAME_ADDRESS, ""] = doubles
    verdict.refused[Reason.CONTROL_GROUP, ""] = verdict.held_out
    runs = Runs(message, now=now)
    fitting = _with_room(run, verdict, at)
    given = holds.hold(runs, fitting, at, until)
    runs.save()
    answers = {pk: Answer("allowed", permission=token, until=until) for pk, token in given.items()}
    for (reason, rule), group in verdict.refused.items():
        answers |= {pk: Answer("refused", str(reason), rule) for pk in group}
    for later in verdict.later:
        answers |= {pk: Answer("deferred", later.reason, later.rule, later.until) for pk in later.people}
    return answers


def _with_room(run: Run, verdict: judging.Verdict, at: datetime) -> BitMap:
    """Those of the allowed for whom the capacities have a place on that day, which they hold now; the others may ask again."""
    places = capacity.take(run.message, len(verdict.allowed), at)
    fitting = verdict.allowed[: places.count]
    if left := verdict.allowed - fitting:
        found = capacity.shut(run.message, at)
        rule = f"capacity.{found.line.id}" if found else ""
        until = found.until if found and found.until else run.deadline
        verdict.postpone(until, Reason.OVER_CAPACITY, rule, left, run.deadline)
    return fitting
