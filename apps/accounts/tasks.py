"""Periodic work of accounts: news by e-mail; what every app has kept long enough is let go of."""

from celery import shared_task

from apps.core import clock

from . import mailing, retention


@shared_task
def let_go() -> dict[str, int]:
    """Every retention rule once; how much of what."""
    return {line.rule: line.count for line in retention.run(now=clock.now())}


@shared_task(name="accounts.mail_news")
def mail_news() -> int:
    """Sends news by e-mail to those who want it that way; how many mails left."""
    return mailing.mail_news(now=clock.now())
