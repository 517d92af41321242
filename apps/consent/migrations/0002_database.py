"""The consent ledger is append-only in the database, and one set-wise function derives the state from it."""

from django.db import migrations

TRIGGERS = """
CREATE TRIGGER consentevent_append_only BEFORE UPDATE OR DELETE ON consent_consentevent
FOR EACH ROW EXECUTE FUNCTION concord_append_only();
CALL concord_note_people_of('consent_consentstate', 'customer_id');
"""

# Any yes grants where nobody ever said no. After a no, only a later yes of the person counts. `people` NULL means
# everybody, `moment` NULL means now.
FOLD = """
CREATE FUNCTION consent_fold(people int[], moment timestamptz)
RETURNS TABLE (customer_id int, channel varchar, purpose_id bigint, granted boolean, at timestamptz,
               opted_out_by_person boolean, event_id bigint)
LANGUAGE sql STABLE AS $$
WITH counted AS (
    SELECT e.customer_id, e.channel, e.purpose_id, e.action, e.at, e.id, e.by_person
    FROM consent_consentevent e
    WHERE (people IS NULL OR e.customer_id = ANY(people)) AND (moment IS NULL OR e.at <= moment) AND e.action <> 'void'
      AND (e.import_job_id IS NULL OR e.action = 'withdraw' OR NOT EXISTS (
          SELECT FROM consent_consentevent v
          WHERE v.customer_id = e.customer_id AND v.channel = e.channel AND v.purpose_id = e.purpose_id
            AND v.action = 'void' AND v.import_job_id = e.import_job_id
            AND (moment IS NULL OR v.at <= moment)))
),
noes AS (
    SELECT DISTINCT ON (customer_id, channel, purpose_id) * FROM counted WHERE action = 'withdraw'
    ORDER BY customer_id, channel, purpose_id, at DESC, id DESC
),
yeses AS (
    SELECT DISTINCT ON (c.customer_id, c.channel, c.purpose_id) c.*
    FROM counted c LEFT JOIN noes n
      ON n.customer_id = c.customer_id AND n.channel = c.channel AND n.purpose_id = c.purpose_id
    WHERE c.action <> 'withdraw' AND (n.id IS NULL OR (c.by_person AND (c.at, c.id) > (n.at, n.id)))
    ORDER BY c.customer_id, c.channel, c.purpose_id, c.at DESC, c.id DESC
)
SELECT customer_id, channel, purpose_id, true, at, false, id FROM yeses
UNION ALL
SELECT n.customer_id, n.channel, n.purpose_id, false, n.at, n.by_person, n.id
FROM noes n WHERE NOT EXISTS (
    SELECT FROM yeses y
    WHERE y.customer_id = n.customer_id AND y.channel = n.channel AND y.purpose_id = n.purpose_id)
$$;
"""

SETTLE = """
CREATE FUNCTION consent_settle(people int[]) RETURNS void LANGUAGE sql AS $$
WITH folded AS MATERIALIZED (SELECT * FROM consent_fold(people, NULL)),
gone AS (
    DELETE FROM consent_consentstate s
    WHERE (people IS NULL OR s.customer_id = ANY(people)) AND NOT EXISTS (
        SELECT FROM folded f
        WHERE f.customer_id = s.customer_id AND f.channel = s.channel AND f.purpose_id = s.purpose_id)
)
INSERT INTO consent_consentstate AS s
    (customer_id, channel, purpose_id, granted, at, opted_out_by_person, event_id)
SELECT customer_id, channel, purpose_id, granted, at, opted_out_by_person, event_id FROM folded
ON CONFLICT (customer_id, channel, purpose_id) DO UPDATE SET
    granted = excluded.granted, at = excluded.at, opted_out_by_person = excluded.opted_out_by_person,
    event_id = excluded.event_id
WHERE (s.granted, s.at, s.opted_out_by_person, s.event_id)
    IS DISTINCT FROM (excluded.granted, excluded.at, excluded.opted_out_by_person, excluded.event_id)
$$;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("consent", "0001_initial"),
        ("accounts", "0002_database"),
        ("customers", "0002_database"),
    ]

    operations = [
        migrations.RunSQL(
            TRIGGERS,
            "DROP TRIGGER consentevent_append_only ON consent_consentevent; "
            "; ".join(f"DROP TRIGGER consent_consentstate_noted_{event} ON consent_consentstate" for event in "iudt"),
        ),
        migrations.RunSQL(FOLD, "DROP FUNCTION consent_fold(int[], timestamptz)"),
        migrations.RunSQL(SETTLE, "DROP FUNCTION consent_settle(int[])"),
    ]
