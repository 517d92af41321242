"""`manage.py rebuild_facts --from 2026-01-01 --to 2026-01-31`: counts these days anew."""

from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.core import clock
from apps.reporting import facts


class Command(BaseCommand):
    help = "Counts the facts and credits of some days anew from the ledger; without dates, what is stale."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--from", dest="first", type=date.fromisoformat, help="first day, YYYY-MM-DD")
        parser.add_argument("--to", dest="last", type=date.fromisoformat, help="last day; the first by default")

    def handle(self, *args: Any, **options: Any) -> None:
        first, last, now = options["first"], options["last"] or options["first"], clock.now()
        if (first or last) and not (first and first <= last):
            raise CommandError("--from must be given and not be after --to.")
        rows = facts.rebuild(first=first, last=last, now=now) if first else facts.rebuild_nightly(now=now)
        self.stdout.write(f"{rows} rows")
