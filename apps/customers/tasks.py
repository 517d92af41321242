"""Background work of customers. Arguments are ids; any task may run twice, late or never: the rows decide."""

import logging

from celery import shared_task

from apps.core import clock
from apps.customers import segments
from apps.customers.imports import jobs, process
from apps.customers.models import Segment
from apps.customers.segments import leaves

log = logging.getLogger(__name__)


@shared_task
def run_import(job_id: int) -> None:
    """Tries or imports one file."""
    process.process(job_id=job_id, now=clock.now())


@shared_task
def sweep_imports() -> None:
    """Takes up imports whose worker died; drops what they had staged."""
    for job_id in jobs.orphans():
        run_import.delay(job_id)


@shared_task
def refresh_segments() -> None:
    """Counts every segment that is in use anew; unchanged conditions come from the cache."""
    now = clock.now()
    for segment in Segment.objects.filter(archived_at=None):
        try:
            segments.refresh(segment, now=now)
        except segments.BrokenRule as error:
            log.warning("segment %s cannot be counted: %s", segment.pk, error)
    leaves.forget_before(segments.moment(now))
