"""SMTP: builds from a pre-rendered template, posts pipelined, reads replies by RFC 5321 and RFC 3463."""

import re
import socket
from collections.abc import Iterable, Iterator
from typing import Any, ClassVar

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ...content import BadHeader, MimeTemplate, MissingSlot
from ...references import signed
from ..base import AccountConfig, Adapter, AdapterError, Outcome, OutgoingMessage, Problem, Receipt, Setting
from .conversation import MailRequest, Reply, Stage
from .pool import Pool, Relay

_ENHANCED = re.compile(r"([245]\.\d{1,3}\.\d{1,3})\b\s*(.*)", re.DOTALL)
_QUEUED_AS = re.compile(r"queued as <?([\w.@-]+)", re.IGNORECASE)
_CLIPPED_BYTES = 102_000
_SECURITY = (
    ("starttls", gettext_lazy("STARTTLS")),
    ("tls", gettext_lazy("TLS from the first byte")),
    ("none", gettext_lazy("none (only inside one machine)")),
)


class SmtpAdapter(Adapter):
    """Any relay that speaks SMTP. It cannot be asked afterwards what became of a message."""

    code = "smtp"
    channel = "email"
    name = gettext_lazy("SMTP relay")
    option_fields: ClassVar[tuple[Setting, ...]] = (
        Setting("host", gettext_lazy("Host"), required=True),
        Setting("port", gettext_lazy("Port"), kind="number", default=587),
        Setting("security", gettext_lazy("Protection"), kind="choice", default="starttls", choices=_SECURITY),
        Setting("connections", gettext_lazy("Connections at once"), kind="number", default=10),
        Setting("timeout", gettext_lazy("Seconds to wait for an answer"), kind="number", default=30),
        Setting("return_path", gettext_lazy("Address for bounces"), kind="email"),
        Setting("helo", gettext_lazy("Own host name")),
        Setting("ca_file", gettext_lazy("File with the certificate authority")),
    )
    credential_fields: ClassVar[tuple[Setting, ...]] = (
        Setting("username", gettext_lazy("User name")),
        Setting("password", gettext_lazy("Password"), kind="secret"),
    )

    def __init__(self, config: AccountConfig) -> None:
        super().__init__(config)
        self._pool: Pool | None = None

    def relay(self) -> Relay:
        """Where this account hands over."""
        options, credentials = self.config.options, self.config.credentials
        return Relay(
            host=str(options.get("host") or "localhost"),
            port=int(options.get("port") or 587),
            security=str(options.get("security") or "starttls"),
            username=str(credentials.get("username") or ""),
            password=str(credentials.get("password") or ""),
            helo=str(options.get("helo") or socket.gethostname()),
            connections=int(options.get("connections") or 10),
            timeout=float(options.get("timeout") or 30),
            ca_file=str(options.get("ca_file") or ""),
        )

    @property
    def pool(self) -> Pool:
        if self._pool is None:
            self._pool = Pool(self.relay())
        return self._pool

    def check(self, content: MimeTemplate) -> list[Problem]:
        problems = []
        if not content.subject:
            problems.append(Problem("no_subject", _("The e-mail has no subject.")))
        if len(content.body) > _CLIPPED_BYTES:
            text = _("The e-mail is larger than 102 kB: some mailboxes will cut off its end.")
            problems.append(Problem("clipped", text, blocking=False))
        return problems

    def build(self, message: OutgoingMessage) -> MailRequest:
        template: MimeTemplate = message.content
        try:
            data = template.fill(message.slots, message.headers, to=str(message.address), reference=message.reference)
        except (BadHeader, MissingSlot) as problem:
            raise AdapterError(f"{type(problem).__name__}: {problem}", permanent=True) from problem
        return MailRequest(
            message.reference, self._return_path(message.reference, template), str(message.address), data
        )

    def _return_path(self, reference: str, template: MimeTemplate) -> str:
        # a bounce comes back to an address that names the delivery (VERP), whatever is left of the message in it
        configured = str(self.config.options.get("return_path") or "")
        local, at, domain = configured.partition("@")
        return f"{local}+{signed(reference)}@{domain}" if at else template.from_email

    def post(self, requests: Iterable[MailRequest]) -> Iterator[Receipt]:
        waiting = list(requests)
        if not waiting:
            return
        try:
            pool = self.pool
        except AdapterError as problem:
            yield from [self.parse(Reply(r.reference, Stage.NOT_HANDED_OVER, 0, problem.message)) for r in waiting]
            return
        for replies in pool.deliver(waiting):
            yield from map(self.parse, replies)

    def parse(self, response: Reply) -> Receipt:
        enhanced = _ENHANCED.match(response.text)
        code = f"{response.code or ''} {enhanced[1] if enhanced else ''}".strip()
        queued = _QUEUED_AS.search(response.text)
        return Receipt(
            reference=response.reference,
            outcome=_outcome(response),
            provider_id=queued[1] if queued else "",
            code=code or response.stage.value,
            detail=(enhanced[2] if enhanced else response.text)[:300],
        )

    def test_connection(self) -> str:
        return _("The relay answers and knows: %(features)s.") % {"features": self.pool.test()}

    def close(self) -> None:
        if self._pool:
            self._pool.close()

    def __getstate__(self) -> dict[str, Any]:
        return {"config": self.config, "_pool": None}


def _outcome(reply: Reply) -> Outcome:
    if reply.stage is Stage.NO_ANSWER:
        return Outcome.UNKNOWN
    if reply.stage is Stage.TRANSFER and 200 <= reply.code < 300:
        return Outcome.ACCEPTED
    if reply.stage in (Stage.RECIPIENT, Stage.TRANSFER) and 500 <= reply.code < 600:
        return Outcome.REJECTED
    if reply.stage is Stage.TRANSFER and not 400 <= reply.code < 500:
        return Outcome.UNKNOWN
    # a relay that refuses our sender or our command says nothing about the person: never a bounce
    return Outcome.RETRY
