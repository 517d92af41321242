"""Consent columns of customer files: they go to the ledger with their evidence and never count as the person's own act.

A yes in a file cannot lift a no; the same file twice writes nothing new; undoing an import takes back its yeses only.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import connection
from django.utils.translation import gettext as _

from apps.channels.kinds import Channel
from apps.core import hashing
from apps.core.blocks import blocks_of, lock_blocks
from apps.core.clock import company_zone
from apps.customers.imports import values
from apps.customers.imports.columns import Target
from apps.customers.models import ImportJob, SourceRecord

from . import addresses, ledger, purposes, suppression
from .choices import MEASURED
from .models import ConsentAction, ConsentEvent, SuppressionReason

CHANNELS = (Channel.EMAIL, Channel.SMS, Channel.CALL, Channel.LETTER)

# What this source said of the same matter before counts: told again it changes nothing.
TOLD_BEFORE = """
    SELECT e.action, e.at FROM consent_consentevent e
    WHERE e.customer_id = n.customer_id AND e.channel = n.channel AND e.purpose_id = n.purpose_id
      AND e.import_job_id IS NOT NULL AND e.source = %(source)s AND e.action <> 'void'
      AND NOT EXISTS (
          SELECT FROM consent_consentevent v
          WHERE v.customer_id = e.customer_id AND v.channel = e.channel AND v.purpose_id = e.purpose_id
            AND v.action = 'void' AND v.import_job_id = e.import_job_id)
"""
# Read before the first line is written: asking for each person in a ledger that grows meanwhile takes quadratic time.
NEWS = """
CREATE TEMP TABLE consent_news ON COMMIT DROP AS
WITH topics AS (
    SELECT * FROM unnest(%(targets)s::text[], %(channels)s::text[], %(purposes)s::bigint[], %(kinds)s::text[])
        AS t(target, channel, purpose_id, kind)
),
said AS (
    SELECT DISTINCT ON (s.customer_id, t.channel, t.purpose_id, s.extra->>t.target)
        s.customer_id, s.source_record_id, t.channel, t.purpose_id, t.kind, s.extra->>t.target AS action,
        (s.extra->>'consent:at')::timestamptz AS dated,
        coalesce(s.extra->>'consent:method', '') AS method, coalesce(s.extra->>'consent:wording', '') AS wording,
        jsonb_build_object('file', %(file)s::text, 'row', s.row_no) AS evidence
    FROM {staging} s JOIN topics t ON s.extra->>t.target IS NOT NULL
    WHERE s.customer_id IS NOT NULL
    ORDER BY s.customer_id, t.channel, t.purpose_id, s.extra->>t.target, s.row_no DESC
)
SELECT n.*, a.value AS address FROM said n
LEFT JOIN LATERAL (
    SELECT value FROM customers_contactpoint p
    WHERE p.source_record_id = n.source_record_id AND p.kind = n.kind AND p.value <> ''
    ORDER BY p.is_preferred DESC, p.id DESC LIMIT 1) a ON true
WHERE CASE WHEN n.dated IS NULL
    THEN n.action IS DISTINCT FROM (SELECT last.action FROM ({told}) last ORDER BY last.at DESC LIMIT 1)
    ELSE NOT EXISTS (SELECT FROM ({told}) same WHERE same.action = n.action AND same.at = n.dated) END
"""
APPLY = """
INSERT INTO consent_consentevent
    (customer_id, channel, purpose_id, action, at, recorded_at, source, method, wording_text, address, address_hash,
     by_person, import_job_id, evidence)
SELECT customer_id, channel, purpose_id, action, coalesce(dated, %(at)s), %(now)s, %(source)s,
       coalesce(nullif(left(method, 40), ''), 'import'), wording, coalesce(address, ''),
       CASE WHEN coalesce(address, '') = '' THEN '' ELSE {hash} END, false, %(job)s, evidence
FROM consent_news
ORDER BY customer_id, channel, purpose_id, action
RETURNING customer_id, action
"""
VOID = """
INSERT INTO consent_consentevent
    (customer_id, channel, purpose_id, action, at, recorded_at, source, method, wording_text, address, address_hash,
     by_person, import_job_id, evidence)
SELECT DISTINCT customer_id, channel, purpose_id, 'void', %(now)s::timestamptz, %(now)s::timestamptz, source, 'import undone',
       '', '', '', false, import_job_id, '{{}}'::jsonb
FROM consent_consentevent e
WHERE import_job_id = %(job)s AND action = 'grant' AND NOT EXISTS (
    SELECT FROM consent_consentevent v
    WHERE v.customer_id = e.customer_id AND v.channel = e.channel AND v.purpose_id = e.purpose_id
      AND v.action = 'void' AND v.import_job_id = e.import_job_id)
