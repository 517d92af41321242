"""Hands calls to the call list. The contact itself happens when an agent opens the call."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ...content import CallContent, MissingSlot
from ..base import (
    ABSENT,
    CANNOT_TELL,
    AccountConfig,
    Adapter,
    AdapterError,
    Lookup,
    Outcome,
    OutgoingMessage,
    Problem,
    Receipt,
    Request,
)


@dataclass(frozen=True)
class CallRequest(Request):
    """One call to make."""

    phone: str
    name: str
    script: str
    language: str


@dataclass(frozen=True)
class CallSink:
    """The call list, as the adapter sees it.

    `add` takes calls and returns, per reference, "" or why it was not taken; a reference it has already is taken
    once. `has` says whether it knows a reference.
    """

    add: Callable[[int, list[CallRequest]], Mapping[str, str]]
    has: Callable[[str], bool]


class CallListAdapter(Adapter):
    """Puts calls into the list it was given as `sink` (by the registry)."""

    code = "call_list"
    channel = "call"
    name = gettext_lazy("Call list")

    def __init__(self, config: AccountConfig, sink: CallSink | None = None) -> None:
        super().__init__(config)
        self.sink = sink

    def check(self, content: CallContent) -> list[Problem]:
        return [] if content.script.strip() else [Problem("empty", _("The call has no script."))]

    def build(self, message: OutgoingMessage) -> CallRequest:
        if not isinstance(message.address, str) or not message.address.startswith("+"):
            raise AdapterError("a call needs a number in international form", permanent=True)
        try:
            script = message.content.fill(message.slots)
        except MissingSlot as problem:
            raise AdapterError(f"MissingSlot: {problem}", permanent=True) from problem
        return CallRequest(
            message.reference, message.address, message.headers.get("name", ""), script, message.language
        )

    def post(self, requests: Iterable[CallRequest]) -> Iterator[Receipt]:
        waiting = list(requests)
        refused = self.sink.add(self.config.id, waiting) if self.sink else {}
        for request in waiting:
            yield self.parse((request.reference, refused.get(request.reference, "") if self.sink else "no call list"))

    def parse(self, response: tuple[str, str]) -> Receipt:
        reference, problem = response
        if problem:
            return Receipt(reference, Outcome.RETRY, code="call_list", detail=problem)
        return Receipt(reference, Outcome.ACCEPTED, provider_id=reference)

    def find(self, reference: str) -> Receipt | Lookup:
        if self.sink is None:
            return CANNOT_TELL
        return self.parse((reference, "")) if self.sink.has(reference) else ABSENT

    def test_connection(self) -> str:
        return _("The call list is part of Concord and needs no connection.")
