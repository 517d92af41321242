"""From staged people to customers, source records and addresses: set-based, in one transaction, in named steps.

Used by every import that names people. The staging table gets the columns record_id, customer_id, touched.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import connection

from apps.core import blocks, hashing
from apps.customers import identity, merging
from apps.customers.models import ImportJob

_FIELDS = ("name", "given_name", "family_name", "sort_key", "language", "country", "city", "time_zone")


def run(sql: str, params: Sequence[Any] = ()) -> int:
    """Executes one statement; returns the number of rows it touched."""
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return max(cursor.rowcount, 0)


def scalar(sql: str, params: Sequence[Any] = ()) -> int:
    """The one number that a query gives."""
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        row = cursor.fetchone()
        return int(row[0] or 0) if row else 0


def match(job: ImportJob, staging: str) -> tuple[identity.Plan, dict[str, int]]:
    """Finds known records and plans identity; writes nothing but the staging table. Returns the plan and counts."""
    identity.lock()
    repeated = run(
        f"""DELETE FROM {staging} WHERE row_no IN (SELECT row_no FROM (
            SELECT row_no, row_number() OVER (PARTITION BY external_id ORDER BY row_no DESC) AS place FROM {staging}
        ) ranked WHERE place > 1)"""
    )
    run(
        f"""ALTER TABLE {staging} ADD COLUMN record_id bigint, ADD COLUMN customer_id int,
            ADD COLUMN touched bool NOT NULL DEFAULT true, ADD COLUMN fresh bool NOT NULL DEFAULT true,
            ADD COLUMN rule text NOT NULL DEFAULT ''"""
    )
    run(
        f"""UPDATE {staging} s SET record_id = r.id, customer_id = r.customer_id,
            fresh = false, touched = (r.raw IS DISTINCT FROM s.raw OR c.undone_at IS NOT NULL)
            FROM customers_sourcerecord r JOIN customers_customer c ON c.id = r.customer_id
            WHERE r.source_id = %s AND r.external_id = s.external_id""",
        [job.source_id],
    )
    run(f"CREATE UNIQUE INDEX ON {staging} (row_no)")
    run(f"ANALYZE {staging}")
    plan = identity.plan(staging=staging, source=job.source)
    return plan, _counts(staging, plan, repeated)


def _counts(staging: str, plan: identity.Plan, repeated: int) -> dict[str, int]:
    joined = {-node: root for node, root in plan.root.items() if node < 0}
    own_root = sum(1 for row, root in joined.items() if root == -row)
    new_records = scalar(f"SELECT count(*) FROM {staging} WHERE record_id IS NULL")
    return {
        "new_records": new_records,
        "changed_records": scalar(f"SELECT count(*) FROM {staging} WHERE record_id IS NOT NULL AND touched"),
        "unchanged_records": scalar(f"SELECT count(*) FROM {staging} WHERE record_id IS NOT NULL AND NOT touched"),
        "repeated_in_file": repeated,
        "new_customers": new_records - len(joined) + own_root,
        "joined_known": sum(1 for root in joined.values() if root > 0),
        "joined_in_file": sum(1 for row, root in joined.items() if root < 0 and root != -row),
        "merged_customers": len(plan.merges),
        "crowded_keys": plan.crowded,
    }


def write(job: ImportJob, staging: str, plan: identity.Plan, kinds: Sequence[str], now: datetime) -> None:
    """Writes people by the plan. ``kinds`` are the kinds of address this file speaks of: others are left alone."""
    blocks.lock_blocks(
        blocks.blocks_of(one for survivor, absorbed, _rule in plan.merges for one in (survivor, absorbed))
    )
    _assign(staging, plan)
    for rule in identity.KINDS:
        pairs = [(survivor, absorbed) for survivor, absorbed, found in plan.merges if found == rule]
        merging.merge_many(pairs=pairs, rule=rule, now=now, job=job)
    _create_customers(job, staging, now)
    _remember(job, staging)
    _revive(staging, now)
    _write_records(job, staging, now)
    _write_addresses(staging, kinds, now)
    _update_customers(job, staging, now)
    # What this transaction wrote is not in the statistics yet: without them whatever joins it next runs row by row.
    run(f"ANALYZE {staging}, customers_contactpoint, customers_sourcerecord")
    _prefer(staging)


def _assign(staging: str, plan: identity.Plan) -> None:
    """Puts each row's person into customer_id: known, or minus the representing row of a new one."""
    run("DROP TABLE IF EXISTS pg_temp.import_roots")
    run("CREATE TEMP TABLE import_roots (node int, root int, rule text) ON COMMIT DROP")
    with connection.cursor() as cursor, cursor.copy("COPY import_roots FROM STDIN") as copy:
        for node, root in plan.root.items():
            copy.write_row((node, root, plan.rule.get(node, "")))
    run(
        f"""UPDATE {staging} s SET customer_id = t.root, rule = CASE WHEN s.record_id IS NULL THEN t.rule ELSE '' END
            FROM import_roots t WHERE t.node = coalesce(s.customer_id, -s.row_no)"""
    )
    run(f"UPDATE {staging} SET customer_id = -row_no WHERE customer_id IS NULL")


