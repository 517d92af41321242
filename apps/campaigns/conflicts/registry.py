"""All conflict rules, in the order in which people should hear of them."""

from .rule import Rule
from .rules.blackout import BlackoutRule
from .rules.offers import OffersRule
from .rules.overlap import OverlapRule

RULES: tuple[Rule, ...] = (BlackoutRule(), OffersRule(), OverlapRule())


def rule(code: str) -> Rule:
    """The rule with that code; KeyError for an unknown one."""
    return {known.code: known for known in RULES}[code]
