"""Whose conflict it is, and the talk about it: remarks in which colleagues are named by @."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from apps.accounts import access, audit, notifications
from apps.accounts.models import Role, User

from ..models import Conflict, ConflictComment
from . import agree, news, pairs

AT = re.compile(r"(?<![\w@])@(?=\w)")
LONGEST = 4000


def candidates(conflict: Conflict) -> QuerySet[User]:
    """Who can be the owner: who plans for one of the departments, and administrators."""
    plans = Q(department__in=agree.departments(conflict)) & ~Q(role=Role.AGENT)
    return User.objects.filter(plans | Q(role=Role.ADMINISTRATOR), is_active=True).select_related("department")


def may_assign(user: User, conflict: Conflict) -> bool:
    """Whoever may propose, or signs for one of the departments, or administers."""
    is_deputy = bool(access.departments_led(user) & set(agree.departments(conflict)))
    return agree.may_propose(user, conflict) or is_deputy or access.is_administrator(user)


@transaction.atomic
def assign(*, actor: User, conflict: Conflict, owner: User | None, now: datetime) -> Conflict:
    """Makes somebody (or nobody) the owner of all that the pair has against each other; told unless they took it themselves."""
    conflict = agree.locked(conflict, now)
    access.require(may_assign(actor, conflict), _("Only the departments of these campaigns say whose it is."))
    if owner is not None and not candidates(conflict).filter(pk=owner.pk).exists():
        raise ValidationError(_("Choose somebody who plans for one of the departments."))
    before, conflict.owner = conflict.owner_id, owner
    if before == conflict.owner_id:
        return conflict
    pairs.rows(conflict).update(owner=owner)
    audit.record(
        actor=actor, action="conflict.assigned", subject=conflict, before={"owner": before}, after={"owner": conflict.owner_id},
        now=now,
    )  # fmt: skip
    if owner is not None and owner.pk != actor.pk:
        notifications.notify(
            user=owner, code="conflict.owner", text=gettext_noop("%(who)s hands you a conflict to look after: %(campaigns)s"),
            params={"who": actor, "campaigns": news.names(conflict)}, url=news.address(conflict), now=now,
        )
    return conflict


@transaction.atomic
def comment(*, actor: User, conflict: Conflict, text: str, now: datetime) -> ConflictComment:
    """Adds to the talk; everybody may. Who is named in it hears of it, and so do the owners of the conflict and of both
    campaigns. The same words twice are one remark.
    """
    text = text.strip()[:LONGEST]
    if not text:
        raise ValidationError(_("There is nothing in it yet."))
    last = conflict.comments.last()
    if last and last.user_id == actor.pk and last.text == text:
        return last
    remark = ConflictComment.objects.create(conflict=conflict, user_id=actor.pk, text=text, at=now)
    named = mentioned(text)
    remark.mentions.set(named)
    audit.record(
        actor=actor, action="conflict.commented", subject=conflict, after={"remark": remark.pk, "named": [user.pk for user in named]},
        now=now,
    )  # fmt: skip
    sides = (conflict.first_campaign, conflict.second_campaign)
    owners = {side.owner for side in sides if side} | ({conflict.owner} if conflict.owner else set())
    _tell(named, actor, conflict, "conflict.mentioned", gettext_noop("%(who)s names you in a remark about a conflict: %(campaigns)s"), now)
    words = gettext_noop("%(who)s wrote about a conflict of yours: %(campaigns)s")
    _tell(owners - set(named), actor, conflict, "conflict.comment", words, now)
    return remark


def _tell(users: Iterable[User], actor: User, conflict: Conflict, code: str, words: str, now: datetime) -> None:
    params = {"who": actor, "campaigns": news.names(conflict)}
    for user in users:
        if user.pk != actor.pk:
            notifications.notify(
                user=user, code=code, text=words, params=params, url=f"{news.address(conflict)}#talk", now=now
            )


def mentioned(text: str) -> list[User]:
    """The colleagues behind ``@Kari Nordmann``, ``@kari@company.example``, ``@kari.nordmann`` or ``@Kari``.

    The longest name that fits wins; a short name that several colleagues share names nobody. ``a@b.example`` in running
    text names nobody either: a mention begins a word.
    """
    starts = [found.end() for found in AT.finditer(text)]
    if not starts:
        return []
    names = _names()
    found: dict[int, User] = {}
    for start in starts:
        rest = text[start : start + 260].casefold()
        fitting = [name for name in names if rest.startswith(name) and not re.match(r"\w", rest[len(name) :])]
        user = names[max(fitting, key=len)] if fitting else None
        if user is not None:
            found[user.pk] = user
    return list(found.values())


def _names() -> dict[str, User]:
    """Everything by which exactly one active colleague goes, without regard to capitals."""
    known: dict[str, set[User]] = defaultdict(set)
    for user in User.objects.filter(is_active=True):
        local = user.email.partition("@")[0]
        for name in {user.name, user.email, local, user.get_short_name()}:
            if name.strip():
                known[name.strip().casefold()].add(user)
    return {name: users.pop() for name, users in known.items() if len(users) == 1}
