"""What travels between the parts of the print file adapter."""

from dataclasses import dataclass

from ...content import LetterContent
from ..base import PostalAddress, Request


@dataclass(frozen=True)
class LetterRequest(Request):
    """One finished letter."""

    address: PostalAddress
    letter: LetterContent
    language: str


@dataclass(frozen=True)
class PrintedLetter:
    """Where a letter stands in the PDF: its first page, counted from 1, and how many it takes."""

    reference: str
    address: PostalAddress
    language: str
    page: int
    pages: int
