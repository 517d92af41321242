"""The whole main job without a screen: see the collision, agree, send, opt out half-way, count every person."""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import requests
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import CommandError
from pyroaring import BitMap

from apps.accounts.models import Role, User
from apps.campaigns import launch
from apps.campaigns.conflicts import agree, days_off, passes, resolve
from apps.campaigns.models import Burst, Campaign, Chunk, Conflict, Delivery, Run
from apps.campaigns.models.conflicts import ConflictState, ResolutionAction, ResolutionState
from apps.campaigns.models.sending import ChunkState, Outcome, RunState
from apps.campaigns.sending import proof
from apps.channels.counterparts import inbox
from apps.channels.models import ChannelAccount
from apps.channels.references import delivery_reference, parse_reference
from apps.consent import links
from apps.core import clock
from apps.core.reasons import Reason
from apps.customers.models import Customer
from config import launcher

from .load import Progress, load
from .people import GIVEN

KEEPER, YIELDER = "Winter coats −20 %", "Coat days online −30 %"
PATIENCE = 600
# so many must still wait that the last of them is not reached before the opt-out is
ENOUGH = 120
CLUSTER = "once"
ONE_CLICK = {"List-Unsubscribe": "One-Click"}


class DoesNotAddUp(Exception):
    """Something that must hold does not; the words say what."""


