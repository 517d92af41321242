"""Files that are wrong, broken or meant to harm: a clear message, nothing half-done."""

import csv
import json

import pytest

from apps.core.formulas import defuse, is_formula
from apps.customers.imports import jobs, process, reading, staging
from apps.customers.imports.dialect import FileRefused
from apps.customers.imports.mapping import Mapping
from apps.customers.models import Customer, ImportJob
from tests.customers.importing import NOW, errors, imported, upload
from tests.shared_data import shared

pytestmark = pytest.mark.django_db
ID_AND_NAME = {"source_id": "{id}", "name": "{name}"}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"PK\x03\x04" + b"\x00" * 200, "Excel"),
        (b"%PDF-1.7 ...", "PDF"),
        (bytes(range(256)) * 20, "not a text file"),
        (b"", "empty"),
        (b"   \n", "empty"),
        (b"\x1f\x8b\x08\x00broken", "damaged"),
    ],
)
def test_a_file_that_is_no_table_is_refused_in_words_and_not_kept(content, words, settings):
    with pytest.raises(FileRefused, match=words):
        upload(content)
    assert not ImportJob.objects.exists()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_unicode_encodings_are_found(encoding):
    imported("id,name\n1,Ødegård Łukasz\n".encode(encoding), ID_AND_NAME)
    assert Customer.objects.get().name == "Ødegård Łukasz"


@pytest.mark.parametrize(
    ("encoding", "name"),
    [("cp1252", "Bjørn Sæther Ødegård"), ("iso-8859-2", "Małgorzata Żółć"), ("cp1250", "Agnieszka Wiśniewska Źdźbło")],
)
def test_older_encodings_are_found(encoding, name):
    rows = "".join(f"{n},{name}\n" for n in range(20))
    imported(("id,name\n" + rows).encode(encoding), ID_AND_NAME)
    assert set(Customer.objects.values_list("name", flat=True)) == {name}


def test_an_encoding_can_be_asked_for():
    imported("id,name\n1,Zażółć\n".encode("iso-8859-2"), ID_AND_NAME, encoding="iso-8859-2")
    assert Customer.objects.get().name == "Zażółć"


def test_mixed_encodings_are_told_by_row():
    good = "".join(f"{n},Bjørn\n" for n in range(50)).encode()
    job = imported(b"id,name\n" + good + "90,Bjørn\n".encode("cp1252") + "91,Åse\n".encode(), ID_AND_NAME)
    assert (job.rows_refused, Customer.objects.count()) == (1, 51)
    assert "another encoding" in errors(job)
    assert "\n52," in errors(job)


def test_a_quote_never_closed_refuses_the_file_and_says_where():
    job = imported('id,name\n1,Kari\n2,"Ola\n3,Per\n', ID_AND_NAME)
    assert job.status == "failed"
    assert "line 3" in job.message
    assert not Customer.objects.exists()


def test_200_megabytes_in_one_cell_do_not_fill_the_memory(monkeypatch):
    monkeypatch.setattr(reading, "LINE_LIMIT", 100_000)
    job = imported("id,name\n1,Kari\n2," + "x" * 300_000 + "\n", ID_AND_NAME)
    assert job.status == "failed"
    assert "longer than" in job.message
    assert not Customer.objects.exists()


def test_a_huge_quoted_cell_over_many_lines_is_refused():
    job = imported('id,name\n1,"' + "xxxxxxxxx\n" * 150_000 + '"\n', ID_AND_NAME)
    assert job.status == "failed"
    assert "1 MB" in job.message


def test_rows_of_another_width_are_told():
    job = imported("id,name\n1,Kari\n2\n3,Per,extra\n4,Liv,\n", ID_AND_NAME)
    assert (Customer.objects.count(), job.rows_refused) == (2, 2)
    assert "1 cells" in errors(job)


def test_a_missing_column_is_told_before_anything_is_read():
    job = upload("id,name\n1,Kari\n")
    found = jobs.save_mapping(job=job, mapping=Mapping({"source_id": "{id}", "email": "{E-mail}"}), now=NOW)
    assert any("E-mail" in words for words in found)
    with pytest.raises(jobs.NotNow):
        jobs.begin(job_id=job.pk, dry=False, actor=None, now=NOW)


def test_an_unknown_target_is_told():
    job = upload("id,name\n1,Kari\n")
    assert jobs.problems(job, Mapping({"source_id": "{id}", "shoe_size": "{name}"}))


