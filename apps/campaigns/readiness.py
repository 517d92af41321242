"""What stands in the way of sending a plan, message by message, each in a sentence."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from pyroaring import BitMap

from apps.channels import registry
from apps.channels.adapters.base import AdapterError
from apps.channels.kinds import Channel
from apps.core import clock

from . import audiences, schedule
from .conflicts import standing_in
from .content import blocks, claims, fields, liquid, locating, rendering, versions
from .models import Brand, Campaign, CampaignStatus, ContentVersion, Message, MessageKind
from .models.content import ContentFormat

RUNNING = (CampaignStatus.LIVE, CampaignStatus.PAUSED, CampaignStatus.DONE)


@dataclass(frozen=True)
class Problem:
    """One thing to mend. ``blocks`` problems prevent scheduling; ``tab`` is where it is mended."""

    text: str
    blocks: bool = True
    message: Message | None = None
    tab: str = "messages"


def problems(campaign: Campaign, *, now: datetime) -> list[Problem]:
    """Everything wrong with the plan that can be seen without looking at single people."""
    messages = list(
        campaign.messages.select_related("campaign", "campaign__product", "purpose", "account", "offer", "offer__product", "stands_in")
        .prefetch_related("versions", "include")
        .defer("plan_audience", "include__people")
    )
    if not messages:
        return [Problem(_("The campaign has no message yet."))]
    brand = Brand.objects.filter(department=campaign.department_id).first()
    known = fields.offered()
    return [problem for message in messages for problem in _of_message(message, brand, known, now)]


def _of_message(message: Message, brand: Brand | None, known: list[fields.Field], now: datetime) -> Iterator[Problem]:
    def problem(text: str, *, blocks: bool = True, tab: str = "messages") -> Problem:
        return Problem(f"{message.name}: {text}", blocks, message, tab)

    for text in schedule.problems(message, now=now, zone=clock.company_zone()).values():
        yield problem(text, tab="schedule")
    if message.campaign.status not in RUNNING and schedule.is_past(message, now=now):
        yield problem(_("its time has already gone by."), tab="schedule")
    if message.offer and message.offer.valid_until < message.send_at:
        yield problem(_("its offer “%(offer)s” ends before the message goes out.") % {"offer": message.offer})
    if message.kind != MessageKind.ADDRESSED:
        return
    if not message.include.all() and not message.audience_rule:
        yield problem(_("nobody is chosen as its audience."), tab="audience")
    for text in audiences.problems(message):
        yield problem(text, tab="audience")
    yield from (problem(text) for text in _account(message))
    yield from (problem(text) for text in content(message, brand, known, now=now))
    yield from (problem(text, blocks=False) for text in promises(message))


def promises(message: Message) -> Iterator[str]:
    """Where the words promise something else than the offer, version by version: worth a look, not a reason to stop."""
    for version in versions.Chooser.of(message).versions:
        version.message = message
        for text in claims.problems(version):
            yield f"{version.language.upper()} {version.variant}: {text}"


def _account(message: Message) -> Iterator[str]:
    if message.account is None:
        yield _("no account is chosen to send it over.")
    elif not message.account.is_active:
        yield _("its account “%(account)s” is not in use any more.") % {"account": message.account}


def content(
    message: Message, brand: Brand | None, known: list[fields.Field] | None = None, *, now: datetime
) -> Iterator[str]:
    """What is wrong with the words of a message, version by version."""
    chooser = versions.Chooser.of(message)
    if not chooser.versions:
        yield _("it has no text yet.")
    for variant, share in message.variants_share.items():
        if share and chooser.versions and variant not in chooser.variants and not message.arms_attribute:
            yield _("version %(variant)s has a share but no text.") % {"variant": variant}
    for version in chooser.versions:
        for text in version_problems(version, brand, known, now=now):
            yield f"{version.language.upper()} {version.variant}: {text}"


def version_problems(
    version: ContentVersion, brand: Brand | None, known: list[fields.Field] | None = None, *, now: datetime
) -> list[str]:
    """What is wrong with one version: empty places, unknown merge fields, templates that cannot be used."""
    found = _empty_places(version)
    if standing_in.is_unread(version):
        found.append(_("its words come from the message on the other channel. Read them, fit them, save them."))
    try:
        found += fields.unknown(liquid.used_fields(fields.sources(version)), known)
        compiled = rendering.compile(version, brand, now=now)
    except liquid.TemplateProblem as problem:
        return [*found, str(locating.located(version, problem))]
    except ValidationError as problem:
        return [*found, problem.messages[0]]
    if version.message.account:
        try:
            adapter = registry.adapter_for(version.message.account)
            found += [problem.text for problem in adapter.check(compiled.content) if problem.blocking]
        except AdapterError as error:
            found.append(error.message)
        except registry.UnknownAdapter:
            if version.message.kind == MessageKind.ADDRESSED:
                found.append(_("“%(account)s” only counts what other tools send; choose an account that can send.")
                             % {"account": version.message.account})  # fmt: skip
    return list(dict.fromkeys(found))


def _empty_places(version: ContentVersion) -> list[str]:
    found = []
    if version.message.channel == Channel.EMAIL and not version.subject.strip():
        found.append(_("the subject is empty."))
    if version.format == ContentFormat.BLOCKS:
        found += blocks.problems(version.blocks)
        if not version.blocks:
            found.append(_("there is no block yet."))
    elif not version.body.strip():
        found.append(_("the text is empty."))
    return found


def missing_values(message: Message, people: BitMap, *, now: datetime) -> list[tuple[str, BitMap]]:
    """Warnings that name people: (sentence, people) for each merge field that would stay empty for somebody."""
    found = []
    parts = versions.by_language(people)
    chooser = versions.Chooser.of(message)
    for version in chooser.versions:
        readers = BitMap.union(
            BitMap(), *[part for code, part in parts.items() if chooser.version(version.variant, code) == version]
        )
        try:
            missing = fields.missing(message, version, readers, now=now) if readers else {}
        except liquid.TemplateProblem:
            continue
        for path, who in missing.items():
            text = ngettext(
                "%(field)s is empty for %(count)s person (%(version)s).",
                "%(field)s is empty for %(count)s people (%(version)s).", len(who),
            ) % {"field": path, "count": len(who), "version": f"{version.language.upper()} {version.variant}"}
            found.append((text, who))
    return found
