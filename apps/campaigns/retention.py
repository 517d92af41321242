"""What sending lets go of, and when; the days stand in config/retention.toml.

The ledger of deliveries answers "why did this person (not) get it" for two years, and as long it is known whom a run was for;
after that the counts and the daily facts remain.
"""

from datetime import datetime

from django.db import connection
from pyroaring import BitMap

from apps.accounts import retention

_OVER = "run_id IN (SELECT id FROM campaigns_run WHERE finished_at < %s)"


def register() -> None:
    """The rules of campaigns, reservations before the rows they hang on."""
    retention.register("campaigns.burst", retention.older("campaigns_burst", f"settled_at IS NOT NULL AND {_OVER}"))
    retention.register("campaigns.chunk", _chunks)
    retention.register("campaigns.delivery", _deliveries)
    retention.register("campaigns.toldcontact", retention.older("campaigns_toldcontact", "at < %s"))
    retention.register("campaigns.refusedpermission", retention.older("campaigns_refusedpermission", "asked_at < %s"))
    retention.register("campaigns.run", _emptied("campaigns_run", "audience", "finished_at < %s"))
    retention.register("campaigns.runarm", _emptied("campaigns_runarm", "people", _OVER))
    retention.register("campaigns.webhookcall", retention.older("campaigns_webhookcall", "done_at < %s"))
    ended = "campaign_id IN (SELECT id FROM campaigns_campaign WHERE ends_on < (%s::timestamptz)::date)"
    retention.register("campaigns.approval", retention.older("campaigns_approval", ended))
    retention.register("campaigns.capacityday", retention.older("campaigns_capacityday", "day < (%s::timestamptz)::date"))


def _emptied(table: str, column: str, condition: str) -> retention.Act:
    """A rule that keeps the row with its counts and forgets whom it names."""
    nobody = BitMap().serialize()

    def act(before: datetime, limit: int) -> int:
        with connection.cursor() as cursor:
            cursor.execute(
                f"UPDATE {table} SET {column} = %s WHERE ctid = ANY(ARRAY("
                f"SELECT ctid FROM {table} WHERE {column} <> %s AND {condition} LIMIT %s))",
                [nobody, nobody, before, limit],
            )
            return cursor.rowcount

    return act


def _chunks(before: datetime, limit: int) -> int:
    free = "NOT EXISTS (SELECT FROM campaigns_burst b WHERE b.chunk_id = campaigns_chunk.id)"
    return retention.delete("campaigns_chunk", f"state = 'done' AND {free} AND {_OVER}", before, limit)


def _deliveries(before: datetime, limit: int) -> int:
    """Row by row out of any partition: ctid is unique within one of them only, so the key is named."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('concord.allow_erasure', 'on', true)")
        cursor.execute(
            """DELETE FROM campaigns_delivery d USING (
                   SELECT run_day, run_id, customer_id FROM campaigns_delivery WHERE run_day < %s LIMIT %s) old
               WHERE (d.run_day, d.run_id, d.customer_id) = (old.run_day, old.run_id, old.customer_id)""",
            [before.date(), limit],
        )
        gone = cursor.rowcount
        cursor.execute("SELECT set_config('concord.allow_erasure', 'off', true)")
    return gone
