"""What other tools were told when they asked and may not, person by person: it is kept, and shown like our own refusals."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from apps.accounts.models import ApiToken
from apps.campaigns.models import Message, RefusedPermission
from apps.core.reasons import sentence


@dataclass(frozen=True)
class Answer:
    """``allowed`` with a permission, ``refused`` with a reason, or ``deferred`` until a moment with a reason."""

    answer: str
    reason: str = ""
    rule: str = ""
    until: datetime | None = None
    permission: str = ""

    @property
    def words(self) -> str:
        """The reason as a sentence."""
        return sentence(self.reason) if self.reason else ""


def keep(*, message: Message, answers: Mapping[int, Answer], at: datetime, token: ApiToken | None, now: datetime) -> int:
    """Keeps everybody who may not be contacted now, with who asked, for what, when and why. Returns how many they are."""
    rows = [
        RefusedPermission(
            department_id=message.campaign.department_id, token=token, message=message, customer_id=customer_id,
            channel=message.channel, purpose=message.purpose, at=at, asked_at=now, reason=answer.reason, rule=answer.rule[:40],
            until=answer.until,
        )
        for customer_id, answer in sorted(answers.items()) if answer.answer != "allowed"
    ]  # fmt: skip
    RefusedPermission.objects.bulk_create(rows)
    return len(rows)


def of_people(customer_ids: Iterable[int], *, before: datetime | None = None, limit: int = 30) -> list[RefusedPermission]:
    """The newest ones of a person, under all the ids given."""
    rows = RefusedPermission.objects.filter(customer_id__in=list(customer_ids))
    if before is not None:
        rows = rows.filter(asked_at__lt=before)
    return list(rows.select_related("message__campaign__department", "department", "token")[:limit])
