"""Which version of a message a person gets, and how versions are saved, kept and taken back.

Languages fall back in stated steps: the person's language, its relatives (nn -> nb, no -> nb), then the version marked as
fallback. People for whom none of them leads to a version get nothing, and are counted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.utils.translation import gettext as _
from pyroaring import BitMap

from apps.accounts import access
from apps.accounts.models import User
from apps.core import bitmaps

from .. import partners, planning
from ..models import ContentRevision, ContentVersion, Message
from . import blocks

RELATIVES = {"no": ("nb", "nn"), "nn": ("nb", "no"), "nb": ("no", "nn")}
CONTENT = ("format", "template", "subject", "preheader", "blocks", "body")
# seconds: a pause that ends a stretch of typing, and how often a long stretch is kept in the history
PAUSE = 120
HISTORY_STEP = 600


class SavedMeanwhile(Exception):
    """Somebody saved this version since you opened it; ``current`` is theirs, ``yours`` what you sent. Nothing is lost."""

    def __init__(self, current: ContentVersion, yours: Mapping[str, Any]) -> None:
        super().__init__(_("Somebody saved this text while you were writing. Both are kept; choose."))
        self.current = current
        self.yours = dict(yours)


@dataclass(frozen=True)
class Chooser:
    """Picks versions of one message: ``version(variant, language)``."""

    versions: tuple[ContentVersion, ...]

    @classmethod
    def of(cls, message: Message) -> Chooser:
        return cls(tuple(message.versions.all()))

    @property
    def variants(self) -> list[str]:
        return sorted({version.variant for version in self.versions})

    def version(self, variant: str, language: str) -> ContentVersion | None:
        """The version for somebody of that arm and language, None when there is none for them."""
        own = {version.language: version for version in self.versions if version.variant == variant}
        for wanted in languages_for(language):
            if wanted in own:
                return own[wanted]
        return next((version for version in own.values() if version.is_fallback), None)


def languages_for(language: str) -> tuple[str, ...]:
    """The languages to try for somebody, best first: en-GB -> en-gb, en; nn -> nn, nb, no."""
    full = language.lower()
    base = full.split("-")[0]
    return tuple(dict.fromkeys((full, base, *RELATIVES.get(base, ()))))


def by_language(people: BitMap) -> dict[str, BitMap]:
    """The people parted by their language, '' where none is known, in one query."""
    parts = bitmaps.parted("SELECT language, id FROM customers_customer")
    return {code: part & people for code, part in parts.items() if part & people}


def without_version(message: Message, people: BitMap) -> BitMap:
    """The people for whom some variant of the message has no version they could be given."""
    chooser = Chooser.of(message)
    if not chooser.variants:
        return BitMap(people)
    left_out = BitMap()
    for language, part in by_language(people).items():
        if any(chooser.version(variant, language) is None for variant in chooser.variants):
            left_out |= part
    return left_out


def content_of(version: ContentVersion) -> dict[str, Any]:
    """The words of a version as plain data."""
    return {name: getattr(version, name) for name in CONTENT}


@transaction.atomic
def add(
    *, actor: User, message: Message, language: str, variant: str = "A", copy_of: ContentVersion | None = None, now: datetime
) -> ContentVersion:
    """A version in one more language or variant, empty or with the words of another. The same twice is harmless."""
    access.require(partners.may_edit(actor, message.campaign))
    first = not message.versions.filter(variant=variant).exists()
    start = content_of(copy_of) if copy_of else {"format": _format_for(message.channel)}
    version, made = ContentVersion.objects.get_or_create(
        message=message, language=language.lower(), variant=variant,
        defaults={**start, "is_fallback": first, "updated_at": now, "updated_by": actor},
    )
    if made:
        if variant not in message.variants_share:
            message.variants_share = {**message.variants_share, variant: 50}
            message.save(update_fields=["variants_share"])
        planning.touch(message.campaign, actor=actor, now=now)
    return version


def _format_for(channel: str) -> str:
    return "blocks" if channel == "email" else "text"


@transaction.atomic
def save(
    *, actor: User, version: ContentVersion, values: Mapping[str, Any], expected_revision: int, now: datetime
) -> ContentVersion:
    """Save the words of a version; the earlier state goes to the history.

    Raises SavedMeanwhile when somebody else saved since ``expected_revision``, ValidationError for impossible blocks
    and words that are too long.
    """
    current = ContentVersion.objects.select_for_update().get(pk=version.pk)
    campaign = current.message.campaign
    access.require(partners.may_edit(actor, campaign))
    wanted = {name: values[name] for name in CONTENT if name in values}
    if "blocks" in wanted:
        wanted["blocks"] = blocks.cleaned(wanted["blocks"])
    _refuse_unfit(wanted)
    if all(getattr(current, name) == value for name, value in wanted.items()):
        if current.updated_by_id is None:
            # Words that were taken over from elsewhere are somebody's own once they save them as they are.
            ContentVersion.objects.filter(pk=current.pk).update(updated_by=actor, updated_at=now)
            current.updated_by, current.updated_at = actor, now
        return current
    if current.revision != expected_revision:
        raise SavedMeanwhile(current, wanted)
    planning._refuse_closed(campaign)
    _keep(current, actor=actor, now=now)
    for name, value in wanted.items():
        setattr(current, name, value)
    current.revision += 1
    current.updated_at, current.updated_by = now, actor
    current.save()
    planning.touch(campaign, actor=actor, now=now)
    return current


def _refuse_unfit(wanted: Mapping[str, Any]) -> None:
    """Names the line that is too long, while it still stands in the author's form."""
    for name in wanted.keys() & {"format", "template", "subject", "preheader"}:
        field: Any = ContentVersion._meta.get_field(name)
        try:
            field.clean(wanted[name], None)
        except ValidationError as problem:
            raise ValidationError([f"{field.verbose_name}: {text}" for text in problem.messages]) from problem


