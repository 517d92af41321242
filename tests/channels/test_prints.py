"""Print files: collected, asked again, closed once."""

from __future__ import annotations

import pytest
from pypdf import PdfReader

from apps.channels import prints
from apps.channels.adapters.base import OutgoingMessage, PostalAddress
from apps.channels.content import LetterContent, marker
from apps.channels.counterparts import inbox
from apps.channels.models import ChannelAccount, Letter, PrintBatch
from tests.factories.channels import NOW, ChannelAccountFactory

pytestmark = pytest.mark.django_db
CONTENT = LetterContent("Hello", f"Dear {marker('name')}", sender_lines=("Fjord AS", "0155 Oslo"))


@pytest.fixture
def account() -> ChannelAccount:
    return ChannelAccountFactory(letter=True)


def letter(customer: int, run: int = 5) -> OutgoingMessage:
    address = PostalAddress(f"Person {customer}", ("Storgata 1",), "0155", "Oslo", country="NO")
    return OutgoingMessage(f"{run}.{customer}", address, "nb", CONTENT, {"name": f"Person {customer}"})


def filled(account: ChannelAccount, *customers: int) -> PrintBatch:
    batch = prints.open_batch(account=account, run_id=5, now=NOW)
    assert prints.add(batch, [letter(customer) for customer in customers]) == {}
    return batch


def test_letters_are_collected_once_in_one_open_file(account: ChannelAccount) -> None:
    first, second = filled(account, 1, 2), filled(account, 2, 3)

    assert first == second
    assert sorted(Letter.objects.values_list("customer_id", flat=True)) == [1, 2, 3]


def test_closing_writes_those_who_may_still_be_written_to(account: ChannelAccount, settings) -> None:
    batch = filled(account, 1, 2, 3)

    closed = prints.close(batch, still_allowed=lambda people: set(people) - {2}, by=None, now=NOW)

    pdf, table = prints.files_of(closed.batch)
    assert [page.extract_text().count("Dear Person") for page in PdfReader(pdf).pages] == [1, 1]
    assert "Person 2" not in table.read_text("utf-8-sig")
    assert closed.left_out == [2]
    assert sorted(receipt.reference for receipt in closed.receipts) == ["5.1", "5.3"]
    assert (closed.batch.letters, closed.batch.closed_at) == (2, NOW)
    assert not Letter.objects.exists()
    assert inbox.references("letter", settings.SANDBOX_DIR) == {"5.1": 1, "5.3": 1}


def test_a_file_is_closed_once(account: ChannelAccount) -> None:
    batch = filled(account, 1)
    prints.close(batch, still_allowed=set, by=None, now=NOW)

    with pytest.raises(prints.AlreadyClosed):
        prints.close(batch, still_allowed=set, by=None, now=NOW)


def test_after_closing_a_run_gets_a_new_file(account: ChannelAccount) -> None:
    batch = filled(account, 1)
    prints.close(batch, still_allowed=set, by=None, now=NOW)

    assert prints.open_batch(account=account, run_id=5, now=NOW) != batch


def test_a_letter_without_its_values_is_named(account: ChannelAccount) -> None:
    batch = prints.open_batch(account=account, run_id=5, now=NOW)
    message = OutgoingMessage("5.1", PostalAddress("A", ("B",), "1", "C"), "nb", CONTENT)

    assert prints.add(batch, [message]) == {"5.1": "MissingSlot: name"}
