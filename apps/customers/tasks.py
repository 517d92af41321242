"""Background work of customers. Arguments are ids; any task may run twice, late or never: the rows decide."""

from celery import shared_task

from apps.core import clock
from apps.customers.imports import jobs, process


@shared_task
def run_import(job_id: int) -> None:
    """Tries or imports one file."""
    process.process(job_id=job_id, now=clock.now())


@shared_task
def sweep_imports() -> None:
    """Takes up imports whose worker died; drops what they had staged."""
    for job_id in jobs.orphans():
        run_import.delay(job_id)