def _create_customers(job: ImportJob, staging: str, now: datetime) -> None:
    """New people, each with an id drawn for a row that is really new."""
    run("DROP TABLE IF EXISTS pg_temp.import_new")
    run(
        f"""CREATE TEMP TABLE import_new ON COMMIT DROP AS
            SELECT customer_id AS node, nextval(pg_get_serial_sequence('customers_customer', 'id'))::int AS id
            FROM (SELECT DISTINCT customer_id FROM {staging} WHERE customer_id < 0 ORDER BY 1 DESC) fresh"""
    )
    names = ", ".join(_FIELDS)
    run(
        f"""INSERT INTO customers_customer (id, {names}, is_business, attributes, customer_since, created_at, updated_at)
            SELECT n.id, {", ".join("s." + name for name in _FIELDS)}, coalesce(s.is_business, false), s.attributes,
                   s.customer_since, %s, %s
            FROM import_new n JOIN {staging} s ON s.row_no = -n.node""",
        [now, now],
    )
    run(f"UPDATE {staging} s SET customer_id = n.id FROM import_new n WHERE n.node = s.customer_id")
    run(f"CREATE INDEX ON {staging} (customer_id)")
    run("CREATE INDEX ON import_new (id)")
    run(f"ANALYZE {staging}")
    run("ANALYZE import_new")


def _remember(job: ImportJob, staging: str) -> None:
    """Keeps what changed records said before, for undo."""
    run(
        f"""INSERT INTO customers_importchange (job_id, kind, object_id, before)
            SELECT %s, 'record', r.id, jsonb_build_object('raw', r.raw, 'last_seen', r.last_seen)
            FROM {staging} s JOIN customers_sourcerecord r ON r.id = s.record_id WHERE s.touched""",
        [job.pk],
    )


def _revive(staging: str, now: datetime) -> None:
    """Somebody whose import was undone comes again: the tombstone becomes the person once more."""
    run(
        f"""UPDATE customers_customer c SET undone_at = NULL, updated_at = %s FROM {staging} s
            WHERE c.id = s.customer_id AND c.undone_at IS NOT NULL""",
        [now],
    )


def _write_records(job: ImportJob, staging: str, now: datetime) -> None:
    run(
        f"""UPDATE customers_sourcerecord r SET raw = s.raw, last_seen = %s FROM {staging} s
            WHERE r.id = s.record_id AND s.touched""",
        [now],
    )
    run(
        f"""INSERT INTO customers_sourcerecord
                (source_id, external_id, customer_id, raw, match_rule, import_job_id, first_seen, last_seen)
            SELECT %s, external_id, customer_id, raw, rule, %s, %s, %s FROM {staging} WHERE record_id IS NULL
            ORDER BY row_no""",
        [job.source_id, job.pk, now, now],
    )
    run(
        f"""UPDATE {staging} s SET record_id = r.id FROM customers_sourcerecord r
            WHERE s.record_id IS NULL AND r.source_id = %s AND r.external_id = s.external_id""",
        [job.source_id],
    )
    run(f"ALTER TABLE {staging} RENAME COLUMN record_id TO source_record_id")


def _write_addresses(staging: str, kinds: Sequence[str], now: datetime) -> None:
    """Adds the addresses of touched rows; an address that a record does not name any more ends, it is not deleted."""
    run("DROP TABLE IF EXISTS pg_temp.import_addresses")
    run(
        f"""CREATE TEMP TABLE import_addresses ON COMMIT DROP AS
            SELECT source_record_id, customer_id, 'email' AS kind, unnest(emails) AS value, '{{}}'::jsonb AS detail,
                   time_zone FROM {staging} WHERE touched
            UNION ALL SELECT source_record_id, customer_id, 'phone', unnest(phones), '{{}}'::jsonb, time_zone
            FROM {staging} WHERE touched
            UNION ALL SELECT source_record_id, customer_id, 'postal', postal, postal_detail, time_zone
            FROM {staging} WHERE touched AND postal IS NOT NULL"""
    )
    run(
        f"""UPDATE customers_contactpoint p SET valid_to = %s FROM {staging} s
            WHERE s.touched AND p.source_record_id = s.source_record_id AND p.valid_to IS NULL AND p.kind = ANY(%s)
              AND NOT EXISTS (SELECT FROM import_addresses a WHERE a.source_record_id = p.source_record_id
                              AND a.kind = p.kind AND a.value = p.value)""",
        [now, list(kinds)],
    )
    expression, keys = hashing.in_sql("value")
    run(
        f"""INSERT INTO customers_contactpoint
               (source_record_id, customer_id, kind, value, hash, detail, time_zone, valid_from, is_preferred)
           SELECT source_record_id, customer_id, kind, value, {expression}, detail, coalesce(time_zone, ''), %s, false
           FROM import_addresses
           ON CONFLICT (source_record_id, kind, value)
           DO UPDATE SET valid_to = NULL, detail = excluded.detail
           WHERE customers_contactpoint.valid_to IS NOT NULL OR customers_contactpoint.detail <> excluded.detail""",
        [*keys, now],
    )


