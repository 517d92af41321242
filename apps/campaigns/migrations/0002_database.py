"""What PostgreSQL is told beyond the models.

The ledger is partitioned by the day of the run and append-only in the database. Months get a partition of their own from
``apps.campaigns.sending.partitions``; the default partition takes what has none yet.

Planned audiences are stored as they are: roaring bitmaps are packed already, compressing the largest of them saved a tenth and
took a third of the time in which all were read.
"""

from django.db import migrations

LEDGER = """
ALTER TABLE campaigns_delivery RENAME TO campaigns_delivery_plain;
CREATE TABLE campaigns_delivery (LIKE campaigns_delivery_plain INCLUDING DEFAULTS)
    PARTITION BY RANGE (run_day);
DROP TABLE campaigns_delivery_plain;
ALTER TABLE campaigns_delivery ADD PRIMARY KEY (run_day, run_id, customer_id);
CREATE INDEX delivery_customer ON campaigns_delivery (customer_id, at);
CREATE INDEX delivery_run ON campaigns_delivery (run_id, outcome);
CREATE TABLE campaigns_delivery_default PARTITION OF campaigns_delivery DEFAULT;
CREATE TRIGGER delivery_append_only BEFORE UPDATE OR DELETE ON campaigns_delivery
FOR EACH ROW EXECUTE FUNCTION concord_append_only();
"""

AUDIENCES = "ALTER TABLE campaigns_message ALTER COLUMN plan_audience SET STORAGE EXTERNAL"


class Migration(migrations.Migration):
    dependencies = [("campaigns", "0001_initial"), ("accounts", "0002_database")]

    operations = [migrations.RunSQL(LEDGER, migrations.RunSQL.noop), migrations.RunSQL(AUDIENCES, migrations.RunSQL.noop)]
