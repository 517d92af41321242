"""`manage.py inbound`: takes a mail that came back from standard input, as Postfix's pipe(8) hands it over."""

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError

from apps.channels import bounces
from apps.channels.models import ChannelAccount
from apps.core import clock

# sysexits.h: the mail system keeps the mail and tries again
TRY_AGAIN = 75


class Command(BaseCommand):
    help = "Reads a returned mail (RFC 3464) from standard input and notes what it says of the delivery it speaks of."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--recipient", default="", help="the address it came to, as ${original_recipient} in Postfix")
        parser.add_argument("--account", default="", help="name of the account, when the address does not tell")

    def handle(self, *args: Any, **options: Any) -> None:
        raw = sys.stdin.buffer.read(bounces.MAX_BYTES)
        try:
            account = _account(options["account"], options["recipient"])
            if account is None:
                raise CommandError("No e-mail account has this address for bounces. Name one: --account NAME")
            told = bounces.receive(account, raw, recipient=options["recipient"], now=clock.now())
        except DatabaseError as problem:
            raise CommandError(f"The database cannot be reached: {problem}", returncode=TRY_AGAIN) from problem
        self.stdout.write(", ".join(f"{event.kind} {event.code}" for event in told) or "nothing new")


def _account(name: str, recipient: str) -> ChannelAccount | None:
    if name:
        return ChannelAccount.objects.filter(name=name, channel="email").first()
    return bounces.account_for(recipient)
