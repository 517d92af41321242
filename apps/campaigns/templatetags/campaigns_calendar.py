"""Tags of the calendar and the conflict pages."""

from django import template

from ..conflicts.panels import Panel
from ..venn import Venn, draw

register = template.Library()


@register.simple_tag
def venn(panel: Panel) -> Venn | None:
    """The drawing of the two audiences; None when there are not two, or they are not counted yet."""
    sides = panel.sides
    if len(sides) != 2 or panel.conflict.people_count is None:
        return None
    return draw(sides[0].people or 0, sides[1].people or 0, panel.conflict.people_count)


@register.filter
def unlocal(value: float) -> str:
    """A number as SVG wants it, with a point whatever the language."""
    return f"{value:g}"
