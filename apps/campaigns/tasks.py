"""Where Celery finds the tasks of this app; each part keeps its own beside what it does."""

from .conflicts import tasks as conflict_tasks
from .replan.tasks import replan
from .sending import tasks as sending_tasks

__all__ = ["conflict_tasks", "replan", "sending_tasks"]
