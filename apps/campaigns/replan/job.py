"""A re-plan as a job: asked for, worked on outside requests with real progress, stopped, and turned into a what-if."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import date, datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from apps.accounts import notifications
from apps.accounts.models import User

from .. import changing
from ..conflicts import lead_times, loading
from ..models import Scenario, ScenarioChange
from ..models.scenarios import ScenarioOrigin
from ..scenarios import applying, drafting, figures
from .propose import Proposal, propose
from .terms import Terms

log = logging.getLogger(__name__)

WAITING, RUNNING, STOPPING, STOPPED, DONE, FAILED = "waiting", "running", "stopping", "stopped", "done", "failed"
OPEN = (WAITING, RUNNING, STOPPING)
SECONDS_BETWEEN = 0.4
# A job of which nobody has written for so long has no worker any more: killed, or its message is lost.
LOST_AFTER_SECONDS = 180
MOST_ATTEMPTS = 3


class Stopped(Exception):
    """Somebody asked for the work to end."""


def start(
    *, actor: User, first: date, last: date, locked: list[int], moves_agreed: bool, fair_percent: int, seed: int = 0, now: datetime
) -> Scenario:
    """Asks for a proposal for campaigns that begin in the period. A second click gets the first one's job."""
    from ..tasks import replan

    if not 0 <= fair_percent <= 100:
        raise ValidationError(_("The share is a whole number from 0 to 100."))
    settings = {
        "state": WAITING, "seen": int(time.time()), "percent": 0,
        "locked": sorted(locked), "moves_agreed": moves_agreed, "fair_percent": fair_percent, "seed": seed,
    }
    with transaction.atomic():
        scenario = drafting.create(
            actor=actor, name=_("Re-planned"), first=first, last=last, now=now, origin=ScenarioOrigin.REPLAN, settings=settings
        )
        if scenario.settings["state"] == WAITING:
            replan.delay_on_commit(scenario.pk)
    return scenario


def terms_of(scenario: Scenario) -> Terms:
    """What was asked for."""
    asked = scenario.settings
    accounts = changing.accounts()
    return Terms(
        scenario.starts_on, scenario.ends_on, frozenset(asked.get("locked", ())), asked.get("moves_agreed", False),
        asked.get("fair_percent", 25) / 100, seed=asked.get("seed", 0), lead=lead_times.in_force(),
        channels=frozenset(accounts), accounts=accounts,
    )


@transaction.atomic
def _note(scenario_id: int, change: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
    """Changes the job's own notes under lock; returns them."""
    row = Scenario.objects.select_for_update().get(pk=scenario_id)
    change(row.settings)
    row.settings["seen"] = int(time.time())
    Scenario.objects.filter(pk=scenario_id).update(settings=row.settings)
    return row.settings


def stop(*, actor: User, scenario: Scenario) -> None:
    """Ends the work at its next step; nothing of it is kept."""
    drafting.mine(actor, scenario.pk)

    def ask(notes: dict[str, Any]) -> None:
        if notes["state"] in (WAITING, RUNNING):
            notes["state"] = STOPPING if notes["state"] == RUNNING else STOPPED

    _note(scenario.pk, ask)


def run(*, scenario_id: int, now: datetime) -> str:
    """Does the work unless it is done, stopped, or done by somebody else; returns the state."""
    def begin(notes: dict[str, Any]) -> None:
        if notes["state"] in (WAITING, RUNNING):
            notes["attempts"] = notes.get("attempts", 0) + 1
            notes["state"] = RUNNING if notes["attempts"] <= MOST_ATTEMPTS else FAILED
        elif notes["state"] == STOPPING:  # whoever was asked to stop is not there any more
            notes["state"] = STOPPED

    if _note(scenario_id, begin)["state"] != RUNNING:
        return ""
    try:
        scenario = Scenario.objects.get(pk=scenario_id)
        plan = loading.load(now=now)
        proposal = propose(plan, figures.ground_of(scenario, plan), terms_of(scenario), _progress(scenario_id))
        return _keep(scenario, proposal, now)
    except Stopped:
        return _end(scenario_id, STOPPED)
    except Exception:
        log.exception("re-plan %s failed", scenario_id)
        return _end(scenario_id, FAILED)


def resume_lost() -> int:
    """Asks again for work whose worker was killed or whose message is lost, and ends what was to be stopped; how many jobs."""
    from .tasks import replan

    found = Scenario.objects.filter(
        origin=ScenarioOrigin.REPLAN, closed_at=None, settings__state__in=OPEN, settings__seen__lt=int(time.time()) - LOST_AFTER_SECONDS
    )
    lost = list(found.values_list("pk", flat=True))
    for pk in lost:
        _note(pk, lambda _notes: None)
        replan.delay(pk)
    return len(lost)


def _end(scenario_id: int, state: str) -> str:
    _note(scenario_id, lambda notes: notes.update(state=state))
    return state


def _progress(scenario_id: int) -> Callable[[int], None]:
    last = [0.0]

    def tick(percent: int) -> None:
        moment = time.monotonic()
        if moment - last[0] < SECONDS_BETWEEN:
            return
        last[0] = moment
        if _note(scenario_id, lambda notes: notes.update(percent=percent))["state"] in (STOPPING, STOPPED):
            raise Stopped

    return tick


def _keep(scenario: Scenario, proposal: Proposal, now: datetime) -> str:
    """The proposal becomes the what-if's changes; done twice, the second leaves the first's."""
    with transaction.atomic():
        row = Scenario.objects.select_for_update().get(pk=scenario.pk)
        if row.settings["state"] in (STOPPING, STOPPED):
            raise Stopped
        if row.settings["state"] != RUNNING:
            return row.settings["state"]
        row.changes.all().delete()
        ScenarioChange.objects.bulk_create([
            ScenarioChange(
                scenario=row, position=place, kind=each.step.kind, campaign_id=each.step.campaign_id,
                message_id=each.step.message_id, parameters=each.step.parameters, why=each.why,
            )
            for place, each in enumerate(proposal.changes, start=1)
        ])
        row.settings |= {"state": DONE, "percent": 100}
        row.measured = _figures(proposal)
        row.updated_at = now
        row.save(update_fields=["settings", "measured", "updated_at"])
        applying.stand(row, now)
    notifications.notify(
        user=row.owner, code="replan.done", text=gettext_noop("The re-plan is ready: %(n)s changes proposed"),
        params={"n": len(proposal.changes)}, url=reverse("campaigns:what-if", args=[row.pk]), now=now,
    )
    return DONE


def _figures(proposal: Proposal) -> dict[str, Any]:
    return {
        "before": proposal.before.plain(), "after": proposal.after.plain(),
        "gap_days": round(proposal.gap_days, 4), "gap_people": round(proposal.gap_people, 4),
        "given_up": {str(pk): count for pk, count in proposal.given_up.items()},
        "planned": {str(pk): count for pk, count in proposal.planned.items()},
        "staying": {str(pk): code for pk, code in proposal.staying.items()},
        "left": [
            {
                "rule": each.rule, "severity": int(each.severity), "people": each.count, "campaigns": list(each.campaigns),
                "because": sorted({proposal.kept[pk] for pk in each.campaigns if pk is not None and pk in proposal.kept}),
            }
            for each in proposal.left
        ],
    }
