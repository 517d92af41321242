"""Periodic work of campaigns. Whatever is missed is done by the next tick: rows decide, not messages."""

# A tick nobody took within its expiry is dropped, so that a busy worker finds no pile of old ones.
SCHEDULE = {
    "plan-due-runs": {"task": "campaigns.plan_due_runs", "schedule": 5.0, "options": {"expires": 5}},
    "work-runs": {"task": "campaigns.work_runs", "schedule": 3.0, "options": {"expires": 3}},
    "sweep-sending": {"task": "campaigns.sweep", "schedule": 20.0, "options": {"expires": 20}},
    "ledger-partitions": {"task": "campaigns.partitions", "schedule": 6 * 3600.0},
    "recount-conflicts": {"task": "campaigns.recount", "schedule": 60.0, "options": {"expires": 60}},
}
