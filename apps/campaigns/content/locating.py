"""Where in a message a template problem stands, in the author's terms: the block and its own line."""

from __future__ import annotations

from collections.abc import Iterator

from django.utils.translation import gettext as _

from ..models import ContentVersion
from . import blocks, facts, liquid


def located(version: ContentVersion, problem: liquid.TemplateProblem, known: facts.Facts | None = None) -> liquid.TemplateProblem:
    """The problem said where it stands. What is sent is generated from the parts, and its lines are nobody's.

    With ``known`` the parts are also tried out for that person.
    """
    for place, text in _parts(version):
        try:
            template = liquid.parse(text)
            if known is not None:
                template.values(known)
        except liquid.TemplateProblem as own:
            return own.at(place)
    return liquid.TemplateProblem(problem.text) if version.format == "blocks" else problem


def _parts(version: ContentVersion) -> Iterator[tuple[str, str]]:
    yield _("Subject"), version.subject
    yield _("Preview line"), version.preheader
    if version.format != "blocks":
        yield _("Text"), version.body
        return
    for number, block in enumerate(version.blocks or [], 1):
        place = _("Block %(number)s (%(kind)s)") % {"number": number, "kind": blocks.KINDS[block["kind"]]}
        for text in blocks.sources([block]):
            yield place, text
