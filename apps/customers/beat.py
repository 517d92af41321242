"""Periodic work of customers."""

SCHEDULE = {
    "sweep imports": {"task": "apps.customers.tasks.sweep_imports", "schedule": 60.0},
    "refresh segments": {"task": "apps.customers.tasks.refresh_segments", "schedule": 600.0},
}