def test_a_zero_byte_deep_in_the_file_refuses_its_row_only():
    many = b"".join(b"%d,Kari\n" % n for n in range(40_000))
    job = imported(b"id,name\n" + many + b"x,O\x00la\n", ID_AND_NAME)
    assert (Customer.objects.count(), job.rows_refused) == (40_000, 1)


def test_formula_cells_are_kept_as_text_and_told():
    job = imported("id,name\n1,=cmd()\n2,\"@SUM(1+9)*cmd|' /C calc'!A0\"\n", ID_AND_NAME)
    assert Customer.objects.filter(name="=cmd()").exists()
    assert job.counts["formula_rows"] == 2


def test_the_errors_file_cannot_run_formulas():
    job = imported("id,email\n=2+5+cmd|' /C calc'!A0,nonsense\n", {"source_id": "{id}", "email": "{email}"})
    with open(job.error_path, encoding="utf-8-sig") as file:
        cells = [cell for row in csv.reader(file) for cell in row]
    assert not [cell for cell in cells if is_formula(cell)]


@pytest.mark.skipif(not shared("edge").exists(), reason="shared data is absent")
def test_known_injection_payloads_are_made_harmless():
    payloads = shared("edge/csv_injection_payloads.txt").read_text(encoding="utf-8").splitlines()
    assert [one for one in payloads if one.startswith(("=", "+", "-", "@"))]
    assert not [one for one in payloads if is_formula(defuse(one))]
    assert defuse("-5") == "-5"


@pytest.mark.skipif(not shared("edge/csv-spectrum").exists(), reason="shared data is absent")
@pytest.mark.parametrize("path", sorted(shared("edge/csv-spectrum/csvs").glob("*.csv")), ids=lambda path: path.stem)
def test_csv_spectrum_reads_as_published(path, settings):
    job = upload(path.read_bytes())
    rows = [dict(zip(job.columns, row, strict=True)) for row in jobs.sample(job, 50)]
    expected = json.loads((path.parents[1] / "json" / f"{path.stem}.json").read_bytes().decode("utf-8", "replace"))
    expected = expected if isinstance(expected, list) else [expected]
    if path.stem == "location_coordinates":
        assert [row["Cities"] for row in rows] == [row["Cities"] for row in expected]
    else:
        assert rows == expected


def test_a_cancelled_import_writes_nothing_and_can_be_started_again(monkeypatch):
    job = upload("id,name\n1,Kari\n")
    jobs.save_mapping(job=job, mapping=Mapping(ID_AND_NAME), now=NOW)
    jobs.begin(job_id=job.pk, dry=False, actor=None, now=NOW)
    jobs.cancel(job_id=job.pk, actor=None, now=NOW)
    assert process.process(job_id=job.pk, now=NOW).status == "cancelled"
    assert not Customer.objects.exists()
    jobs.begin(job_id=job.pk, dry=False, actor=None, now=NOW)
    assert process.process(job_id=job.pk, now=NOW).status == "done"


def test_a_second_click_on_start_does_nothing():
    job = imported("id,name\n1,Kari\n", ID_AND_NAME)
    assert process.process(job_id=job.pk, now=NOW).status == "done"
    with pytest.raises(jobs.NotNow):
        jobs.begin(job_id=job.pk, dry=False, actor=None, now=NOW)
    assert Customer.objects.count() == 1


def test_an_import_that_dies_while_writing_leaves_nothing_half_done(monkeypatch):
    job = upload("id,name\n1,Kari\n2,Ola\n")
    jobs.save_mapping(job=job, mapping=Mapping(ID_AND_NAME), now=NOW)
    jobs.begin(job_id=job.pk, dry=False, actor=None, now=NOW)
    with monkeypatch.context() as broken:
        broken.setattr("apps.customers.imports.customers._prefer", lambda staging: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            process.process(job_id=job.pk, now=NOW)
    job.refresh_from_db()
    assert (job.status, Customer.objects.count()) == ("failed", 0)
    jobs.begin(job_id=job.pk, dry=False, actor=None, now=NOW)
    assert process.process(job_id=job.pk, now=NOW).counts["new_customers"] == 2


def test_what_a_killed_job_staged_is_swept():
    job = upload("id,name\n1,Kari\n")
    staging.create(job, [("row_no", "int")])
    assert staging.sweep(alive=set()) == [staging.table(job).strip('"')]
