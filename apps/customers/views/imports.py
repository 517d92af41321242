"""Imports: list, upload, mapping, dry run, run with progress, errors, cancel, undo."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.db import transaction
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from apps.accounts import access, audit
from apps.core import clock
from apps.core.fields import code_of
from apps.core.http import render_page
from apps.customers import tasks
from apps.customers.imports import jobs, report, targets, undo, values
from apps.customers.imports.dialect import ENCODINGS, FileRefused
from apps.customers.imports.mapping import Mapping
from apps.customers.imports.values import DATE_ORDERS
from apps.customers.models import ImportJob, Source
from apps.customers.models.imports import ImportKind

_PLANNERS = ("marketer", "lead", "administrator")
_DELIMITERS = [("", gettext_lazy("find it")), (",", ","), (";", ";"), ("\t", gettext_lazy("tab")), ("|", "|")]
_ENCODINGS = [("", gettext_lazy("find it")), *((name, name) for name in ENCODINGS)]


class UploadForm(forms.Form):
    """Which file, from where, of what."""

    file = forms.FileField(label=gettext_lazy("CSV file"), help_text=gettext_lazy("Plain or gzip, with a header row."))
    kind = forms.ChoiceField(label=gettext_lazy("What is in it"), choices=ImportKind.choices)
    source = forms.ModelChoiceField(
        Source.objects.all(), label=gettext_lazy("Which system it comes from"), required=False,
        empty_label=gettext_lazy("a new one"),
    )  # fmt: skip
    new_source = forms.CharField(label=gettext_lazy("Name of the new system"), max_length=40, required=False)
    country = forms.CharField(
        label=gettext_lazy("Country of phone numbers without prefix"), max_length=2, required=False,
        help_text=gettext_lazy("Two letters, such as NO. For a new system."),
    )  # fmt: skip
    encoding = forms.ChoiceField(label=gettext_lazy("Encoding"), choices=_ENCODINGS, required=False)
    delimiter = forms.ChoiceField(label=gettext_lazy("Delimiter"), choices=_DELIMITERS, required=False)

    def clean_country(self) -> str:
        return code_of(values.country, self, "country")

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if not data.get("source") and not slugify(data.get("new_source", "")):
            self.add_error("new_source", _("Name the system that the file comes from."))
        return data

    def the_source(self) -> Source:
        """The chosen source, or the new one."""
        if self.cleaned_data["source"]:
            return self.cleaned_data["source"]
        name = self.cleaned_data["new_source"]
        made, _new = Source.objects.get_or_create(
            code=slugify(name)[:40], defaults={"name": name, "default_country": self.cleaned_data["country"]}
        )
        return made


@access.role(*_PLANNERS)
def job_list(request: HttpRequest) -> HttpResponse:
    page = Paginator(ImportJob.objects.select_related("source", "created_by"), 30).get_page(request.GET.get("page"))
    return render_page(request, "customers/imports.html", {"page": page})


@access.role(*_PLANNERS)
def upload(request: HttpRequest) -> HttpResponse:
    """Takes a file; then its columns are mapped."""
    form = UploadForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            # a refused file leaves no new system behind
            with transaction.atomic():
                job = jobs.create(
                    source=form.the_source(), kind=data["kind"], filename=data["file"].name, content=data["file"].chunks(),
                    actor=access.current_user(request), now=clock.now(), encoding=data["encoding"], delimiter=data["delimiter"],
                )  # fmt: skip
            return redirect("customers:import_mapping", job.pk)
        except FileRefused as error:
            form.add_error("file", str(error))
    return render_page(request, "customers/import_upload.html", {"form": form})


@access.role(*_PLANNERS)
def mapping(request: HttpRequest, job_id: int) -> HttpResponse:
    """What each column means. One line per target; saved for the source when it is usable."""
    job = get_object_or_404(ImportJob.objects.select_related("source"), pk=job_id)
    if not _has_file(job):
        return redirect("customers:import", job.pk)
    problems: list[str] = []
    if request.method == "POST":
        made = _posted(request, job)
        problems = jobs.save_mapping(job=job, mapping=made, now=clock.now())
        if not problems and request.POST.get("do") == "check":
            return _begin(request, job, dry=True)
    # the first rows are people in clear: for who uploaded the file, and for the privacy role
    shown = _may_download(request, job)
    sample = jobs.sample(job) if shown else []
    if shown:
        audit.opened_people(actor=access.current_user(request), subject=job, count=len(sample), where="import sample", now=clock.now())
    context = {
        "job": job,
        "columns": [
            (name, [row[place] for row in sample if place < len(row)]) for place, name in enumerate(job.columns)
        ],
        "rows": _rows(job),
        "options": job.mapping.get("options", {}),
        "date_orders": [("", _("find it")), *((one, _ORDER_WORDS[one]) for one in DATE_ORDERS)],
        "problems": problems,
    }
    return render_page(request, "customers/import_mapping.html", context)


_ORDER_WORDS = {"ymd": "2026-11-30", "dmy": "30.11.2026", "mdy": "11/30/2026"}


def _rows(job: ImportJob) -> list[dict[str, Any]]:
    """Targets with what fills them: a column, or a text of one's own."""
    chosen = dict(Mapping.from_json(job.mapping).targets)
    rows = []
    for target in targets.offered(job.kind, job.source):
        text = chosen.pop(target.code, "")
        column = text[1:-1] if text.startswith("{") and text.endswith("}") and text[1:-1] in job.columns else ""
        rows.append({"target": target, "column": column, "text": "" if column else text})
    for code, text in chosen.items():
        column = text[1:-1] if text[1:-1] in job.columns else ""
        label = code.partition(":")[2] or code
        rows.append(
            {"target": targets.Target(code, label, group=_("More")), "column": column, "text": "" if column else text}
        )
    return rows


