"""Two imports at the same time, and one whose database connection is cut."""

import threading
from contextlib import suppress

import pytest
from django.db import DatabaseError, connection

from apps.customers import tasks
from apps.customers.imports import customers, jobs, process, staging
from apps.customers.imports.mapping import Mapping
from apps.customers.models import Customer, ImportJob, SourceRecord
from tests.customers.importing import BASICS, NOW, upload

pytestmark = pytest.mark.django_db(transaction=True)
TARGETS = {key: BASICS[key] for key in ("source_id", "email", "name")}


def ready(source):
    rows = "".join(f"{n},person{n}@example.no,Kari {n}\n" for n in range(300))
    job = upload("id,email,name\n" + rows, source=source)
    jobs.save_mapping(job=job, mapping=Mapping(TARGETS), now=NOW)
    return jobs.begin(job_id=job.pk, dry=False, actor=None, now=NOW)


def run(job):
    try:
        process.process(job_id=job.pk, now=NOW)
    finally:
        connection.close()


def test_two_files_with_the_same_people_at_once_make_each_person_once():
    workers = [threading.Thread(target=run, args=[ready(source)]) for source in ("shop", "till")]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert set(ImportJob.objects.values_list("status", flat=True)) == {"done"}
    assert (Customer.objects.count(), SourceRecord.objects.count()) == (300, 600)


def test_the_same_job_taken_twice_at_once_is_done_once():
    job = ready("shop")
    workers = [threading.Thread(target=run, args=[job]) for _worker in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert SourceRecord.objects.count() == 300


def test_an_import_whose_connection_is_cut_while_writing_leaves_nothing(monkeypatch):
    job = ready("shop")

    def cut(staging):
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")

    with monkeypatch.context() as broken:
        broken.setattr(customers, "_prefer", cut)
        worker = threading.Thread(target=_run_and_die, args=[job])
        worker.start()
        worker.join()
    job.refresh_from_db()
    assert (job.status, Customer.objects.count()) == ("failed", 0)
    run_again(job)


def test_an_import_whose_process_is_killed_is_taken_up_by_the_next_sweep():
    """A killed process says nothing: the job stays "running", what it staged stays, and its lock is free."""
    job = ready("shop")
    ImportJob.objects.filter(pk=job.pk).update(status="running", rows_done=120)
    staging.create(job, [("row_no", "int")])
    assert jobs.orphans() == [job.pk]
    tasks.sweep_imports()
    job.refresh_from_db()
    assert (job.status, Customer.objects.count()) == ("done", 300)
    assert jobs.orphans() == []


def run_again(job):
    jobs.begin(job_id=job.pk, dry=False, actor=None, now=NOW)
    assert process.process(job_id=job.pk, now=NOW).status == "done"
    assert Customer.objects.count() == 300


def _run_and_die(job):
    with suppress(DatabaseError):
        process.process(job_id=job.pk, now=NOW)
    connection.close()
