"""`manage.py counterparts`: the local relay and text message provider of the sandbox."""

import asyncio
import signal
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from apps.channels.counterparts.place import Endpoints
from apps.channels.counterparts.process import serve


class Command(BaseCommand):
    help = "Runs the sandbox's mail relay and text message provider until interrupted."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--smtp-port", type=int, default=0, help="port for SMTP, 0 for any")
        parser.add_argument("--http-port", type=int, default=0, help="port for HTTP, 0 for any")

    def handle(self, *args: Any, **options: Any) -> None:
        asyncio.run(self._serve(Path(settings.SANDBOX_DIR), (options["smtp_port"], options["http_port"])))

    async def _serve(self, folder: Path, ports: tuple[int, int]) -> None:
        stop, loop = asyncio.Event(), asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stop.set)
        await serve(folder, stop, ports=ports, ready=self._announce)

    def _announce(self, endpoints: Endpoints) -> None:
        self.stdout.write(f"counterparts: mail on port {endpoints.smtp}, text messages on port {endpoints.http}")
        self.stdout.flush()
