"""What customers lets go of, and when; the days stand in config/retention.toml."""

from datetime import datetime

from django.db import connection

from apps.accounts import retention

from .imports import jobs
from .models import ImportJob


def register() -> None:
    """The rules of customers."""
    retention.register("customers.contactpoint", retention.older("customers_contactpoint", "valid_to < %s"))
    retention.register("customers.importchange", _undo_information)
    retention.register("customers.importjob", _files, batch=50)
    retention.register("customers.interaction", _details)
    retention.register("customers.segmentleaf", retention.older("customers_segmentleaf", "computed_at < %s"))
    retention.register("customers.datarequest", retention.older("customers_datarequest", "answered_at < %s"))


def _undo_information(before: datetime, limit: int) -> int:
    return retention.delete(
        "customers_importchange",
        "job_id IN (SELECT id FROM customers_importjob WHERE finished_at < %s)", before, limit,
    )  # fmt: skip


def _files(before: datetime, limit: int) -> int:
    """The uploaded file and its errors file; the counts stay."""
    old = ImportJob.objects.filter(finished_at__lt=before).exclude(path="", error_path="")[:limit]
    for job in old:
        jobs.forget_files(job)
    return len(old)


def _details(before: datetime, limit: int) -> int:
    """Details go, day, kind and amount stay for the accounts."""
    with connection.cursor() as cursor:
        cursor.execute(
            """UPDATE customers_interaction SET detail = '{}' WHERE id = ANY(ARRAY(
                   SELECT id FROM customers_interaction WHERE at < %s AND detail <> '{}' LIMIT %s))""",
            [before, limit],
        )
        return cursor.rowcount
