"""Append-only tables are append-only in the database, except for erasure and retention."""

from django.db import migrations

FUNCTION = """
CREATE OR REPLACE FUNCTION concord_append_only() RETURNS trigger AS $$
BEGIN
    IF current_setting('concord.allow_erasure', true) = 'on' THEN
        RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
    END IF;
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$ LANGUAGE plpgsql;
"""

TRIGGER = """
CREATE TRIGGER auditevent_append_only BEFORE UPDATE OR DELETE ON accounts_auditevent
FOR EACH ROW EXECUTE FUNCTION concord_append_only();
"""


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_initial")]

    operations = [
        migrations.RunSQL(FUNCTION, "DROP FUNCTION concord_append_only()"),
        migrations.RunSQL(TRIGGER, "DROP TRIGGER auditevent_append_only ON accounts_auditevent"),
    ]