def _update_customers(job: ImportJob, staging: str, now: datetime) -> None:
    """What the touched records say of people known before, or of new people with several rows.

    A record known before has the last word when it changes; a record that has just joined a person only fills gaps:
    the till's "K. Hansen" must not replace the web shop's "Kari Hansen".
    """
    last = ", ".join(
        f"(array_agg(s.{name} ORDER BY row_no DESC) FILTER (WHERE s.{name} <> ''))[1] AS {name}" for name in _FIELDS
    )
    run("DROP TABLE IF EXISTS pg_temp.import_facts")
    run(
        f"""CREATE TEMP TABLE import_facts ON COMMIT DROP AS
            SELECT customer_id, {last},
                   (array_agg(is_business ORDER BY row_no DESC) FILTER (WHERE is_business IS NOT NULL))[1] AS is_business,
                   min(s.customer_since) AS customer_since, array_agg(s.attributes ORDER BY row_no) AS attributes,
                   bool_and(fresh) AS fresh
            FROM {staging} s LEFT JOIN import_new n ON n.id = s.customer_id
            WHERE touched GROUP BY customer_id HAVING count(n.id) <> 1"""
    )
    run(
        """ALTER TABLE import_facts ADD COLUMN merged jsonb;
           UPDATE import_facts SET merged = coalesce(
               (SELECT jsonb_object_agg(pair.key, pair.value ORDER BY part.place)
                FROM unnest(attributes) WITH ORDINALITY AS part(body, place), jsonb_each(part.body) AS pair), '{}')"""
    )
    run(
        "UPDATE import_facts f SET merged = f.merged || c.attributes FROM customers_customer c WHERE f.fresh AND c.id = f.customer_id"
    )
    said = {name: f"coalesce(CASE WHEN f.fresh THEN nullif(c.{name}, '') END, f.{name}, c.{name})" for name in _FIELDS}
    sets = ", ".join(f"{name} = {value}" for name, value in said.items())
    differs = " OR ".join(f"c.{name} <> {value}" for name, value in said.items())
    changed = f"""({differs} OR c.is_business <> coalesce(f.is_business, c.is_business)
        OR c.customer_since IS DISTINCT FROM least(c.customer_since, f.customer_since) OR NOT c.attributes @> f.merged)"""
    before = ", ".join(f"'{name}', c.{name}" for name in (*_FIELDS, "is_business", "customer_since", "attributes"))
    run(
        f"""INSERT INTO customers_importchange (job_id, kind, object_id, before)
            SELECT %s, 'customer', c.id, jsonb_build_object({before})
            FROM import_facts f JOIN customers_customer c ON c.id = f.customer_id LEFT JOIN import_new n ON n.id = c.id
            WHERE {changed} AND n.id IS NULL""",
        [job.pk],
    )
    run(
        f"""UPDATE customers_customer c SET {sets}, is_business = coalesce(f.is_business, c.is_business),
                customer_since = least(c.customer_since, f.customer_since), attributes = c.attributes || f.merged,
                updated_at = %s
            FROM import_facts f WHERE c.id = f.customer_id AND {changed}""",
        [now],
    )


def _prefer(staging: str) -> None:
    """Everybody has one preferred address of each kind they have: the first known, until somebody chooses."""
    run(
        f"""UPDATE customers_contactpoint p SET is_preferred = true FROM (
                SELECT DISTINCT ON (p.customer_id, p.kind) p.id
                FROM customers_contactpoint p JOIN (SELECT DISTINCT customer_id FROM {staging} WHERE touched) s
                  ON s.customer_id = p.customer_id
                WHERE p.valid_to IS NULL AND NOT EXISTS (
                    SELECT FROM customers_contactpoint o WHERE o.customer_id = p.customer_id AND o.kind = p.kind
                    AND o.is_preferred AND o.valid_to IS NULL)
                ORDER BY p.customer_id, p.kind, p.id) first
            WHERE p.id = first.id"""
    )
