"""Periodic work of customers."""

SCHEDULE = {
    "sweep imports": {"task": "apps.customers.tasks.sweep_imports", "schedule": 60.0},
}