def _keep(version: ContentVersion, *, actor: User, now: datetime) -> None:
    """Put the present words into the history; of one author's uninterrupted typing only every few minutes."""
    newest = version.revisions.first()
    same_breath = version.updated_by_id == actor.pk and (now - version.updated_at).total_seconds() < PAUSE
    if newest and same_breath and (now - newest.saved_at).total_seconds() < HISTORY_STEP:
        return
    ContentRevision.objects.get_or_create(
        version=version, number=version.revision,
        defaults={"content": content_of(version), "saved_at": version.updated_at, "saved_by": version.updated_by},
    )


def restore(*, actor: User, revision: ContentRevision, expected_revision: int, now: datetime) -> ContentVersion:
    """Bring back an earlier state as the newest one; nothing of the history is lost."""
    return save(
        actor=actor, version=revision.version, values=revision.content, expected_revision=expected_revision, now=now
    )


@transaction.atomic
def make_fallback(*, actor: User, version: ContentVersion, now: datetime) -> None:
    """Let this language stand in for those that have no version of their own (within its variant)."""
    access.require(partners.may_edit(actor, version.message.campaign))
    same = ContentVersion.objects.filter(message=version.message, variant=version.variant)
    same.update(is_fallback=models.Case(models.When(pk=version.pk, then=True), default=False))
    planning.touch(version.message.campaign, actor=actor, now=now)


@transaction.atomic
def remove(*, actor: User, version: ContentVersion, now: datetime) -> None:
    """Take a version away, with its history."""
    message = version.message
    access.require(partners.may_edit(actor, message.campaign))
    version.delete()
    if not message.versions.filter(variant=version.variant).exists():
        message.variants_share = {k: v for k, v in message.variants_share.items() if k != version.variant}
        message.save(update_fields=["variants_share"])
    planning.touch(message.campaign, actor=actor, now=now)


def languages_in_use(people: BitMap) -> Iterable[tuple[str, int]]:
    """Languages of these people with how many there are, most first."""
    return sorted(((code, len(part)) for code, part in by_language(people).items()), key=lambda pair: -pair[1])
