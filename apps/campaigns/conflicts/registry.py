"""All conflict rules, in the order in which people should hear of them."""

from .rule import Rule
from .rules.blackout import BlackoutRule
from .rules.capacity import CapacityRule
from .rules.inversion import InversionRule
from .rules.offers import OffersRule
from .rules.overlap import OverlapRule
from .rules.pressure import PressureRule
from .rules.spacing import SpacingRule

RULES: tuple[Rule, ...] = (
    BlackoutRule(), OffersRule(), OverlapRule(), SpacingRule(), CapacityRule(), PressureRule(), InversionRule(),
)


def rule(code: str) -> Rule:
    """The rule with that code; KeyError for an unknown one."""
    return {known.code: known for known in RULES}[code]
