"""When the periodic work of channels is done."""

from celery.schedules import crontab

SCHEDULE = {
    "channels.tell_again": {"task": "apps.channels.tasks.tell_again", "schedule": 60.0},
    "channels.forget_old": {"task": "apps.channels.tasks.forget_old", "schedule": crontab(hour=2, minute=40)},
}