RETURNING customer_id
"""


class ConsentColumns:
    """Takes ``consent:<channel>:<purpose>`` and the evidence beside it out of customer files."""

    code = "consent"

    def targets(self) -> list[Target]:
        """A yes-or-no column per channel and purpose, and what proves it."""
        group = _("Consent")
        found = [
            Target(
                f"consent:{channel.value}:{purpose.code}",
                _("%(topic)s by %(channel)s") % {"topic": purposes.name_of(purpose), "channel": channel.label},
                _("Yes or no. A yes here never lifts a no."),
                group,
            )
            for purpose in purposes.in_use()
            if purpose.needs_consent
            for channel in (MEASURED if purpose.is_measurement else CHANNELS)
        ]
        return [
            *found,
            Target("consent:at", _("When they said so"), _("Date or date and time."), group),
            Target("consent:method", _("How they said so"), _("Such as: web form, till, phone."), group),
            Target("consent:wording", _("What they agreed to"), _("The exact words they saw."), group),
        ]

    def parse(self, target: str, text: str) -> Any:
        """A yes becomes a grant, a no a withdrawal; a date becomes a moment. Raises ValueError in words."""
        if target == "consent:at":
            return values.moment(text, company_zone()).isoformat()
        if target in {"consent:method", "consent:wording"}:
            return text.strip()[:2000]
        return (ConsentAction.GRANT if values.yes_or_no(text) else ConsentAction.WITHDRAW).value

    def apply(self, *, job: ImportJob, staging: str, now: datetime) -> dict[str, int]:
        """Writes what is new to the ledger set-wise and derives the states of those people."""
        known = [target.code for target in self.targets() if target.code.count(":") == 2]
        ids = {purpose.code: purpose.pk for purpose in purposes.in_use()}
        parts = [code.split(":") for code in known]
        expression, keys = hashing.in_sql("address")
        inner: dict[str, Any] = {"outer_pad": keys[0], "inner_pad": keys[1]}
        expression = expression.replace("%s", "%(outer_pad)s", 1).replace("%s", "%(inner_pad)s", 1)
        params: dict[str, Any] = inner | {
            "targets": known, "channels": [part[1] for part in parts], "purposes": [ids[part[2]] for part in parts],
            "kinds": [addresses.kind_of(part[1]) for part in parts], "file": job.filename, "at": job.created_at,
            "now": now, "source": job.source.name[:80], "job": job.pk,
        }  # fmt: skip
        with connection.cursor() as cursor:
            cursor.execute("DROP TABLE IF EXISTS pg_temp.consent_news")
            cursor.execute("ANALYZE consent_consentevent")
            cursor.execute(NEWS.format(staging=staging, told=TOLD_BEFORE), params)
            cursor.execute(APPLY.format(hash=expression), params)
            rows = cursor.fetchall()
            cursor.execute("ANALYZE consent_consentevent")
        self._settle(sorted({customer_id for customer_id, _action in rows}))
        granted = sum(1 for _id, action in rows if action == ConsentAction.GRANT)
        return {"consent_yes": granted, "consent_no": len(rows) - granted} if rows else {}

    def undo(self, *, job: ImportJob, customers: list[int], now: datetime) -> dict[str, int]:
        """Its yeses count no more; its noes stay, also for people who go: their address stays on the list."""
        with connection.cursor() as cursor:
            cursor.execute(VOID.format(), {"job": job.pk, "now": now})
            people = sorted({row[0] for row in cursor.fetchall()})
        self._settle(people)
        self._keep_noes(job, customers, now)
        return {"consent_taken_back": len(people)} if people else {}

    def _settle(self, people: list[int]) -> None:
        if people:
            lock_blocks(blocks_of(people))
            ledger.settle(people)

    def _keep_noes(self, job: ImportJob, customers: list[int], now: datetime) -> None:
        noes = ConsentEvent.objects.filter(
            import_job=job,
            customer_id__in=customers,
            action=ConsentAction.WITHDRAW,
            customer__in=_only_from(job, customers),
        )
        for channel, hashed in set(noes.exclude(address_hash="").values_list("channel", "address_hash")):
            suppression.suppress(
                reason=SuppressionReason.PERSON, address_hash=hashed, channel=channel, note="import undone", now=now
            )


def _only_from(job: ImportJob, customers: list[int]) -> list[int]:
    """Those of the customers whom nothing but this import told us about."""
    others = SourceRecord.objects.filter(customer_id__in=customers).exclude(import_job=job)
    return sorted(set(customers) - set(others.values_list("customer_id", flat=True)))
