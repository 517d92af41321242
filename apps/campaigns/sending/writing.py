"""What each person of a claim is to get: the version in their language, their slots, their links."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pyroaring import BitMap

from apps.campaigns.content import facts, fields, rendering
from apps.campaigns.content.addresses import Addresses
from apps.campaigns.content.liquid import TemplateProblem
from apps.campaigns.content.versions import Chooser
from apps.campaigns.models import Brand, ContentVersion, Run
from apps.campaigns.models.sending import ArmKind
from apps.channels.adapters.base import PostalAddress
from apps.channels.content import unsubscribe_headers
from apps.channels.kinds import Channel
from apps.consent import ledger as consent_ledger
from apps.consent.models import PurposeClass
from apps.core.reasons import Reason

from .aliases import Aliases

Refused = dict[tuple[str, str], BitMap]
_compiled: dict[tuple[int, int, int], rendering.Compiled] = {}
_MOST_COMPILED = 200


@dataclass(frozen=True)
class Draft:
    """A finished message for one person, except for the address."""

    content: Any
    slots: Mapping[str, str]
    language: str
    variant: str
    headers: Mapping[str, str] = field(default_factory=dict)
    name: str = ""

    def address(self, given: Any) -> str | PostalAddress:
        """The address that the gate chose, in the form the adapter asks for."""
        if getattr(given, "kind", "") != "postal":
            return str(getattr(given, "value", given))
        detail = given.detail or {}
        lines = detail.get("lines") or [detail.get("street") or detail.get("line1") or given.value]
        return PostalAddress(
            name=str(detail.get("name") or self.name),
            lines=tuple(str(line) for line in lines if line),
            postcode=str(detail.get("postcode", "")),
            city=str(detail.get("city", "")),
            region=str(detail.get("region", "")),
            country=str(detail.get("country", "")),
            company=str(detail.get("company", "")),
        )


def prepare(run: Run, people: BitMap, aliases: Aliases, *, now: datetime) -> tuple[dict[int, Draft], Refused]:
    """Everybody's message, and who gets none: without a version for them, or with one that cannot be made."""
    chooser = Chooser.of(run.message)
    known = facts.Merge(run.message, now=now).for_people(aliases.living(people))
    measured = consent_ledger.measurement_allowed(people, run.message.channel)
    variants = _variants(run)
    needed = _needed(chooser) if run.message.needs_fields else {}
    drafts: dict[int, Draft] = {}
    refused: Refused = {}
    for customer_id in people:
        person = known.get(aliases.survivor(customer_id))
        variant = next((code for code, arm in variants if customer_id in arm), "")
        version = chooser.version(variant, person["customer"]["language"]) if person and variant else None
        if person is None or version is None:
            refused.setdefault((str(Reason.NO_VERSION), ""), BitMap()).add(customer_id)
            continue
        if path := fields.lacking(needed.get(version.pk, ()), person):
            refused.setdefault((str(Reason.MISSING_FIELD), path[:40]), BitMap()).add(customer_id)
            continue
        try:
            drafts[customer_id] = _draft(run, version, person, customer_id, customer_id in measured, now)
        except TemplateProblem:
            refused.setdefault((str(Reason.RENDER_FAILED), ""), BitMap()).add(customer_id)
    return drafts, refused


def _needed(chooser: Chooser) -> dict[int, list[str]]:
    """version id -> the merge fields without which nobody gets it."""
    return {version.pk: sorted(fields.unguarded(version)) for version in chooser.versions}


def _variants(run: Run) -> list[tuple[str, BitMap]]:
    return list(run.arms.filter(kind=ArmKind.VARIANT).values_list("code", "people"))


def _draft(
    run: Run, version: ContentVersion, person: dict[str, Any], customer_id: int, measured: bool, now: datetime
) -> Draft:
    compiled = _ready(run, version, now)
    where = Addresses(run.pk, customer_id, version.pk, measured, sent=now, channel=run.message.channel)
    return Draft(
        content=compiled.content,
        slots=compiled.slots_for(person, where),
        language=version.language,
        variant=version.variant,
        headers=headers(run, customer_id),
        name=person["customer"]["name"],
    )


def _ready(run: Run, version: ContentVersion, now: datetime) -> rendering.Compiled:
    """The version compiled, once per run and process: content that was signed does not change under way."""
    key = (run.pk, version.pk, version.revision)
    if key not in _compiled:
        if len(_compiled) >= _MOST_COMPILED:
            _compiled.clear()
        brand = Brand.objects.filter(department=run.message.campaign.department_id).first()
        _compiled[key] = rendering.compile(version, brand, now=now)
    return _compiled[key]


def headers(run: Run, customer_id: int) -> dict[str, str]:
    """Headers of one e-mail: one-click unsubscribing (RFC 8058) on everything that is not safety or service."""
    message = run.message
    if message.channel != Channel.EMAIL or message.purpose is None or message.purpose_id is None:
        return {}
    if message.purpose.purpose_class != PurposeClass.PROMOTION:
        return {}
    from apps.consent import links

    return unsubscribe_headers(
        links.unsubscribe_url(customer_id, channel=message.channel, purpose_id=message.purpose_id, run_id=run.pk)
    )
