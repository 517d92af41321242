"""Periodic work of campaigns. Whatever is missed is done by the next tick: rows decide, not messages."""

# A tick nobody took within its expiry is dropped, so that a busy worker finds no pile of old ones.
SCHEDULE = {
    "plan-due-runs": {"task": "campaigns.plan_due_runs", "schedule": 5.0, "options": {"expires": 5}},
    **{
        f"work-{family}": {
            "task": "campaigns.work_runs", "schedule": 3.0, "args": [family], "options": {"expires": 3, "queue": family},
        }
        for family in ("email", "text", "lists")
    },
    "sweep-sending": {"task": "campaigns.sweep", "schedule": 20.0, "options": {"expires": 20}},
    "ledger-partitions": {"task": "campaigns.partitions", "schedule": 6 * 3600.0},
    "webhooks": {"task": "campaigns.webhooks", "schedule": 10.0, "options": {"expires": 10}},
    "escalate-conflicts": {"task": "campaigns.escalate", "schedule": 300.0, "options": {"expires": 300}},
    "lost-replans": {"task": "campaigns.lost_replans", "schedule": 60.0, "options": {"expires": 60}},
    "recount-conflicts": {"task": "campaigns.recount", "schedule": 60.0, "options": {"expires": 60}},
}
