"""Fast search by a part of a name, and a trace of every change that segments depend on."""

from django.db import migrations

SEARCH = """
CREATE EXTENSION IF NOT EXISTS pg_trgm;
CREATE INDEX customer_name_part ON customers_customer USING gin (sort_key gin_trgm_ops);
"""

# An insert never waits for another transaction here: only the same transaction can meet its own line. It then gets a new id,
# so that whoever has seen the line before sees that it has changed.
FUNCTION = """
CREATE OR REPLACE FUNCTION concord_note_line(subject text, people int[]) RETURNS void AS $$
    INSERT INTO customers_datachange (subject, transaction, changes, touched)
    VALUES (subject, pg_current_xact_id()::text::bigint, 1, people)
    ON CONFLICT (subject, transaction) DO UPDATE SET
        id = EXCLUDED.id,
        changes = customers_datachange.changes + 1,
        touched = CASE WHEN cardinality(customers_datachange.touched) + cardinality(EXCLUDED.touched) <= 5000
                  THEN customers_datachange.touched || EXCLUDED.touched END;
$$ LANGUAGE sql;

CREATE OR REPLACE FUNCTION concord_note_change() RETURNS trigger AS $$
BEGIN
    PERFORM concord_note_line(TG_TABLE_NAME, NULL);
    RETURN NULL;
END $$ LANGUAGE plpgsql;

-- TG_ARGV[0] gives the customers of a row. Beyond 5,000 rows it is not worth knowing whom a change touched.
CREATE OR REPLACE FUNCTION concord_note_people() RETURNS trigger AS $$
DECLARE
    source text := CASE TG_OP WHEN 'INSERT' THEN 'SELECT * FROM new_rows' WHEN 'DELETE' THEN 'SELECT * FROM old_rows'
                   ELSE 'SELECT * FROM new_rows UNION ALL SELECT * FROM old_rows' END;
    people int[];
BEGIN
    EXECUTE format(
        'SELECT array_agg(one) FROM (
            SELECT one FROM (SELECT %s AS one FROM (%s) changed) named WHERE one IS NOT NULL LIMIT 5001) few',
        TG_ARGV[0], source)
    INTO people;
    IF people IS NOT NULL THEN
        PERFORM concord_note_line(TG_TABLE_NAME, CASE WHEN cardinality(people) <= 5000 THEN people END);
    END IF;
    RETURN NULL;
END $$ LANGUAGE plpgsql;

CREATE OR REPLACE PROCEDURE concord_note_people_of(tab text, col text) AS $$
BEGIN
    EXECUTE format('CREATE TRIGGER %1$s_noted_i AFTER INSERT ON %1$s REFERENCING NEW TABLE AS new_rows
                    FOR EACH STATEMENT EXECUTE FUNCTION concord_note_people(%2$L)', tab, col);
    EXECUTE format('CREATE TRIGGER %1$s_noted_u AFTER UPDATE ON %1$s REFERENCING NEW TABLE AS new_rows OLD TABLE AS old_rows
                    FOR EACH STATEMENT EXECUTE FUNCTION concord_note_people(%2$L)', tab, col);
    EXECUTE format('CREATE TRIGGER %1$s_noted_d AFTER DELETE ON %1$s REFERENCING OLD TABLE AS old_rows
                    FOR EACH STATEMENT EXECUTE FUNCTION concord_note_people(%2$L)', tab, col);
    EXECUTE format('CREATE TRIGGER %1$s_noted_t AFTER TRUNCATE ON %1$s
                    FOR EACH STATEMENT EXECUTE FUNCTION concord_note_change()', tab);
END $$ LANGUAGE plpgsql;
"""
UNFUNCTION = """
DROP PROCEDURE concord_note_people_of(text, text);
DROP FUNCTION concord_note_people();
DROP FUNCTION concord_note_change();
DROP FUNCTION concord_note_line(text, int[]);
"""

# Whoever changes an address need not know its hash: the gate computes it anew.
STALE_HASH = """
CREATE FUNCTION concord_forget_hash() RETURNS trigger AS $$
BEGIN
    NEW.hash := '';
    RETURN NEW;
END $$ LANGUAGE plpgsql;
CREATE TRIGGER customers_contactpoint_changed BEFORE UPDATE OF value ON customers_contactpoint
FOR EACH ROW WHEN (OLD.value IS DISTINCT FROM NEW.value) EXECUTE FUNCTION concord_forget_hash();
"""

PEOPLE = {
    "customers_customer": "unnest(ARRAY[id, merged_into_id])",
    "customers_contactpoint": "customer_id",
    "customers_sourcerecord": "customer_id",
    "customers_interaction": "customer_id",
}
GOODS = ["customers_product", "customers_category"]
TRIGGERS = "".join(f"CALL concord_note_people_of('{table}', '{column}');\n" for table, column in PEOPLE.items()) + "".join(
    f"CREATE TRIGGER {table}_noted AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON {table} "
    "FOR EACH STATEMENT EXECUTE FUNCTION concord_note_change();\n"
    for table in GOODS
)
UNTRIGGER = "".join(
    f"DROP TRIGGER {table}_noted_{event} ON {table};\n" for table in PEOPLE for event in "iudt"
) + "".join(f"DROP TRIGGER {table}_noted ON {table};\n" for table in GOODS)


class Migration(migrations.Migration):
    dependencies = [("customers", "0001_initial")]

    operations = [
        migrations.RunSQL(SEARCH, "DROP INDEX customer_name_part"),
        migrations.RunSQL(FUNCTION, UNFUNCTION),
        migrations.RunSQL(TRIGGERS, UNTRIGGER),
        migrations.RunSQL(
            STALE_HASH,
            "DROP TRIGGER customers_contactpoint_changed ON customers_contactpoint; DROP FUNCTION concord_forget_hash()",
        ),
    ]
