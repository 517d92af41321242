"""What every conflict rule is."""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, ClassVar

from django.utils.translation import gettext

from .findings import Facts, Finding

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

    from .snapshot import Plan


class Rule(ABC):
    """One kind of collision, in one file. Pure over the plan: it reads no clock and writes nothing.

    A subclass's ``__doc__`` is written for planners, stands on the rules page, and is therefore marked for translation.
    ``speaks_early``: the finding is worth showing before the people are counted. ``needs_people``: without people the rule finds
    nothing, and what it found before stands until they are counted. ``holds_up``: a weighty finding keeps a campaign from being
    scheduled; not where sending itself keeps to the rule, so that nothing worse than the finding can happen.
    """

    code: ClassVar[str]
    title: ClassVar[_StrPromise]
    speaks_early: ClassVar[bool] = False
    needs_people: ClassVar[bool] = False
    holds_up: ClassVar[bool] = True

    @abstractmethod
    def find(self, plan: Plan) -> Iterable[Finding]:
        """Every collision of this kind that touches the plan's focus (or any, when it has none)."""

    @abstractmethod
    def materially_worse(self, agreed: Facts, now: Facts) -> bool:
        """Whether what is found now is so much worse than what was agreed that people must be asked again."""

    @abstractmethod
    def pattern(self, facts: Facts, people: int | None) -> str:
        """The sentence about one finding, translated, with named places: ``first``, ``second`` (the campaigns), their
        ``_department`` and ``_day``, ``message``, ``people``, ``apart``, ``days``, and whatever ``words`` adds.
        ``people`` is None while they are not counted.
        """

    def words(self, facts: Facts) -> dict[str, Any]:
        """What the sentence of this rule names beside the campaigns, from the stored facts, in the reader's language."""
        return {}

    def explanation(self) -> str:
        """The rule in a planner's words, in the reader's language."""
        return gettext(inspect.cleandoc(type(self).__doc__ or ""))
