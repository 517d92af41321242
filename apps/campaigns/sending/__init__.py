"""The sending engine: plan, claim, attempt, settle, sweep. Rows in PostgreSQL decide; Celery only carries work."""