def _posted(request: HttpRequest, job: ImportJob) -> Mapping:
    found = {}
    for name in request.POST:
        if name.startswith("t-"):
            column, text = request.POST[name], request.POST.get("x-" + name[2:], "").strip()
            found[name[2:]] = text or ("{" + column + "}" if column else "")
    for place, kind in enumerate(request.POST.getlist("extra")):
        name = job.columns[place] if place < len(job.columns) else ""
        key = slugify(name).replace("-", "_")[:60]
        if kind and key and name:
            family = "detail" if job.kind == "interactions" else "attribute"
            found[f"{family}:{key}" + (f":{kind}" if family == "attribute" else "")] = "{" + name + "}"
    options = {one: request.POST[one] for one in ("date_order", "decimal", "time_zone") if request.POST.get(one)}
    return Mapping({code: text for code, text in found.items() if text}, options)


@access.role(*_PLANNERS)
def job_page(request: HttpRequest, job_id: int) -> HttpResponse:
    """One import: what it would do or did, and what one can do now."""
    return render_page(request, "customers/import.html", _context(request, job_id))


@access.role(*_PLANNERS)
def progress(request: HttpRequest, job_id: int) -> HttpResponse:
    """The part of the page that changes while the import runs."""
    return render_page(request, "customers/import.html", _context(request, job_id), "state")


def _context(request: HttpRequest, job_id: int) -> dict[str, Any]:
    job = get_object_or_404(ImportJob.objects.select_related("source", "created_by"), pk=job_id)
    busy = job.status in ("checking", "waiting", "running")
    return {
        "job": job,
        "busy": busy,
        "progress": jobs.progress(job, clock.now()) if busy else None,
        "lines": report.lines(job),
        "has_file": _has_file(job),
        "has_errors": bool(job.error_path) and Path(job.error_path).exists(),
        "can_download": _may_download(request, job),
    }


def _has_file(job: ImportJob) -> bool:
    return bool(job.path) and Path(job.path).exists() and job.status not in ("done", "undone")


def _may_download(request: HttpRequest, job: ImportJob) -> bool:
    user = access.current_user(request)
    return access.can_export_people(user) or job.created_by_id == user.pk


@access.role(*_PLANNERS)
def act(request: HttpRequest, job_id: int, action: str) -> HttpResponseBase:
    """Errors by GET; try, start, cancel, undo by POST."""
    job = get_object_or_404(ImportJob.objects.select_related("source"), pk=job_id)
    if action == "errors" and request.method == "GET":
        return _errors(request, job)
    if action in ("check", "start", "cancel", "undo"):
        return _act(request, job, action)
    raise Http404


@require_POST
def _act(request: HttpRequest, job: ImportJob, action: str) -> HttpResponseBase:
    user, now = access.current_user(request), clock.now()
    try:
        if action in ("check", "start"):
            return _begin(request, job, dry=action == "check")
        if action == "cancel":
            jobs.cancel(job_id=job.pk, actor=user, now=now)
            messages.info(request, _("The import stops at the next step. Nothing of it stays."))
        else:
            undo.undo(job_id=job.pk, actor=user, now=now)
            messages.success(request, _("The import was taken back."))
    except jobs.NotNow as error:
        messages.error(request, str(error))
    return redirect("customers:import", job.pk)


def _begin(request: HttpRequest, job: ImportJob, dry: bool) -> HttpResponse:
    try:
        jobs.begin(job_id=job.pk, dry=dry, actor=access.current_user(request), now=clock.now())
        transaction.on_commit(lambda: tasks.run_import.delay(job.pk))
    except jobs.NotNow as error:
        messages.error(request, str(error))
    return redirect("customers:import", job.pk)


def _errors(request: HttpRequest, job: ImportJob) -> HttpResponseBase:
    """The refused rows hold personal data: for who uploaded the file, and for the privacy role."""
    access.require(
        _may_download(request, job), _("Only who uploaded the file or handles personal data can open its rows.")
    )
    path = Path(job.error_path) if job.error_path else None
    if path is None or not path.exists():
        raise Http404
    user = access.current_user(request)
    audit.opened_people(actor=user, subject=job, count=job.rows_refused, where="import errors", now=clock.now())
    return FileResponse(path.open("rb"), as_attachment=True, filename=f"errors-{job.pk}.csv", content_type="text/csv")
