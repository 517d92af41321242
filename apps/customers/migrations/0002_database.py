"""Fast search by a part of a name, and a trace of every change that segments depend on."""

from django.db import migrations

SEARCH = """
CREATE EXTENSION IF NOT EXISTS pg_trgm;
CREATE INDEX customer_name_part ON customers_customer USING gin (sort_key gin_trgm_ops);
"""

# An insert never waits for another transaction here: only the same transaction can meet its own line.
FUNCTION = """
CREATE OR REPLACE FUNCTION concord_note_change() RETURNS trigger AS $$
BEGIN
    INSERT INTO customers_datachange (subject, transaction, changes)
    VALUES (TG_TABLE_NAME, pg_current_xact_id()::text::bigint, 1)
    ON CONFLICT (subject, transaction) DO UPDATE SET changes = customers_datachange.changes + 1;
    RETURN NULL;
END $$ LANGUAGE plpgsql;
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

TABLES = [
    "customers_customer",
    "customers_contactpoint",
    "customers_sourcerecord",
    "customers_interaction",
    "customers_product",
    "customers_category",
]
TRIGGERS = "".join(
    f"CREATE TRIGGER {table}_noted AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON {table} "
    "FOR EACH STATEMENT EXECUTE FUNCTION concord_note_change();\n"
    for table in TABLES
)
UNTRIGGER = "".join(f"DROP TRIGGER {table}_noted ON {table};\n" for table in TABLES)


class Migration(migrations.Migration):
    dependencies = [("customers", "0001_initial")]

    operations = [
        migrations.RunSQL(SEARCH, "DROP INDEX customer_name_part"),
        migrations.RunSQL(FUNCTION, "DROP FUNCTION concord_note_change()"),
        migrations.RunSQL(TRIGGERS, UNTRIGGER),
        migrations.RunSQL(
            STALE_HASH,
            "DROP TRIGGER customers_contactpoint_changed ON customers_contactpoint; DROP FUNCTION concord_forget_hash()",
        ),
    ]
