"""When the periodic work of channels is done."""

SCHEDULE = {
    "channels.tell_again": {"task": "apps.channels.tasks.tell_again", "schedule": 60.0},
}
