"""Columns of customer files that say who is to be served first: a yes opens, a no closes what the same source had opened."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from apps.customers.models import CareFlag, ImportJob
from apps.customers.models.care import CareReason

from . import values
from .columns import Target
from .customers import run


class CareColumns:
    """Takes ``care:<reason>`` out of customer files."""

    code = "care"

    def targets(self) -> list[Target]:
        """A yes-or-no column per reason."""
        group = _("Serve first")
        words = _("Yes or no. While it is yes, the person gets no promotion.")
        return [Target(f"care:{reason.value}", str(reason.label), words, group) for reason in CareReason]

    def parse(self, target: str, text: str) -> Any:
        """Yes or no. Raises ValueError in words, also for a reason that is none."""
        if target.partition(":")[2] not in CareReason.values:
            raise ValueError(_("“%(text)s” is no reason to serve somebody first.") % {"text": target[:40]})
        return values.yes_or_no(text)

    def apply(self, *, job: ImportJob, staging: str, now: datetime) -> dict[str, int]:
        """Opens and closes set-wise. The same file again changes nothing."""
        opened = closed = 0
        for reason in CareReason.values:
            said = f"(s.extra ->> 'care:{reason}')::bool"
            opened += run(
                f"""INSERT INTO customers_careflag (customer_id, reason, since, source)
                    SELECT DISTINCT s.customer_id, %s, %s::timestamptz, %s FROM {staging} s
                    WHERE {said} AND s.customer_id IS NOT NULL AND NOT EXISTS (
                        SELECT FROM customers_careflag f WHERE f.customer_id = s.customer_id AND f.reason = %s
                          AND f.closed_at IS NULL AND (f.until IS NULL OR f.until > %s))""",
                [reason, now, _source(job), reason, now],
            )
            closed += run(
                f"""UPDATE customers_careflag f SET closed_at = %s FROM {staging} s
                    WHERE NOT {said} AND s.customer_id = f.customer_id AND f.reason = %s AND f.closed_at IS NULL
                      AND f.source LIKE %s""",
                [now, reason, f"{_prefix(job)}%"],
            )
        return {"care_opened": opened, "care_closed": closed} if opened or closed else {}

    def undo(self, *, job: ImportJob, customers: list[int], now: datetime) -> dict[str, int]:
        """What the file alone had opened was never so."""
        gone, _by_model = CareFlag.objects.filter(source__in=[_source(job), complaint_source(job)]).delete()
        return {"care_taken_back": gone} if gone else {}


def _prefix(job: ImportJob) -> str:
    return f"{job.source.code[:20]} file "


def _source(job: ImportJob) -> str:
    return f"{_prefix(job)}{job.pk}"


def complaint_source(job: ImportJob) -> str:
    """Who told of complaints that a file of events brought."""
    return f"events file {job.pk}"
