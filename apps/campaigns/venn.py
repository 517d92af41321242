"""A Venn diagram of two sets whose areas are true: circles by people, the lens by the people in both."""

from __future__ import annotations

from dataclasses import dataclass
from math import acos, pi, sqrt

WIDTH, HEIGHT, LARGEST = 330, 150, 62.0
# words of the three parts stand at least so far from each other
ROOM = 70


@dataclass(frozen=True)
class Venn:
    """Places in a drawing of 330 by 150: centres and radii, and where the words stand."""

    x1: float
    x2: float
    r1: float
    r2: float
    word1: float
    word2: float
    middle: float
    y: float = HEIGHT / 2
    width: int = WIDTH
    height: int = HEIGHT


def lens(r1: float, r2: float, distance: float) -> float:
    """The area that two circles share. Source: the standard circular-segment formula."""
    if distance >= r1 + r2:
        return 0.0
    if distance <= abs(r1 - r2):
        return pi * min(r1, r2) ** 2
    part1 = r1**2 * acos((distance**2 + r1**2 - r2**2) / (2 * distance * r1))
    part2 = r2**2 * acos((distance**2 + r2**2 - r1**2) / (2 * distance * r2))
    kite = (-distance + r1 + r2) * (distance + r1 - r2) * (distance - r1 + r2) * (distance + r1 + r2)
    return part1 + part2 - sqrt(max(0.0, kite)) / 2


def draw(first: int, second: int, both: int) -> Venn | None:
    """The diagram for two audiences of which ``both`` people are shared; None when one is empty."""
    if not first or not second:
        return None
    scale = LARGEST / sqrt(max(first, second))
    r1, r2 = max(4.0, scale * sqrt(first)), max(4.0, scale * sqrt(second))
    wanted = min(pi * min(r1, r2) ** 2, both * pi * scale**2)
    near, far = abs(r1 - r2), r1 + r2
    for _step in range(40):
        middle = (near + far) / 2
        near, far = (middle, far) if lens(r1, r2, middle) > wanted else (near, middle)
    left, right = -r1, max(far + r2, r1)
    shift = WIDTH / 2 - (left + right) / 2
    x1, x2 = shift, shift + far
    middle = (max(x1 - r1, x2 - r2) + min(x1 + r1, x2 + r2)) / 2
    return Venn(
        round(x1, 1), round(x2, 1), round(r1, 1), round(r2, 1),
        word1=round(min(((x1 - r1) + (x2 - r2)) / 2, middle - ROOM), 1),
        word2=round(max(((x1 + r1) + (x2 + r2)) / 2, middle + ROOM), 1),
        middle=round(middle, 1),
    )
