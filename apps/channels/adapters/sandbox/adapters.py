"""The same code paths as the real providers; only where they lead is different.

`options.sandbox_folder` (set by the registry) is where the counterparts announce themselves and keep what they got.
"""

import time
from pathlib import Path

from django.utils.translation import gettext_lazy

from ...counterparts import inbox
from ...counterparts.place import Endpoints, find
from ..base import AccountConfig, AdapterError
from ..call_list import CallListAdapter
from ..print_file import LetterRequest, PrintFileAdapter
from ..print_file.requests import PrintedLetter
from ..smtp import SmtpAdapter
from ..smtp.pool import Pool, Relay
from ..twilio_sms import TwilioSmsAdapter


def _endpoints(config: AccountConfig) -> Endpoints:
    found = find(Path(str(config.options["sandbox_folder"])))
    if found is None:
        raise AdapterError("the local counterparts do not run (manage.py counterparts starts them)", permanent=False)
    return found


class SandboxEmail(SmtpAdapter):
    """SMTP to the local counterpart."""

    code = "sandbox_email"
    name = gettext_lazy("Sandbox: e-mail")
    option_fields = ()
    credential_fields = ()
    sandbox = True

    def relay(self) -> Relay:
        timeout = float(self.config.options.get("timeout") or 5)
        return Relay("127.0.0.1", _endpoints(self.config).smtp, connections=4, timeout=timeout)

    @property
    def pool(self) -> Pool:
        relay = self.relay()
        if self._pool is None or self._pool.relay != relay:
            self._pool = Pool(relay)
        return self._pool


class SandboxSms(TwilioSmsAdapter):
    """HTTP to the local counterpart, which keeps to the idempotency key and can be asked."""

    code = "sandbox_sms"
    name = gettext_lazy("Sandbox: text messages")
    option_fields = ()
    credential_fields = ()
    sandbox = True

    def __init__(self, config: AccountConfig) -> None:
        options = {"timeout": 5, "concurrency": 4, "finds_reference": True, "idempotent": True, **config.options}
        super().__init__(
            AccountConfig(
                config.id, config.channel, config.adapter, options, config.credentials, config.sender, config.public_url
            )
        )

    def base_url(self) -> str:
        return _endpoints(self.config).http_url

    def credentials(self) -> tuple[str, str]:
        # a sandbox account works without anybody inventing a token; the folder keeps other machines out
        given = self.config.credentials
        return str(given.get("account_sid") or f"AC{self.config.id:032d}"), str(given.get("auth_token") or "sandbox")


class SandboxLetter(PrintFileAdapter):
    """A print shop on this machine: the files, and each letter in the inbox."""

    code = "sandbox_letter"
    name = gettext_lazy("Sandbox: letters")
    option_fields = ()
    sandbox = True

    def folder(self) -> Path:
        return Path(str(self.config.options["sandbox_folder"])) / "letters"

    def _write(self, requests: list[LetterRequest]) -> list[tuple[str, PrintedLetter | str, str]]:
        written = super()._write(requests)
        by_reference = {request.reference: request for request in requests}
        now, got = time.time(), []
        for reference, printed, name in written:
            request = by_reference[reference]
            if isinstance(printed, PrintedLetter):
                body = f"{name}.pdf {printed.page} {printed.pages}".encode()
                got.append(inbox.Got("letter", reference, request.address.name, "", request.letter.heading, now, body))
        inbox.store(Path(str(self.config.options["sandbox_folder"])), got)
        return written


class SandboxCall(CallListAdapter):
    """The call list, worked by agents who only pretend to call."""

    code = "sandbox_call"
    name = gettext_lazy("Sandbox: calls")
    sandbox = True
