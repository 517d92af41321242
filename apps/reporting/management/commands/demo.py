"""`manage.py demo`: the whole product with a demo company, in one terminal. `--once`: the whole main job, headless."""

import sys
from importlib.util import find_spec
from typing import Any

from django.conf import settings
from django.core.management import call_command, get_commands
from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.core import clock
from config import launcher
from config.progress import Bar

CUSTOMERS = 50_000


class Command(BaseCommand):
    help = (
        "Runs Concord with a demo company: web, one worker, beat and the sandbox; prints where to sign in and as whom."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--customers", type=int, default=CUSTOMERS, help="how many customers the company has")
        parser.add_argument("--seed", type=int, default=1, help="the same seed makes the same company")
        parser.add_argument("--host", default="127.0.0.1", help="address to listen at")
        parser.add_argument("--port", type=int, default=8000, help="port to listen at")
        parser.add_argument("--once", action="store_true", help="do the whole main job, print one JSON object, end")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["customers"] < 100:
            raise CommandError("A company needs at least 100 customers.")
        launcher.end_with_uv()
        try:
            with launcher.stopping_on_signals():
                self._once(options) if options["once"] else self._serve(options)
        except launcher.Stopped as error:
            raise CommandError(str(error)) from error
        except KeyboardInterrupt:
            self.stderr.write("Stopped.")

    def _once(self, options: dict[str, Any]) -> None:
        from apps.reporting.demo import once

        once.run(customers=options["customers"], seed=options["seed"], output=self.stdout, progress=Bar(sys.stderr))

    def _serve(self, options: dict[str, Any]) -> None:
        host, port = options["host"], options["port"]
        if not launcher.port_is_free(port, host):
            raise CommandError(
                f"Port {port} is taken by another program. Choose another: manage.py demo --port {port + 1}"
            )
        self._prepare(options)
        parts = [launcher.web(port, host), launcher.worker(), launcher.beat()]
        if "counterparts" in get_commands():
            parts.append(launcher.counterparts())
        address = f"http://{'localhost' if host in {'127.0.0.1', '0.0.0.0'} else host}:{port}"
        with launcher.running(parts, {"PUBLIC_URL": address}) as processes:
            launcher.wait_for_web(processes, port)
            self._welcome(address)
            processes.watch()

    def _prepare(self, options: dict[str, Any]) -> None:
        """The database with its tables, and the company unless one is there already."""
        bar = Bar(sys.stderr)
        bar("Preparing the database", 0, 1)
        call_command("migrate", verbosity=0)
        bar("Preparing the database", 1, 1)
        if find_spec("apps.reporting.demo"):
            from apps.reporting.demo.load import AlreadyThere, load

            unfinished = settings.CLUSTER.directory / "demo-unfinished"
            if unfinished.exists() and not settings.DATABASE_URL:
                # The last load was cut short: half a company is worse than none.
                call_command("reset", verbosity=0, stdout=self.stderr)
            try:
                unfinished.parent.mkdir(parents=True, exist_ok=True)
                unfinished.touch()
                load(customers_wanted=options["customers"], seed=options["seed"], now=clock.now(), progress=bar)
            except AlreadyThere:
                self.stderr.write("The company is there from before; `manage.py reset` begins anew.")
            unfinished.unlink()
        bar.done()

    def _welcome(self, address: str) -> None:
        from apps.accounts.models import User

        self.stdout.write(f"\nConcord runs at {address}\n\n")
        for user in User.objects.select_related("department").filter(is_active=True).order_by("department", "role"):
            self.stdout.write(f"  {user.email:<34} {user.get_role_display():<28} {user.department or ''}\n")
        if find_spec("apps.reporting.demo"):
            from apps.reporting.demo.plans import PASSWORD

            self.stdout.write(f"\nPassword of all of them: {PASSWORD}\nCtrl-C stops everything and keeps the data.\n\n")
        self.stdout.flush()
