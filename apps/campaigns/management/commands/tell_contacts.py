"""Records contacts that another tool made, from a CSV file. The same file twice changes nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.accounts.models import Department
from apps.campaigns.elsewhere import files
from apps.campaigns.models import Message, MessageKind
from apps.core import clock
from apps.customers.imports.dialect import FileRefused


class Command(BaseCommand):
    """Prints what became of the rows as JSON. Exit code 1 when the file is refused as a whole."""

    help = "Records contacts that another tool made, from a CSV file."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="CSV, plain or gzip: who was contacted, when, by what")
        parser.add_argument("--department", required=True, help="short name of the department whose tool it is")
        parser.add_argument("--message", type=int, help="the planned message of rows that name none")
        parser.add_argument("--country", default="", help="country of phone numbers without prefix")

    def handle(self, *args: Any, **options: Any) -> None:
        department = Department.objects.filter(slug=options["department"]).first()
        if department is None:
            raise CommandError(f"There is no department {options['department']}.")
        if not options["file"].is_file():
            raise CommandError(f"{options['file']} is no file.")
        try:
            report = files.read_contacts(
                options["file"], department=department, now=clock.now(), message=self._message(options["message"], department),
                country=options["country"].upper(),
            )  # fmt: skip
        except FileRefused as problem:
            raise CommandError(str(problem)) from problem
        told = {"recorded": report.recorded, "known": report.known, "refused": report.refused, "problems": report.problems}
        self.stdout.write(json.dumps(told, indent=2))

    def _message(self, pk: int | None, department: Department) -> Message | None:
        if pk is None:
            return None
        found = Message.objects.filter(pk=pk, kind=MessageKind.ELSEWHERE, campaign__department=department)
        message = found.select_related("campaign", "purpose", "account").first()
        if message is None:
            raise CommandError(f"Message {pk} is not sent elsewhere by this department.")
        return message
