"""The Celery application. Tasks live in each app's tasks.py, periodic work in its beat.py."""

import os
from typing import Any

from celery import Celery
from celery.signals import beat_init, worker_init

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("concord")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@worker_init.connect
@beat_init.connect
def attach_services(**_: Any) -> None:
    """Starts the embedded services, where they are used, before the broker is first talked to."""
    from config.embedded import attach_if_used

    attach_if_used()
