"""All conflict rules, in the order in which people should hear of them."""

from .rule import Rule
from .rules.blackout import BlackoutRule
from .rules.capacity import CapacityRule
from .rules.embargo import EmbargoRule
from .rules.exclusivity import ExclusivityRule
from .rules.experiment import ExperimentRule
from .rules.holiday import HolidayRule
from .rules.inversion import InversionRule
from .rules.offers import OffersRule
from .rules.overlap import OverlapRule
from .rules.pairings import PairingsRule
from .rules.pressure import PressureRule
from .rules.quiet import QuietRule
from .rules.sequence import SequenceRule
from .rules.service_first import ServiceFirstRule
from .rules.spacing import SpacingRule

RULES: tuple[Rule, ...] = (
    BlackoutRule(), EmbargoRule(), QuietRule(), ExperimentRule(), OffersRule(), PairingsRule(), SequenceRule(), OverlapRule(),
    SpacingRule(), CapacityRule(), PressureRule(), InversionRule(), ExclusivityRule(), HolidayRule(), ServiceFirstRule(),
)


def rule(code: str) -> Rule:
    """The rule with that code; KeyError for an unknown one."""
    return {known.code: known for known in RULES}[code]
