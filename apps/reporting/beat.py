"""Periodic work of reporting. A missed night is caught up by the next: days with news mark themselves."""

from celery.schedules import crontab

SCHEDULE = {
    "rebuild-stale-facts": {"task": "reporting.rebuild_stale", "schedule": 300.0, "options": {"expires": 300}},
    "rebuild-nightly-facts": {"task": "reporting.rebuild_nightly", "schedule": crontab(hour=1, minute=20)},
}
