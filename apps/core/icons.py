"""Inline SVG icons (Lucide) and severity shapes: current colour, no request, hidden from screen readers unless named."""

from functools import lru_cache

import lucide
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from apps.core.vocabulary import SHAPES


@lru_cache(maxsize=256)
def icon(name: str, label: str = "") -> SafeString:
    """The icon; with a label it is an image with that name. Raises lucide.IconDoesNotExist for a name unknown."""
    attributes = {"class": "icon", "role": "img", "aria_label": label} if label else {"class": "icon"}
    drawn = lucide._render_icon(name, None, **attributes)
    # Lucide's own fixed markup; the only foreign part is the label, which its XML writer escapes.
    return mark_safe(drawn if label else drawn.replace("<svg", '<svg aria-hidden="true"', 1))


def shape(name: str) -> SafeString:
    """One of the five severity shapes, to stand beside its word."""
    return format_html('<svg class="shape" viewBox="0 0 12 12" aria-hidden="true">{}</svg>', mark_safe(SHAPES[name]))
