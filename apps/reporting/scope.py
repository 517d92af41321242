"""Which deliveries a report is about, and the people behind each of its numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from urllib.parse import urlencode

from django.utils.translation import gettext_lazy as _
from pyroaring import BitMap

from apps.core import bitmaps

# What the events of one delivery prove; machines left out. The same for reports and daily facts.
HEARD = """
SELECT e.run_id, e.customer_id,
       bool_or(e.kind IN ('delivered', 'printed', 'answered')) AS delivered,
       bool_or(e.kind = 'bounced') AS bounced,
       bool_or(e.kind = 'opened' AND NOT e.machine) AS opened,
       bool_or(e.kind = 'clicked' AND NOT e.machine) AS clicked,
       bool_or(e.kind IN ('replied', 'answered') AND NOT e.machine) AS replied,
       bool_or(e.kind = 'complained') AS complained,
       bool_or(e.kind = 'unsubscribed' AND NOT e.machine) AS unsubscribed,
       bool_or(e.kind NOT IN ('rejected', 'failed', 'subscribed')) AS proves_sent,
       bool_or(e.kind IN ('rejected', 'failed')) AS proves_failed
"""

# What is known of one delivery once receipts that were lost are proved by later events; machines left out.
PERSON = f"""
WITH run AS (
    SELECT r.id, r.run_day FROM campaigns_run r JOIN campaigns_message m ON m.id = r.message_id
    WHERE (%(campaign)s::int IS NULL OR m.campaign_id = %(campaign)s)
      AND (%(first)s::date IS NULL OR r.run_day >= %(first)s) AND (%(last)s::date IS NULL OR r.run_day <= %(last)s)
),
heard AS (
    {HEARD}
    FROM channels_contactevent e WHERE e.run_id IN (SELECT id FROM run) GROUP BY e.run_id, e.customer_id
),
person AS (
    SELECT d.run_day, d.run_id, d.customer_id, d.channel, d.variant, d.reason, d.rule, d.cost, d.account_id,
           CASE WHEN d.outcome = 'unknown' AND h.proves_sent THEN 'sent'
                WHEN d.outcome = 'unknown' AND h.proves_failed THEN 'failed' ELSE d.outcome END AS outcome,
           coalesce(h.delivered, false) AS delivered, coalesce(h.bounced, false) AS bounced,
           coalesce(h.opened, false) AS opened, coalesce(h.clicked, false) AS clicked,
           coalesce(h.replied, false) AS replied, coalesce(h.complained, false) AS complained,
           coalesce(h.unsubscribed, false) AS unsubscribed
    FROM run JOIN campaigns_delivery d ON d.run_day = run.run_day AND d.run_id = run.id
    LEFT JOIN heard h ON h.run_id = d.run_id AND h.customer_id = d.customer_id
    WHERE (%(department)s::int IS NULL OR d.department_id = %(department)s)
      AND (%(channel)s = '' OR d.channel = %(channel)s) AND (%(variant)s = '' OR d.variant = %(variant)s)
)
"""

# Each step as a condition on one delivery. A step's people are those for whom it holds at least once.
STEPS: dict[str, tuple[Any, str]] = {
    "sent": (_("sent"), "outcome = 'sent'"),
    "arrived": (_("arrived: sent and not bounced"), "outcome = 'sent' AND NOT bounced"),
    "delivered": (_("delivery confirmed"), "outcome = 'sent' AND delivered AND NOT bounced"),
    "opened": (_("opened"), "outcome = 'sent' AND opened"),
    "clicked": (_("clicked"), "outcome = 'sent' AND clicked"),
    "replied": (_("replied"), "outcome = 'sent' AND replied"),
    "bounced": (_("bounced"), "outcome = 'sent' AND bounced"),
    "complained": (_("complained"), "outcome = 'sent' AND complained"),
    "unsubscribed": (_("unsubscribed"), "outcome = 'sent' AND unsubscribed"),
    "refused": (_("not sent"), "outcome = 'refused'"),
    "held_out": (_("control group"), "outcome = 'held_out'"),
    "failed": (_("failed"), "outcome = 'failed'"),
    "unknown": (_("unknown"), "outcome = 'unknown'"),
}


@dataclass(frozen=True)
class Scope:
    """The deliveries of a campaign, or of a department, channel, variant and days; empty means all."""

    campaign: int | None = None
    department: int | None = None
    channel: str = ""
    variant: str = ""
    first: date | None = None
    last: date | None = None

    def params(self) -> dict[str, Any]:
        """For `PERSON`."""
        return vars(self).copy()

    def query(self, step: str, reason: str = "", **changes: Any) -> str:
        """The query string of the people behind a number, narrowed by ``changes``."""
        given = vars(replace(self, **changes)) | {"step": step, "reason": reason}
        return urlencode({key: value for key, value in given.items() if value not in (None, "")})


def people(scope: Scope, step: str, reason: str = "", rules: Sequence[str] = ()) -> BitMap:
    """The people behind one number, each once; of refusals those of one reason, or of some rules (``agreement.7``).

    Raises KeyError for an unknown step.
    """
    condition = STEPS[step][1]
    sql = f"{PERSON} SELECT DISTINCT customer_id FROM person WHERE {condition}"
    params = scope.params()
    if reason:
        sql, params = sql + " AND reason = %(reason)s", params | {"reason": reason}
    if rules:
        sql, params = sql + " AND rule = ANY(%(rules)s)", params | {"rules": list(rules)}
    return bitmaps.from_sql(sql, params)