def run(*, customers: int, seed: int, output: Any, progress: Progress) -> None:
    """The whole job in a database of its own; prints one JSON object. Raises CommandError when it does not add up."""
    _move_to_own_cluster()
    call_command("reset", verbosity=0, stdout=sys.stderr)
    shutil.rmtree(settings.SANDBOX_DIR, ignore_errors=True)
    afternoon = wednesday_afternoon(datetime.now(UTC))
    report = Report()
    load(customers_wanted=customers, seed=seed, now=afternoon, progress=progress)
    # slow enough that there is a middle in which somebody can change their mind
    ChannelAccount.objects.filter(channel="email").update(rate=max(30, customers // 200))
    see_and_agree(report, afternoon + timedelta(minutes=5))
    port = launcher.free_port()
    base_url = f"http://127.0.0.1:{port}"
    # all processes share one clock that starts at the moment of sending
    started = afternoon + timedelta(minutes=30, seconds=5)
    settings.CLOCK_OFFSET = round((started - datetime.now(UTC)).total_seconds())
    parts = [launcher.counterparts(), launcher.web(port), launcher.worker(), launcher.beat()]
    environment = {"CLOCK_OFFSET": str(settings.CLOCK_OFFSET), "PUBLIC_URL": base_url}
    with launcher.running(parts, environment, sys.stderr) as processes:
        launcher.wait_for_web(processes, port)
        send(report, base_url, started - timedelta(seconds=5))
    _compare_with_counterparts(report)
    output.write(json.dumps(asdict(report), ensure_ascii=False, indent=1, default=str) + "\n")
    if report.problems:
        raise CommandError("It does not add up: " + "; ".join(report.problems))


def _move_to_own_cluster() -> None:
    """Starts this command again with a database and sandbox of its own, so that the demo a person uses stays as it is."""
    if settings.DATABASE_URL or settings.CLUSTER.name == CLUSTER:
        return
    environment = {
        **os.environ, "CONCORD_CLUSTER": CLUSTER, "CONCORD_MODE": "demo",
        "SANDBOX_DIR": str(settings.STATE_DIR / CLUSTER / "sandbox"),
    }
    os.execve(sys.executable, [sys.executable, *sys.argv], environment)


def wednesday_afternoon(moment: datetime) -> datetime:
    """14:30 in the company's zone on the Wednesday of that week, or of the last one that is no public holiday where the demo's
    customers live: no weekend, holiday or quiet hour decides anything.
    """
    local = moment.astimezone(clock.company_zone())
    day = local + timedelta(days=2 - local.weekday())
    while any(days_off.name(country, day.date()) for country in GIVEN):
        day -= timedelta(days=7)
    return day.replace(hour=14, minute=30, second=0, microsecond=0).astimezone(UTC)


@dataclass
class Report:
    """What is printed as one JSON object."""

    customers: int = 0
    campaigns: int = 0
    conflicts: dict[str, dict[str, int]] = field(default_factory=dict)
    resolutions: list[dict[str, Any]] = field(default_factory=list)
    opt_out: dict[str, Any] = field(default_factory=dict)
    runs: list[dict[str, Any]] = field(default_factory=list)
    counterparts: dict[str, dict[str, int]] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def must(self, holds: bool, otherwise: str) -> None:
        """Notes a problem unless it holds."""
        if not holds:
            self.problems.append(otherwise)


def see_and_agree(report: Report, now: datetime) -> None:
    """Count the conflicts, propose the way out as one lead, sign it as the other, hand both campaigns to sending."""
    passes.count_people(number=passes.plan_changed(campaign_ids=[], now=now), now=now)
    report.customers = Customer.objects.living().count()
    report.campaigns = Campaign.objects.count()
    report.conflicts = conflicts_by_rule()
    report.must(bool(report.conflicts), "no conflict was found")
    keeping, yielding = Campaign.objects.get(name=KEEPER), Campaign.objects.get(name=YIELDER)
    pair = [keeping, yielding]
    between = Conflict.objects.filter(first_campaign__in=pair, second_campaign__in=pair).order_by("-severity")
    _leave_out(between[0], keeping, yielding, now)
    report.resolutions = [_resolution(settled) for settled in between.filter(state=ConflictState.RESOLVED)]
    report.must(
        any(done["rule"] == "offers" and done["state"] == ResolutionState.APPLIED for done in report.resolutions),
        "the contradicting offers were not resolved",
    )
    report.must(len(report.resolutions) == between.count(), "one signing of both leads did not settle all that they had")
    for campaign in pair:
        launch.schedule(actor=_lead(campaign), campaign=campaign, now=now + timedelta(minutes=5))


def _leave_out(conflict: Conflict, keeping: Campaign, yielding: Campaign, now: datetime) -> None:
    """One lead proposes that the other side leaves the shared people out; the other lead signs, for all of the pair."""
    way = next(
        way for way in resolve.ways_out(conflict, now=now)
        if way.action == ResolutionAction.LEAVE_OUT and way.campaign_id == yielding.pk
    )
    proposal = agree.propose(actor=_lead(keeping), conflict=conflict, way=way.key, now=now)
    agree.sign(actor=_lead(yielding), resolution=proposal, agrees=True, now=now + timedelta(minutes=2))


def conflicts_by_rule() -> dict[str, dict[str, int]]:
    """Open conflicts per rule: how many, and how many different people they touch."""
    found: dict[str, dict[str, int]] = {}
    people: dict[str, BitMap] = {}
    for conflict in Conflict.objects.exclude(state=ConflictState.OBSOLETE):
        found.setdefault(conflict.rule, {"conflicts": 0, "people": 0})["conflicts"] += 1
        people[conflict.rule] = people.get(conflict.rule, BitMap()) | (conflict.people_both or BitMap())
    for rule, touched in people.items():
        found[rule]["people"] = len(touched)
    return found


def _lead(campaign: Campaign) -> User:
    return User.objects.get(role=Role.LEAD, department=campaign.department)


def _resolution(settled: Conflict) -> dict[str, Any]:
    proposal = settled.settled_by
    assert proposal is not None
    signed = proposal.signatures.filter(agrees=True).select_related("department")
    return {
        "rule": settled.rule, "action": proposal.action, "state": proposal.state, "people": settled.people_count,
        "signed_by": sorted(signature.department.slug for signature in signed), "measured": proposal.measured,
    }


def send(report: Report, base_url: str, started: datetime) -> None:
    """Wait for the workers; half-way through, one person opts out by the link in their e-mail's header."""
    for runs in _watch(started):
        if not report.opt_out and (found := _half_way(runs)):
            _opt_out(*found, base_url, report)
    report.must(bool(report.opt_out), "nobody was left to opt out half-way")
    report.runs = [_line(run) for run in _runs(started)]
    report.must(sum(line["sent"] for line in report.runs) > 0, "nothing was sent")
    for line in report.runs:
        total = sum(line[key] for key in ("waiting", "sent", "held_out", "failed", "unknown")) + sum(line["refused"].values())
        report.must(total == line["audience"], f"{line['message']}: {total} people accounted for, audience {line['audience']}")
        report.must(line["state"] == RunState.DONE, f"{line['message']}: still {line['state']}")


def _runs(started: datetime) -> list[Run]:
    return list(Run.objects.filter(planned_at__gte=started).select_related("message__campaign").order_by("pk"))


def _watch(started: datetime) -> Iterator[list[Run]]:
    """The runs, looked at several times a second, until all are done; gives up after PATIENCE seconds."""
    expected = due_messages(started)
    for _ in range(PATIENCE * 4):
        runs = _runs(started)
        yield runs
        machine = [run for run in runs if run.message.channel in {"email", "sms"}]
        if len(machine) >= expected and all(run.state == RunState.DONE for run in machine):
            return
        time.sleep(0.25)
    raise DoesNotAddUp(f"the runs were not done after {PATIENCE} seconds: {[(run.pk, run.state) for run in _runs(started)]}")


def due_messages(started: datetime) -> int:
    """How many e-mail and SMS messages of scheduled campaigns start within the minute after ``started``."""
    return sum(
        campaign.messages.filter(
            channel__in=["email", "sms"], kind="addressed", send_at__gt=started - timedelta(hours=2),
            send_at__lte=started + timedelta(minutes=1),
        ).count()
        for campaign in Campaign.objects.filter(status__in=["scheduled", "live"])
    )


def _half_way(runs: list[Run]) -> tuple[Run, int] | None:
    """The yielder's e-mail run once some of it has left, and the person of it whose turn comes last."""
    for run in runs:
        if run.message.campaign.name == YIELDER and run.message.channel == "email":
            waiting = _approved_and_waiting(run)
            sent = Delivery.objects.filter(run_id=run.pk, outcome=Outcome.SENT).count()
            return (run, waiting.max()) if sent > len(waiting) // 3 and len(waiting) > ENOUGH else None
    return None


def _approved_and_waiting(run: Run) -> BitMap:
    """Those whom the gate has let through and who are in no burst yet."""
    chunks = Chunk.objects.filter(run=run).exclude(state=ChunkState.DONE).exclude(approved=None)
    approved = BitMap.union(BitMap(), *(chunk.approved or BitMap() for chunk in chunks))
    begun = BitMap.union(BitMap(), *Burst.objects.filter(run=run).values_list("people", flat=True))
    settled = BitMap(Delivery.objects.filter(run_id=run.pk).values_list("customer_id", flat=True))
    return approved - begun - settled


def _opt_out(run: Run, person: int, base_url: str, report: Report) -> None:
    """One click on the link in the header (RFC 8058), as a mail program does it: POST, no cookie."""
    before = Delivery.objects.filter(run_id=run.pk, outcome=Outcome.SENT).count()
    address = links.unsubscribe_url(person, channel="email", purpose_id=run.message.purpose_id or 0, run_id=run.pk)
    answer = requests.post(base_url + urlsplit(address).path, data=ONE_CLICK, timeout=120, allow_redirects=False)
    report.must(answer.status_code == 200, f"the one-click opt-out was answered with {answer.status_code}")
    report.opt_out = {"customer": person, "run": run.pk, "at": clock.now().isoformat(), "sent_before": before}


def _line(run: Run) -> dict[str, Any]:
    return {
        "run": run.pk, "campaign": run.message.campaign.name, "message": run.message.name, "channel": run.message.channel,
        "state": str(run.state), **proof.run_proof(run),
    }


def _compare_with_counterparts(report: Report) -> None:
    """The local counterparts hold exactly what the ledger calls sent, none twice, nothing for whoever opted out."""
    run_ids = {line["run"] for line in report.runs}
    for channel in ("email", "sms"):
        got = Counter({reference: times for reference, times in inbox.references(channel).items() if reference})
        sent = sum(line["sent"] for line in report.runs if line["channel"] == channel)
        here = {reference: times for reference, times in got.items() if (parse_reference(reference) or (0,))[0] in run_ids}
        doubles = sum(1 for times in here.values() if times > 1)
        report.counterparts[channel] = {"messages": sum(here.values()), "twice": doubles, "sent": sent}
        report.must(sum(here.values()) == sent, f"{channel}: the counterpart holds {sum(here.values())}, the ledger says {sent}")
        report.must(doubles == 0, f"{channel}: {doubles} messages came twice")
    if report.opt_out:
        _compare_opt_out(report)


def _compare_opt_out(report: Report) -> None:
    """Whoever opted out stands in the ledger as refused and got no mail of that run."""
    run, person = report.opt_out["run"], report.opt_out["customer"]
    line = Delivery.objects.filter(run_id=run, customer_id=person).first()
    mails = inbox.references("email").get(delivery_reference(run, person), 0)
    report.opt_out |= {"mails_afterwards": mails, "reason": line.reason if line else "no line in the ledger"}
    report.must(not mails, "the person who opted out half-way got the message all the same")
    report.must(report.opt_out["reason"] == Reason.WITHDRAWN, "the ledger does not say that the person withdrew")
