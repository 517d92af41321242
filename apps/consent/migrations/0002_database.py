"""The consent ledger is append-only in the database."""

from django.db import migrations

TRIGGER = """
CREATE TRIGGER consentevent_append_only BEFORE UPDATE OR DELETE ON consent_consentevent
FOR EACH ROW EXECUTE FUNCTION concord_append_only();
"""


class Migration(migrations.Migration):
    dependencies = [("consent", "0001_initial"), ("accounts", "0002_database")]

    operations = [
        migrations.RunSQL(TRIGGER, "DROP TRIGGER consentevent_append_only ON consent_consentevent"),
    ]
