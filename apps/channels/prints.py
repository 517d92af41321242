"""Print files: letters are collected, and handed over when the file is closed.

Closing asks again who may still be written to: `close` takes that question as a callable, so that the gate can be
asked by those who know it.
"""

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from datetime import date, datetime
from pathlib import Path

from django.db import transaction

from apps.accounts.models import User

from . import health, registry
from .adapters.base import AdapterError, OutgoingMessage, PostalAddress, Receipt
from .adapters.print_file import LetterRequest, PrintFileAdapter
from .content import LetterContent
from .models import ChannelAccount, Letter, PrintBatch
from .references import delivery_reference, parse_reference

StillAllowed = Callable[[list[int]], set[int]]
"""Customer ids of one run -> those of them who may be written to now."""


class AlreadyClosed(Exception):
    """The print file was closed before; its files stand as they are."""


@dataclass(frozen=True)
class Closed:
    """What closing did: a receipt per letter handed over or refused by the printer, and who was left out."""

    batch: PrintBatch
    receipts: list[Receipt]
    left_out: list[int]


def open_batch(*, account: ChannelAccount, run_id: int, in_home_on: date | None = None, now: datetime) -> PrintBatch:
    """The print file of a run that is still open, or a new one."""
    with transaction.atomic():
        ChannelAccount.objects.select_for_update().get(pk=account.pk)
        found = PrintBatch.objects.filter(account=account, run_id=run_id, closed_at=None).first()
        return found or PrintBatch.objects.create(account=account, run_id=run_id, in_home_on=in_home_on, created_at=now)


def add(batch: PrintBatch, messages: Iterable[OutgoingMessage]) -> dict[str, str]:
    """Collects letters, each (run, customer) once; per reference why one cannot be a letter at all."""
    adapter = _adapter(batch)
    letters, refused = [], {}
    for message in messages:
        run_id, customer_id = parse_reference(message.reference) or (0, 0)
        try:
            request = adapter.build(message)
        except AdapterError as problem:
            refused[message.reference] = problem.message
            continue
        content = {**asdict(request.letter), "language": request.language}
        letters.append(
            Letter(
                batch=batch, run_id=run_id, customer_id=customer_id, address=asdict(request.address), content=content
            )
        )
    Letter.objects.bulk_create(letters, ignore_conflicts=True, batch_size=1000)
    return refused


def close(batch: PrintBatch, *, still_allowed: StillAllowed, by: User | None, now: datetime) -> Closed:
    """Writes the files of all letters that may still go out and forgets the texts. Raises `AlreadyClosed`."""
    with transaction.atomic():
        if not PrintBatch.objects.filter(pk=batch.pk, closed_at=None).update(closed_at=now, closed_by=by):
            raise AlreadyClosed
    letters = list(batch.waiting_letters.order_by("id"))
    allowed = still_allowed([letter.customer_id for letter in letters])
    requests = [_request(letter) for letter in letters if letter.customer_id in allowed]
    receipts = list(_adapter(batch).post(requests))
    health.note(batch.account_id, receipts, now=now)
    _remember_files(batch, receipts)
    batch.waiting_letters.all().delete()
    left_out = [letter.customer_id for letter in letters if letter.customer_id not in allowed]
    return Closed(batch, receipts, left_out)


def _remember_files(batch: PrintBatch, receipts: list[Receipt]) -> None:
    adapter = _adapter(batch)
    names = [receipt.provider_id.partition("#")[0] for receipt in receipts if receipt.provider_id]
    batch.refresh_from_db()
    batch.letters = len(names)
    if names:
        batch.pdf_path = str(adapter.folder() / f"{names[0]}.pdf")
        batch.csv_path = str(adapter.folder() / f"{names[0]}.csv")
    batch.save(update_fields=["letters", "pdf_path", "csv_path"])


def files_of(batch: PrintBatch) -> list[Path]:
    """The files of a closed batch that exist."""
    return [path for path in (Path(batch.pdf_path), Path(batch.csv_path)) if path.is_file()]


def _adapter(batch: PrintBatch) -> PrintFileAdapter:
    adapter = registry.adapter_for(batch.account)
    if not isinstance(adapter, PrintFileAdapter):
        raise registry.UnknownAdapter(f"{batch.account} is no print file")
    return adapter


def _request(letter: Letter) -> LetterRequest:
    content = dict(letter.content)
    language = content.pop("language", "")
    content["sender_lines"] = tuple(content.get("sender_lines", ()))
    address = {**letter.address, "lines": tuple(letter.address.get("lines", ()))}
    reference = delivery_reference(letter.run_id, letter.customer_id)
    return LetterRequest(reference, PostalAddress(**address), LetterContent(**content), language)
