"""Twilio-shaped HTTP: a form POST per message, several at once, status and inbound texts by signed webhooks."""

import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from html import escape
from typing import Any, ClassVar
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import requests
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from requests.adapters import HTTPAdapter
from urllib3.exceptions import NewConnectionError, SSLError

from ...content import MissingSlot, SmsContent
from ...references import parse_reference
from ...sms import Keyword, keyword, measure
from ..base import (
    ABSENT,
    CANNOT_TELL,
    AccountConfig,
    Adapter,
    AdapterError,
    Event,
    Lookup,
    NotAuthentic,
    Outcome,
    OutgoingMessage,
    Problem,
    RawEvent,
    Receipt,
    Request,
    Setting,
    seconds_to_wait,
)
from .signature import is_authentic

_MOST_SEGMENTS = 10
_OLDEST = timedelta(days=7)
_STATUS = {
    "delivered": "delivered",
    "read": "opened",
    "undelivered": "bounced",
    "failed": "failed",
}
_ACCOUNT_CODES = {20003, 20404, 21212, 21603, 21606, 21611, 21617, 20429, 14107, 63038}
_PERMANENT = {"30005", "30006", "30011", "21211", "21614"}
_ANSWERS = {
    "stop": "{brand}: you will get no more text messages from us. Reply START to get them again.",
    "help": "{brand}: reply STOP to get no more text messages from us.",
    "start": "{brand}: you will get our text messages again. Reply STOP to end them.",
}
_KEYWORD_EVENT = {Keyword.STOP: "unsubscribed", Keyword.START: "subscribed", Keyword.HELP: "replied", None: "replied"}


@dataclass(frozen=True)
class SmsRequest(Request):
    """One text message as form fields."""

    to: str
    body: str
    sender: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class HttpAnswer:
    """What came back for a reference; status 0 when nothing did, `sent` when the request may have arrived."""

    reference: str
    status: int
    data: dict[str, Any]
    sent: bool = True
    problem: str = ""
    retry_after: float = 0.0


