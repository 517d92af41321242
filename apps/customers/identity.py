"""Exact identity: who in a batch of source records is whom, by e-mail, phone and ids across sources.

The keys of a batch and the keys already known form groups; groups that share somebody are one person (union-find).
PostgreSQL finds the groups, set-wise; only groups of two and more come here. A key that stands on more than
``settings.IDENTITY_KEY_LIMIT`` source records identifies nobody: info@ of a shop, the number of a switchboard, "none@none.com".
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from django.conf import settings
from django.db import connection

from apps.customers.merging import alias_group, parted_pairs, survivor_map
from apps.customers.models import Source

__all__ = ["Plan", "alias_group", "plan", "survivor_map"]

# Trust in the kinds of key: the surest joins first, so that a parted pair stays apart on the weaker one.
KINDS = ("id", "email", "phone")
IDENTITY_LOCK = 0x49444E54


@dataclass
class Plan:
    """What a batch means for identity. Nodes are customer ids (positive) and minus row numbers of new records.

    ``root`` names each grouped node's person: an existing customer if there is one (the oldest), else a new node.
    ``rule`` says by which kind of key a node was joined. ``merges`` are (survivor, absorbed) among existing customers.
    ``crowded`` is how many keys were left aside because too many records share them.
    """

    root: dict[int, int] = field(default_factory=dict)
    rule: dict[int, str] = field(default_factory=dict)
    merges: list[tuple[int, int, str]] = field(default_factory=list)
    crowded: int = 0


def lock() -> None:
    """Two batches never decide about identity at once: the second would not see whom the first creates."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [IDENTITY_LOCK])


def plan(*, staging: str, source: Source) -> Plan:
    """Groups the rows of a staging table that are new or changed with each other and with known customers.

    The table has row_no, external_id, emails, phones, others, record_id, customer_id, touched. Nothing is written.
    """
    with connection.cursor() as cursor:
        _collect_keys(cursor, staging, source)
        _collect_members(cursor, settings.IDENTITY_KEY_LIMIT)
        cursor.execute("SELECT count(*) FROM identity_keys WHERE crowded")
        made = Plan(crowded=cursor.fetchone()[0])
        cursor.execute(
            "SELECT kind, array_agg(DISTINCT node) FROM identity_members GROUP BY kind, value HAVING count(DISTINCT node) > 1"
        )
        groups = sorted(cursor.fetchall(), key=lambda group: KINDS.index(group[0]))
    _unite(made, groups)
    return made


def _collect_keys(cursor, staging: str, source: Source) -> None:  # type: ignore[no-untyped-def]
    """All keys of the touched rows: which node has which key."""
    cursor.execute("DROP TABLE IF EXISTS pg_temp.identity_nodes, pg_temp.identity_keys, pg_temp.identity_members")
    cursor.execute(
        f"""
        CREATE TEMP TABLE identity_nodes ON COMMIT DROP AS
        SELECT 'email' AS kind, unnest(emails) AS value, coalesce(customer_id, -row_no) AS node, record_id, row_no
        FROM {staging} WHERE touched
        UNION ALL
        SELECT 'phone', unnest(phones), coalesce(customer_id, -row_no), record_id, row_no FROM {staging} WHERE touched
        UNION ALL
        SELECT 'id', unnest(others), coalesce(customer_id, -row_no), record_id, row_no FROM {staging} WHERE touched
        UNION ALL
        SELECT 'id', %s || ':' || external_id, coalesce(customer_id, -row_no), record_id, row_no
        FROM {staging} WHERE touched AND external_id NOT LIKE '~%%'
        """,
        [source.code],
    )
    cursor.execute("CREATE INDEX ON identity_nodes (kind, value)")
    cursor.execute("ANALYZE identity_nodes")


def _collect_members(cursor, limit: int) -> None:  # type: ignore[no-untyped-def]
    """Who has each key, known people included; keys on too many source records are marked and give no members."""
    cursor.execute(
        """
        CREATE TEMP TABLE identity_keys ON COMMIT DROP AS
        WITH wanted AS (SELECT DISTINCT kind, value FROM identity_nodes),
        known AS (
            SELECT w.kind, w.value, p.customer_id, p.source_record_id AS record_id
            FROM wanted w JOIN customers_contactpoint p ON p.kind = w.kind AND p.value = w.value
            WHERE p.valid_to IS NULL
            UNION ALL
            SELECT w.kind, w.value, r.customer_id, r.id
            FROM wanted w
            JOIN customers_source s ON s.code = split_part(w.value, ':', 1)
            JOIN customers_sourcerecord r
              ON r.source_id = s.id AND r.external_id = substr(w.value, strpos(w.value, ':') + 1)
            WHERE w.kind = 'id'
        ),
        holders AS (
            SELECT kind, value, record_id FROM known
            UNION SELECT kind, value, coalesce(record_id, -row_no) FROM identity_nodes
        ),
        counted AS (SELECT kind, value, count(*) AS records FROM holders GROUP BY kind, value)
        SELECT c.kind, c.value, c.records > %s AS crowded, array_remove(array_agg(DISTINCT k.customer_id), NULL) AS people
        FROM counted c LEFT JOIN known k USING (kind, value) GROUP BY c.kind, c.value, c.records
        """,
        [limit],
    )
    cursor.execute(
        """
        CREATE TEMP TABLE identity_members ON COMMIT DROP AS
        SELECT n.kind, n.value, n.node FROM identity_nodes n JOIN identity_keys k USING (kind, value) WHERE NOT k.crowded
        UNION SELECT kind, value, unnest(people) FROM identity_keys WHERE NOT crowded
        """
    )


class _Groups:
    """Union-find in which two customers that somebody parted never meet."""

    def __init__(self, parted: set[tuple[int, int]]) -> None:
        self.parent: dict[int, int] = {}
        self.bars: dict[int, set[int]] = {}
        self.members: dict[int, set[int]] = {}
        for one, other in parted:
            self.bars.setdefault(one, set()).add(other)
            self.bars.setdefault(other, set()).add(one)

    def find(self, node: int) -> int:
        parent = self.parent.setdefault(node, node)
        while parent != node:
            self.parent[node] = self.parent[parent]
            node, parent = parent, self.parent[parent]
        return node

    def unite(self, one: int, other: int) -> bool:
        """Joins two groups under the better root; False when they were one already or must stay apart."""
        one, other = self.find(one), self.find(other)
        if one == other:
            return False
        if self.bars:
            mine, theirs = self.members.get(one, {one}), self.members.get(other, {other})
            if any(self.bars.get(person, set()) & theirs for person in mine):
                return False
        root, child = (one, other) if _rank(one) <= _rank(other) else (other, one)
        self.parent[child] = root
        if self.bars:
            self.members[root] = self.members.get(one, {one}) | self.members.get(other, {other})
        return True


def _rank(node: int) -> tuple[bool, int]:
    """Known customers before new rows, the oldest first."""
    return (node < 0, abs(node))


def _unite(made: Plan, groups: Iterable[tuple[str, list[int]]]) -> None:
    groups = list(groups)
    known = {node for _kind, nodes in groups for node in nodes if node > 0}
    united = _Groups(parted_pairs(known) if known else set())
    for kind, nodes in groups:
        first, *others = sorted(nodes, key=_rank)
        for node in others:
            if united.unite(first, node):
                made.rule.setdefault(node, kind)
                if first < 0:
                    made.rule.setdefault(first, kind)
    made.root = {node: united.find(node) for node in united.parent}
    made.merges = sorted(
        (root, node, made.rule.get(node, "id"))
        for node, root in made.root.items()
        if node > 0 and root != node and root > 0
    )
