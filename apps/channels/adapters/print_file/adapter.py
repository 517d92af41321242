"""A print file: one PDF of letters and one CSV beside it, written whole or not at all."""

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import ClassVar

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ...content import LetterContent, MissingSlot
from ...references import parse_reference
from ..base import Adapter, AdapterError, Outcome, OutgoingMessage, PostalAddress, Problem, Receipt, Setting
from .address import is_complete
from .pages import letters_pdf, unprintable
from .requests import LetterRequest, PrintedLetter
from .sheet import sheet

_NOWHERE = {"no_postal_address": "the postal address is not complete", "unprintable": "the font cannot print: "}


class PrintFileAdapter(Adapter):
    """Writes what `post` gets into one file pair in `options.folder`. The same letters make the same file name."""

    code = "print_file"
    channel = "letter"
    name = gettext_lazy("Print file")
    option_fields: ClassVar[tuple[Setting, ...]] = (
        Setting("folder", gettext_lazy("Folder for the print files"), required=True),
        Setting("home_country", gettext_lazy("Own country (not printed in the window)"), default="NO"),
    )

    def folder(self) -> Path:
        """Where the files go."""
        return Path(str(self.config.options["folder"]))

    def check(self, content: LetterContent) -> list[Problem]:
        problems = []
        if not content.text.strip():
            problems.append(Problem("empty", _("The letter has no text.")))
        strange = unprintable(content.heading + content.text + content.signature + content.footer)
        if strange:
            text = _("The font of letters cannot print: %(characters)s")
            problems.append(Problem("unprintable", text % {"characters": " ".join(strange[:10])}))
        return problems

    def build(self, message: OutgoingMessage) -> LetterRequest:
        if not isinstance(message.address, PostalAddress):
            raise AdapterError("a letter needs a postal address", permanent=True)
        try:
            letter = message.content.fill(message.slots)
        except MissingSlot as problem:
            raise AdapterError(f"MissingSlot: {problem}", permanent=True) from problem
        return LetterRequest(message.reference, message.address, letter, message.language)

    def post(self, requests: Iterable[LetterRequest]) -> Iterator[Receipt]:
        good = []
        for request in requests:
            if (code := _obstacle(request)) is None:
                good.append(request)
            else:
                yield Receipt(request.reference, Outcome.REJECTED, code=code, detail=_NOWHERE[code], by_us=True)
        if good:
            yield from map(self.parse, self._write(good))

    def _write(self, requests: list[LetterRequest]) -> list[tuple[str, PrintedLetter | str, str]]:
        name = file_name(requests)
        try:
            pdf, printed = letters_pdf(requests, str(self.config.options.get("home_country") or ""))
            self.folder().mkdir(parents=True, exist_ok=True)
            _replace(self.folder() / f"{name}.pdf", pdf)
            # the table comes last: a print shop that waits for it never sees half a file
            _replace(self.folder() / f"{name}.csv", sheet(printed).encode("utf-8-sig"))
        except OSError as problem:
            return [(request.reference, str(problem), name) for request in requests]
        return [(letter.reference, letter, name) for letter in printed]

    def parse(self, response: tuple[str, PrintedLetter | str, str]) -> Receipt:
        reference, printed, name = response
        if isinstance(printed, str):
            return Receipt(reference, Outcome.RETRY, code="file", detail=printed[:300])
        return Receipt(reference, Outcome.ACCEPTED, provider_id=f"{name}#{printed.page}")

    def test_connection(self) -> str:
        try:
            self.folder().mkdir(parents=True, exist_ok=True)
            probe = self.folder() / ".probe"
            probe.write_bytes(b"")
            probe.unlink()
        except OSError as problem:
            raise AdapterError(f"the folder cannot be written: {problem}", permanent=True) from problem
        return _("The folder can be written.")


def file_name(requests: list[LetterRequest]) -> str:
    """The name of the file pair: the run and a digest of who is in it, so that writing twice is harmless."""
    references = sorted(request.reference for request in requests)
    parsed = parse_reference(references[0])
    digest = hashlib.sha256("\n".join(references).encode()).hexdigest()[:12]
    return f"letters-{parsed[0] if parsed else 0}-{digest}"


def _obstacle(request: LetterRequest) -> str | None:
    if not is_complete(request.address):
        return "no_postal_address"
    address = request.address
    texts = [address.name, address.company, *address.lines, address.city, request.letter.text, request.letter.heading]
    return "unprintable" if unprintable("".join(texts)) else None


def _replace(path: Path, content: bytes) -> None:
    fresh = path.with_suffix(path.suffix + ".part")
    fresh.write_bytes(content)
    fresh.replace(path)