class TwilioSmsAdapter(Adapter):
    """Twilio's message resource. `options.finds_reference` and `options.idempotent` say what the provider keeps to."""

    code = "twilio_sms"
    channel = "sms"
    name = gettext_lazy("Twilio")
    option_fields: ClassVar[tuple[Setting, ...]] = (
        Setting("base_url", gettext_lazy("Address of the API"), kind="url", default="https://api.twilio.com"),
        Setting("messaging_service", gettext_lazy("Messaging service (instead of a number)")),
        Setting("concurrency", gettext_lazy("Requests at once"), kind="number", default=8),
        Setting("timeout", gettext_lazy("Seconds to wait for an answer"), kind="number", default=15),
        Setting("answers_keywords", gettext_lazy("Concord itself answers STOP, START and HELP"), kind="boolean"),
    )
    credential_fields: ClassVar[tuple[Setting, ...]] = (
        Setting("account_sid", gettext_lazy("Account SID"), required=True),
        Setting("auth_token", gettext_lazy("Auth token"), kind="secret", required=True),
    )

    def __init__(self, config: AccountConfig) -> None:
        super().__init__(config)
        self._session: requests.Session | None = None

    # --- what the sandbox answers differently -------------------------------------------------------

    def base_url(self) -> str:
        """Where the provider's API lives."""
        return str(self.config.options.get("base_url") or "https://api.twilio.com").rstrip("/")

    def credentials(self) -> tuple[str, str]:
        """Account SID and auth token."""
        given = self.config.credentials
        return str(given.get("account_sid") or ""), str(given.get("auth_token") or "")

    # --- content and requests -----------------------------------------------------------------------

    def check(self, content: SmsContent) -> list[Problem]:
        if not content.text.strip():
            return [Problem("empty", _("The message is empty."))]
        length = measure(content.text)
        if length.segments <= _MOST_SEGMENTS:
            return []
        text = ngettext(
            "The message takes %(n)d segment, more than the provider takes.",
            "The message takes %(n)d segments, more than the provider takes.",
            length.segments,
        )
        return [Problem("too_long", text % {"n": length.segments})]

    def build(self, message: OutgoingMessage) -> SmsRequest:
        try:
            body = message.content.fill(message.slots)
        except MissingSlot as problem:
            raise AdapterError(f"MissingSlot: {problem}", permanent=True) from problem
        if not isinstance(message.address, str) or not message.address.startswith("+"):
            raise AdapterError("a text message needs a number in international form", permanent=True)
        service = self.config.options.get("messaging_service")
        sender = ("MessagingServiceSid", str(service)) if service else ("From", self._number())
        return SmsRequest(message.reference, message.address, body, (sender,))

    def _number(self) -> str:
        return str(self.config.sender.get("from_number") or self.config.sender.get("address") or "")

    # --- the network ----------------------------------------------------------------------------------

    def post(self, requests: Iterable[SmsRequest]) -> Iterator[Receipt]:
        waiting = list(requests)
        at_once = max(1, min(int(self.config.options.get("concurrency") or 8), len(waiting)))
        with ThreadPoolExecutor(at_once, thread_name_prefix="sms") as pool:
            for done in as_completed([pool.submit(self._post_one, request) for request in waiting]):
                yield self.parse(done.result())

    def _post_one(self, request: SmsRequest) -> HttpAnswer:
        fields = {"To": request.to, "Body": request.body, **dict(request.sender)}
        if self.config.public_url:
            # the provider signs the whole address, so the time in it is a time we can trust in the callback
            query = urlencode({"reference": request.reference, "sent": int(time.time())})
            fields["StatusCallback"] = f"{self.config.public_url}?{query}"
        headers = {"Idempotency-Key": request.reference}
        return self._call("POST", "Messages.json", request.reference, data=fields, headers=headers)

    def _call(self, method: str, path: str, reference: str, **arguments: Any) -> HttpAnswer:
        try:
            sid, token = self.credentials()
            login = (sid.encode(), token.encode())
            url = f"{self.base_url()}/2010-04-01/Accounts/{sid}/{path}"
            timeout = float(self.config.options.get("timeout") or 15)
            answer = self._http().request(
                method,
                url,
                auth=login,  # type: ignore[arg-type]  # bytes, because a token need not be Latin-1
                timeout=(min(timeout, 10), timeout),
                allow_redirects=False,
                **arguments,
            )
        except AdapterError as problem:
            return HttpAnswer(reference, 0, {}, sent=False, problem=problem.message)
        except requests.RequestException as problem:
            return HttpAnswer(reference, 0, {}, sent=_may_have_arrived(problem), problem=type(problem).__name__)
        try:
            data = answer.json()
        except ValueError:
            data = {}
        peace = 0.0
        if answer.status_code in (429, 503):
            peace = seconds_to_wait(answer.headers.get("Retry-After", ""), datetime.now(UTC))
        return HttpAnswer(reference, answer.status_code, data if isinstance(data, dict) else {}, retry_after=peace)

    def _http(self) -> requests.Session:
        if self._session is None:
            session = requests.Session()
            session.trust_env = False
            at_once = int(self.config.options.get("concurrency") or 8)
            for scheme in ("http://", "https://"):
                session.mount(scheme, HTTPAdapter(pool_connections=2, pool_maxsize=at_once, max_retries=0))
            self._session = session
        return self._session

    def parse(self, response: HttpAnswer) -> Receipt:
        code = str(response.data.get("code") or response.status or "none")
        detail = str(response.data.get("message") or response.problem)[:300]
        outcome = self._outcome(response)
        sid = str(response.data.get("sid") or "")
        return Receipt(response.reference, outcome, sid, code, detail, retry_after=response.retry_after)

    def _outcome(self, answer: HttpAnswer) -> Outcome:
        status = answer.status
        if 200 <= status < 300:
            return Outcome.ACCEPTED if answer.data.get("sid") else Outcome.UNKNOWN
        if status in (400, 404, 422) and answer.data.get("code") not in _ACCOUNT_CODES:
            return Outcome.REJECTED
        if 300 <= status < 500 or status == 503 or (status == 0 and not answer.sent):
            return Outcome.RETRY
        # with a key that the provider keeps to, asking again cannot send twice; without one it can
        return Outcome.RETRY if self.config.options.get("idempotent") else Outcome.UNKNOWN

    def find(self, reference: str) -> Receipt | Lookup:
        if not self.config.options.get("finds_reference"):
            return CANNOT_TELL
        answer = self._call("GET", "Messages.json", reference, params={"Reference": reference})
        if answer.status != 200:
            return CANNOT_TELL
        found = answer.data.get("messages") or []
        return Receipt(reference, Outcome.ACCEPTED, str(found[0].get("sid"))) if found else ABSENT

    def test_connection(self) -> str:
        answer = self._call("GET", "../" + self.credentials()[0] + ".json", "")
        if answer.status != 200:
            words = answer.data.get("message") or answer.problem or answer.status
            raise AdapterError(f"the provider answered: {words}", permanent=answer.status in (401, 403, 404))
        return _("The provider knows the account %(name)s.") % {"name": answer.data.get("friendly_name") or "?"}

    def close(self) -> None:
        if self._session:
            self._session.close()
            self._session = None

    # --- news -----------------------------------------------------------------------------------------

    def parse_events(self, raw: RawEvent) -> list[Event]:
        headers = {name.lower(): value for name, value in raw.headers.items()}
        given, kind = headers.get("x-twilio-signature", ""), headers.get("content-type", "")
        if not is_authentic(self.credentials()[1], raw.url, raw.body, kind, given):
            raise NotAuthentic("the signature does not fit")
        query = parse_qs(urlsplit(raw.url).query)
        _refuse_old(query.get("sent", [""])[0], raw.received_at)
        fields = dict(parse_qsl(raw.body.decode("utf-8", "replace"), keep_blank_values=True))
        sid = fields.get("MessageSid") or fields.get("SmsSid") or ""
        if not sid:
            return []
        status = fields.get("MessageStatus") or fields.get("SmsStatus") or ""
        if "Body" in fields and status in ("", "received"):
            return [_inbound(fields, sid, raw.received_at)]
        reference = query.get("reference", [""])[0]
        if status not in _STATUS or parse_reference(reference) is None:
            return []
        code = fields.get("ErrorCode", "")
        return [
            Event(
                kind=_STATUS[status],
                dedupe_key=f"{sid}:{status}",
                at=raw.received_at,
                reference=reference,
                address=fields.get("To", ""),
                provider_id=sid,
                code=code,
                permanent=code in _PERMANENT if status in ("undelivered", "failed") else None,
            )
        ]

    def respond(self, events: list[Event]) -> tuple[str, bytes]:
        # Twilio answers STOP itself; only where it does not may we, and then once, naming the brand (CTIA)
        words = ""
        if events and self.config.options.get("answers_keywords"):
            brand = str(self.config.sender.get("from_name") or self._number())
            words = _ANSWERS.get(events[0].code, "").format(brand=brand)
        message = f"<Message>{escape(words)}</Message>" if words else ""
        return "text/xml", f'<?xml version="1.0" encoding="UTF-8"?><Response>{message}</Response>'.encode()


def _inbound(fields: dict[str, str], sid: str, at: datetime) -> Event:
    text = fields["Body"]
    return Event(
        kind=_KEYWORD_EVENT[keyword(text)],
        dedupe_key=f"{sid}:inbound",
        at=at,
        address=fields.get("From", ""),
        text=text[:2000],
        provider_id=sid,
        code=str(keyword(text) or ""),
    )


def _refuse_old(sent: str, received_at: datetime) -> None:
    if sent.isdigit() and received_at - datetime.fromtimestamp(int(sent), UTC) > _OLDEST:
        raise NotAuthentic("the message it speaks of was sent too long ago")


def _may_have_arrived(problem: requests.RequestException) -> bool:
    if isinstance(problem, requests.ConnectTimeout | requests.exceptions.InvalidURL):
        return False
    reason = getattr(problem.args[0] if problem.args else None, "reason", None)
    return not isinstance(reason, NewConnectionError | SSLError)
