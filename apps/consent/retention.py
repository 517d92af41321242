"""People who have been silent for years are let go of; the days stand in config/retention.toml.

The evidence of what they once said stays in the ledger as keyed hashes (erasing empties the addresses only), so that a no is
still kept when their address comes back in a file.
"""

from datetime import datetime

from django.db import connection

from apps.accounts import retention
from apps.core.clock import now as present
from apps.customers import erasure
from apps.customers.models import Customer

# Nobody bought, said, or was written to anything since; and nothing is on its way to them.
_SILENT = """
SELECT c.id FROM customers_customer c
WHERE c.merged_into_id IS NULL AND c.erased_at IS NULL AND c.undone_at IS NULL AND c.created_at < %(before)s
  AND NOT EXISTS (SELECT FROM customers_interaction i JOIN customers_customer m ON m.id = i.customer_id
                  WHERE (m.id = c.id OR m.merged_into_id = c.id) AND i.at >= %(before)s)
  AND NOT EXISTS (SELECT FROM consent_consentevent e JOIN customers_customer m ON m.id = e.customer_id
                  WHERE (m.id = c.id OR m.merged_into_id = c.id) AND e.at >= %(before)s)
  AND NOT EXISTS (SELECT FROM customers_sourcerecord r JOIN customers_customer m ON m.id = r.customer_id
                  WHERE (m.id = c.id OR m.merged_into_id = c.id) AND r.last_seen >= %(before)s)
  AND NOT EXISTS (SELECT FROM customers_datarequest d WHERE d.customer_id = c.id AND d.answered_at IS NULL)
ORDER BY c.id LIMIT %(limit)s
"""


def register() -> None:
    """The rule about silent people; each is erased wholly, as by the button."""
    retention.register("customers.customer", _silent, batch=50)


def _silent(before: datetime, limit: int) -> int:
    with connection.cursor() as cursor:
        cursor.execute(_SILENT, {"before": before, "limit": limit})
        ids = [pk for (pk,) in cursor.fetchall()]
    for customer in Customer.objects.filter(pk__in=ids).order_by("pk"):
        erasure.erase(customer=customer, actor=None, now=present())
    return len(ids)
