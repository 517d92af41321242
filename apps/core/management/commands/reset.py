"""`manage.py reset`: begin anew with an empty embedded database."""

from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connection


class Command(BaseCommand):
    help = "Drops everything in the embedded database and migrates anew. Refused for a database of your own (DATABASE_URL)."

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.DATABASE_URL:
            raise CommandError("DATABASE_URL is set: reset only ever empties the embedded database.")
        with connection.cursor() as cursor:
            cursor.execute("DROP SCHEMA public CASCADE")
            cursor.execute("CREATE SCHEMA public")
        call_command("migrate", verbosity=0)
        self.stdout.write("The embedded database is empty and migrated.")
