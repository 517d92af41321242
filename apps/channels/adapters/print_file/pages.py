"""Letters as PDF pages: A4, address in the window of DIN 5008 form B, Source Sans (OFL, from its wheel)."""

from functools import lru_cache
from importlib.resources import files
from pathlib import Path

from fontTools.ttLib import TTFont
from fpdf import FPDF

from ..base import PostalAddress
from .address import window_lines
from .requests import LetterRequest, PrintedLetter

_FONT = "source"
_LEFT, _RIGHT = 25.0, 20.0
_WINDOW_TOP, _WINDOW_LINES = 45.0, 6
_TEXT_TOP = 98.4  # DIN 5008 form B: subject line
_CONTROL = {code: None for code in range(32) if code not in (9, 10)}


def _font_file(name: str) -> Path:
    return Path(str(files("font_source_sans_pro").joinpath("files", f"SourceSansPro-{name}.ttf")))


@lru_cache(maxsize=1)
def _printable() -> frozenset[int]:
    with TTFont(_font_file("Regular"), lazy=True) as font:
        return frozenset(font.getBestCmap())


def unprintable(text: str) -> list[str]:
    """The characters of `text` that the font cannot print, once each."""
    known = _printable()
    return [c for c in dict.fromkeys(text) if ord(c) not in known and c not in "\n\t\r"]


class _File(FPDF):
    """One PDF of many letters."""

    small_print = ""

    def __init__(self) -> None:
        super().__init__(format="A4")
        self.add_font(_FONT, "", _font_file("Regular"))
        self.add_font(_FONT, "B", _font_file("Bold"))
        self.set_margins(_LEFT, 20, _RIGHT)
        self.set_auto_page_break(True, margin=28)

    def footer(self) -> None:
        """The small print at the foot of every page."""
        if self.small_print:
            self.set_y(-20)
            self.set_font(_FONT, size=7.5)
            self.set_text_color(90)
            self.multi_cell(0, 3.6, self.small_print, align="L")


def letters_pdf(requests: list[LetterRequest], home: str = "") -> tuple[bytes, list[PrintedLetter]]:
    """One PDF of all letters, and where each of them stands in it."""
    pdf = _File()
    printed = []
    for request in requests:
        # a page's foot is written when the page after it begins, so the small print changes only then
        pdf.add_page()
        pdf.small_print = _clean(request.letter.footer)
        first = pdf.page
        _write(pdf, request, home)
        printed.append(PrintedLetter(request.reference, request.address, request.language, first, pdf.page - first + 1))
    return bytes(pdf.output()), printed


def _clean(text: str) -> str:
    return text.replace("\r\n", "\n").translate(_CONTROL).replace("\t", " ")


def _write(pdf: _File, request: LetterRequest, home: str) -> None:
    letter = request.letter
    _window(pdf, request.address, letter.sender_lines, home)
    red, green, blue = (int(letter.colour.lstrip("#")[i : i + 2], 16) for i in (0, 2, 4))
    pdf.set_y(_TEXT_TOP)
    pdf.set_font(_FONT, "B", 14)
    pdf.set_text_color(red, green, blue)
    pdf.multi_cell(0, 7, _clean(letter.heading), align="L", new_x="LMARGIN", new_y="NEXT")
    pdf.ln(3)
    for paragraph in _clean(letter.text).split("\n\n"):
        _paragraph(pdf, paragraph.strip("\n"))
    if letter.signature:
        pdf.ln(2)
        _lines(pdf, _clean(letter.signature))


def _window(pdf: _File, address: PostalAddress, sender_lines: tuple[str, ...], home: str) -> None:
    pdf.set_text_color(90)
    pdf.set_font(_FONT, size=7)
    pdf.set_xy(_LEFT, _WINDOW_TOP + 2)
    pdf.cell(80, 3.5, _clean(" · ".join(sender_lines))[:90])
    pdf.set_text_color(20)
    pdf.set_font(_FONT, size=10.5)
    lines = window_lines(address, home)
    if len(lines) > _WINDOW_LINES:
        lines = [
            *lines[:2],
            ", ".join(lines[2 : len(lines) - _WINDOW_LINES + 3]),
            *lines[len(lines) - _WINDOW_LINES + 3 :],
        ]
    for number, line in enumerate(lines):
        pdf.set_xy(_LEFT, _WINDOW_TOP + 10 + number * 4.8)
        pdf.cell(80, 4.8, _clean(line))


def _paragraph(pdf: _File, text: str) -> None:
    if text.startswith("# "):
        pdf.set_font(_FONT, "B", 11.5)
        pdf.set_text_color(20)
        pdf.multi_cell(0, 6, text[2:], align="L", new_x="LMARGIN", new_y="NEXT")
        pdf.ln(1)
    else:
        _lines(pdf, text)
        pdf.ln(2.6)


def _lines(pdf: _File, text: str) -> None:
    pdf.set_font(_FONT, size=11)
    pdf.set_text_color(20)
    for line in text.split("\n"):
        item = line.startswith("- ")
        if item:
            pdf.cell(5, 5.4, "•")
        pdf.multi_cell(0, 5.4, line[2:] if item else line, align="L", new_x="LMARGIN", new_y="NEXT")
