"""How many days each channel needs to prepare a message, as shipped and as administrators have set it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from apps.channels.kinds import Channel

SHIPPED: dict[str, int] = {"": 1, Channel.LETTER: 7, Channel.CALL: 2, Channel.STORE: 5}


@dataclass(frozen=True)
class LeadTimes:
    """``own``: (channel, department) -> days; "" is every channel without a line, None every department."""

    own: Mapping[tuple[str, int | None], int] = field(default_factory=dict)

    def of(self, channel: str, department_id: int | None) -> int:
        """Days that a message of this channel needs in that department: its own line first, then everybody's, then as shipped.

        The channel's own line goes before the one for all others.
        """
        for key in (channel, department_id), (channel, None):
            if key in self.own:
                return self.own[key]
        if channel in SHIPPED and channel:
            return SHIPPED[channel]
        return self.own.get(("", department_id), self.own.get(("", None), SHIPPED[""]))


def in_force() -> LeadTimes:
    """As administrators have set them, in one query."""
    from ..models import LeadTime

    return LeadTimes({(row.channel, row.department_id): row.days for row in LeadTime.objects.all()})
