"""The check: reach step by step, what stands in the way, and the people behind each number."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET
from pyroaring import BitMap

from apps.accounts import access, audit, masking
from apps.core import charts, clock, formats
from apps.core.http import number
from apps.core.reasons import sentence
from apps.customers.models import Customer

from .. import check as reach
from .. import lawful, readiness
from ..conflicts import passes
from ..conflicts.sentences import sentence as conflict_sentence
from ..models import Campaign, Message, MessageKind
from . import frame

SHOWN = 100


@access.signed_in
@require_GET
def check(request: HttpRequest, pk: int) -> HttpResponse:
    """Who will be contacted, and what to do before sending."""
    campaign = frame.load(pk)
    plan = frame.plan_of(campaign)
    falls = reach.of_campaign(campaign, now=clock.now())
    one = next((m for m in plan if str(m.pk) == request.GET.get("message")), None)
    steps = falls.get(one.pk, []) if one else reach.together(falls.values())
    problems = frame.problems_of(campaign)
    extra = {
        "one": one,
        "chart": _chart(campaign, steps, one) if steps else "",
        "conflicts": [(c, conflict_sentence(c)) for c in _worst_first(campaign)],
        "problems": problems,
        "warnings": _warnings(plan, falls),
        "rows": [_row(message, falls.get(message.pk)) for message in plan],
        "counted_at": clock.now(),
        "law": lawful.law(plan, falls) if falls else None,
        "choices": [m for m in plan if m.pk in falls],
    }
    page = frame.context(request, campaign, "check", plan=plan, **extra)
    if any(problem.blocks for problem in problems):
        page["tabs"] = [(*tab[:3], "blocking") if tab[0] == "check" else tab for tab in page["tabs"]]
    return render(request, "campaigns/check.html", page)


def _worst_first(campaign: Campaign) -> list[Any]:
    found = [*passes.blocking(campaign), *passes.warnings(campaign)]
    return sorted(found, key=lambda conflict: (-conflict.severity, -(conflict.people_count or 0)))


def _chart(campaign: Campaign, steps: list[reach.Step], one: Message | None) -> Any:
    title = (
        _("Who will be contacted by “%(message)s”") % {"message": one.name} if one
        else _("Who will be contacted by at least one message")
    )  # fmt: skip
    there = reverse("campaigns:check-people", args=[campaign.pk])
    which = f"&message={one.pk}" if one else ""
    rows = [
        charts.Step(
            step.label, step.count, step.lost_count, _reasons(step),
            f"{there}?step={step.code}{which}", f"{there}?step={step.code}&lost=1{which}" if step.lost_count else "",
        )
        for step in steps
    ]  # fmt: skip
    return charts.waterfall(title, rows)


def _reasons(step: reach.Step) -> str:
    words = "; ".join(sentence(code) for code, _words, _count in step.reasons[:2])
    return f"{words}: {', '.join(step.notes)}" if step.notes and words else words


def _row(message: Message, steps: list[reach.Step] | None) -> dict[str, Any]:
    count = steps[-1].count if steps else None
    shares = message.variants_share or {}
    total = sum(shares.values()) or 1
    split = " · ".join(f"{variant} {round(100 * share / total)}" for variant, share in sorted(shares.items())) if len(shares) > 1 else ""
    return {
        "message": message,
        "count": count if message.kind == MessageKind.ADDRESSED else message.estimated_reach,
        "estimated": message.kind != MessageKind.ADDRESSED,
        "split": split,
        "cost": frame.cost(message, count),
        "currency": message.account.currency if message.account else message.campaign.currency,
    }


def _warnings(plan: list[Message], falls: dict[int, list[reach.Step]]) -> list[tuple[Message, str, int]]:
    """(message, sentence, people) for fields that would stay empty for some of those who will be contacted."""
    found = []
    for message in plan:
        if message.pk in falls:
            missing = readiness.missing_values(message, falls[message.pk][-1].people, now=clock.now())
            found += [(message, text, len(who)) for text, who in missing]
    return found


@access.signed_in
@require_GET
def people(request: HttpRequest, pk: int) -> HttpResponse:
    """The people behind one number of the check: masked by role, and logged."""
    campaign = frame.load(pk)
    falls = reach.of_campaign(campaign, now=clock.now())
    which = request.GET.get("message", "")
    steps = falls.get(number(which), []) if which else reach.together(falls.values())
    step = next((each for each in steps if each.code == request.GET.get("step")), None)
    if step is None:
        raise Http404
    lost = BitMap.union(BitMap(), *step.lost.values())
    chosen = lost if request.GET.get("lost") else step.people
    user = access.current_user(request)
    audit.opened_people(actor=user, subject=campaign, count=min(len(chosen), SHOWN), where="campaign.check", now=clock.now())
    rows = _people(user, chosen, step if request.GET.get("lost") else None)
    title = f"{step.label}: {formats.number(len(chosen))}"
    return render(request, "campaigns/check_people.html",
                  frame.context(request, campaign, "check", people=rows, total=len(chosen), shown=SHOWN, title=title))  # fmt: skip


def _people(user: Any, chosen: BitMap, lost_in: reach.Step | None) -> list[dict[str, Any]]:
    some = list(chosen[:SHOWN])
    found = Customer.objects.filter(pk__in=some).order_by("sort_key", "pk")
    return [
        {
            "id": person.pk,
            "name": masking.mask_name(user, person.name),
            "place": f"{person.city} {person.country}".strip(),
            "language": person.language,
            "reason": next((sentence(code) for code, who in lost_in.lost.items() if person.pk in who), "") if lost_in else "",
        }
        for person in found
    ]
