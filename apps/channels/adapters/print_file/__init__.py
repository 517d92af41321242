"""Direct mail: a print file that a print shop takes as it is."""

from .adapter import PrintFileAdapter
from .requests import LetterRequest

__all__ = ["LetterRequest", "PrintFileAdapter"]
