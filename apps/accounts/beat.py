"""Periodic work of accounts."""

from celery.schedules import crontab

SCHEDULE = {
    "accounts.let_go": {"task": "apps.accounts.tasks.let_go", "schedule": crontab(hour=2, minute=40)},
    "mail-news": {"task": "accounts.mail_news", "schedule": 60.0, "options": {"expires": 60}},
}
