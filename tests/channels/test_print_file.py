"""Letters: what is printed is what was written, in every letter of our alphabets."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfReader

from apps.channels.adapters.base import AccountConfig, Outcome, OutgoingMessage, PostalAddress
from apps.channels.adapters.print_file import PrintFileAdapter
from apps.channels.adapters.print_file.address import window_lines
from apps.channels.adapters.print_file.sheet import harmless
from apps.channels.content import LetterContent, marker
from tests.shared_data import shared

LETTERS = "łŁøØżŻåÅæÆąćęńóśźäöüßéèñçőűčřšžğıИжΩ€–„”’…"
CONTENT = LetterContent(
    heading="Zażółć gęślą jaźń",
    text=f"Kjære {marker('name')},\n\n{LETTERS}\n\n# Sub-heading\n\n- one\n- two",
    signature="Vennlig hilsen\nFjord",
    sender_lines=("Fjord AS", "Storgata 1", "0155 Oslo"),
    footer="Fjord AS, org. 999 999 999",
)
OLA = PostalAddress("Ola Nordmann", ("Blåbærveien 5",), "0155", "Oslo", country="NO")


@pytest.fixture
def adapter(tmp_path: Path) -> PrintFileAdapter:
    options = {"folder": str(tmp_path / "out"), "home_country": "NO"}
    return PrintFileAdapter(AccountConfig(1, "letter", "print_file", options))


def post(adapter: PrintFileAdapter, *people: PostalAddress, content: LetterContent = CONTENT) -> list[Any]:
    messages = [
        OutgoingMessage(f"9.{n}", person, "nb", content, {"name": person.name}) for n, person in enumerate(people, 1)
    ]
    return list(adapter.post([adapter.build(message) for message in messages]))


def files(adapter: PrintFileAdapter) -> tuple[PdfReader, list[dict[str, str]]]:
    (pdf,), (table,) = adapter.folder().glob("*.pdf"), adapter.folder().glob("*.csv")
    rows = csv.DictReader(io.StringIO(table.read_text("utf-8-sig")), delimiter=";")
    return PdfReader(pdf), list(rows)


def test_every_letter_of_our_alphabets_is_printed(adapter: PrintFileAdapter) -> None:
    post(adapter, PostalAddress("Łukasz Żółć-Ørsted", ("ul. Świętokrzyska 1",), "00-001", "Łódź", country="PL"))

    text = files(adapter)[0].pages[0].extract_text()

    for expected in (
        "Łukasz Żółć-Ørsted",
        "ul. Świętokrzyska 1",
        "00-001 Łódź",
        "POLAND",
        "Zażółć gęślą jaźń",
        LETTERS,
    ):
        assert expected in text


def test_the_address_stands_in_the_window(adapter: PrintFileAdapter) -> None:
    post(adapter, OLA)
    places: list[tuple[float, float]] = []

    def note(text: str, _cm: Any, tm: Any, _font: Any, _size: Any) -> None:
        if "Ola Nordmann" in text or text.strip() == "0155 Oslo":
            places.append((float(tm[4]), float(tm[5])))

    files(adapter)[0].pages[0].extract_text(visitor_text=note)

    x, y = places[0]
    millimetres_left, millimetres_down = x / 72 * 25.4, 297 - y / 72 * 25.4
    assert 20 <= millimetres_left <= 30
    assert 45 <= millimetres_down <= 90


def test_one_file_pair_for_all_letters_and_a_line_for_each(adapter: PrintFileAdapter) -> None:
    long = LetterContent("Long", "\n\n".join(["Many words in a paragraph. " * 30] * 14))

    receipts = post(adapter, *[OLA] * 3, content=long)

    pdf, rows = files(adapter)
    assert [receipt.outcome for receipt in receipts] == [Outcome.ACCEPTED] * 3
    assert [row["reference"] for row in rows] == ["9.1", "9.2", "9.3"]
    assert {row["pages"] for row in rows} == {"4"}
    assert [row["page"] for row in rows] == ["1", "5", "9"]
    assert len(pdf.pages) == 12


def test_small_print_is_that_of_the_same_letter(adapter: PrintFileAdapter) -> None:
    requests = [
        adapter.build(OutgoingMessage(f"9.{n}", OLA, "nb", LetterContent("H", "T", footer=f"foot {n}"))) for n in (1, 2)
    ]
    list(adapter.post(requests))

    assert ["foot 1" in p.extract_text() for p in files(adapter)[0].pages] == [True, False]
    assert ["foot 2" in p.extract_text() for p in files(adapter)[0].pages] == [False, True]


def test_printing_the_same_letters_twice_makes_one_file(adapter: PrintFileAdapter) -> None:
    post(adapter, OLA)
    post(adapter, OLA)

    assert len(list(adapter.folder().iterdir())) == 2


def test_a_letter_that_could_not_arrive_or_be_read_is_refused(adapter: PrintFileAdapter) -> None:
    nowhere = PostalAddress("Ola Nordmann", (), "", "")
    strange = PostalAddress("王小明", ("Storgata 1",), "0155", "Oslo")

    receipts = {r.reference: (r.outcome, r.code) for r in post(adapter, nowhere, strange, OLA)}

    assert receipts["9.1"] == (Outcome.REJECTED, "no_postal_address")
    assert receipts["9.2"] == (Outcome.REJECTED, "unprintable")
    assert receipts["9.3"] == (Outcome.ACCEPTED, "")
    assert len(files(adapter)[1]) == 1


def test_no_cell_is_a_formula(adapter: PrintFileAdapter) -> None:
    source = shared("edge/csv_injection_payloads.txt")
    payloads = source.read_text().splitlines() if source.exists() else ["=1+1", "@SUM(1)", "-2", "+3", "\t=1", "＝1"]

    post(adapter, *[PostalAddress(p or "x", (p or "x",), p, p or "x", country="NO") for p in payloads])

    (table,) = adapter.folder().glob("*.csv")
    for row in csv.reader(io.StringIO(table.read_text("utf-8-sig")), delimiter=";"):
        assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r", "＝")) for cell in row)


def test_a_harmless_value_stays_as_it_is() -> None:
    assert harmless("Blåbærveien 5 B") == "Blåbærveien 5 B"


def test_addresses_follow_the_order_of_their_country() -> None:
    british = PostalAddress("A. Smith", ("1 High St",), "SW1A 1AA", "London", country="GB", company="Smith Ltd")
    american = PostalAddress("A. Smith", ("1 Main St",), "94105", "San Francisco", "CA", "US")

    assert window_lines(british, "NO")[-3:] == ["London", "SW1A 1AA", "UNITED KINGDOM"]
    assert window_lines(american, "NO")[-2:] == ["San Francisco CA 94105", "UNITED STATES OF AMERICA"]
    assert window_lines(OLA, "NO") == ["Ola Nordmann", "Blåbærveien 5", "0155 Oslo"]


def test_a_folder_that_cannot_be_written_means_try_again(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    options = {"folder": str(tmp_path / "file" / "out")}
    adapter = PrintFileAdapter(AccountConfig(1, "letter", "print_file", options))

    assert [receipt.outcome for receipt in post(adapter, OLA)] == [Outcome.RETRY]
