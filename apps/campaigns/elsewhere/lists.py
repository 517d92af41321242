"""The audience of a message sent elsewhere, as the other tool has it: a fixed list that is the message's audience."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _
from pyroaring import BitMap

from apps.accounts.models import User
from apps.campaigns import audiences, planning
from apps.campaigns.models import Message
from apps.customers.segments import keeping


@transaction.atomic
def make_audience(*, message: Message, people: BitMap, actor: User, now: datetime) -> Message:
    """Makes these people the audience of the message; earlier lists and segments of it are left out of it."""
    name = _("%(message)s: list of the other tool") % {"message": message.name}
    made = keeping.make_list(name=name, people=people, actor=actor, now=now)
    changed = planning.change_message(
        actor=actor, message=message, values={"include": [made]}, expected_version=message.version, now=now
    )
    audiences.refresh(changed, now=now)
    return changed
