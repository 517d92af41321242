"""What a way out is called, the same while it is measured and once it is proposed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from apps.channels.kinds import Channel
from apps.core import formats

from ..models.conflicts import ResolutionAction
from ..scenarios import words


def label(action: str, parameters: Mapping[str, Any], *, names: Mapping[int, str], titles: Mapping[int, str], saved: int = 0) -> str:
    """One line; empty for a move and an acceptance, which are told differently later. ``names``: campaign -> what the sides are
    called, ``titles``: campaign -> its own name.
    """
    def side(key: str) -> str:
        return names.get(parameters.get(key, 0), "?")

    title = titles.get(parameters.get("campaign", 0), "?")
    if "step" in parameters and action != ResolutionAction.CANCEL:
        return words.step(parameters["step"], title, parameters, parameters.get("message"))
    if action == ResolutionAction.CANCEL:
        return _("Cancel %(campaign)s") % {"campaign": title}
    if parameters.get("alone"):
        return _("%(campaign)s leaves these people out") % {"campaign": title}
    if action == ResolutionAction.LEAVE_OUT:
        return _("%(yielding)s leaves out the people of %(keeping)s") % {"yielding": side("yielding"), "keeping": side("keeping")}
    if action == ResolutionAction.CAP:
        return _("Hold to the limit: %(campaign)s leaves out whoever is over it") % {"campaign": side("campaign")}
    if action == ResolutionAction.SPLIT:
        return _("Each gets the one more likely to bring an order: %(kept)s stay with %(keeping)s, %(swapped)s with %(yielding)s") % {
            "kept": formats.number(parameters["kept"]), "keeping": side("keeping"),
            "swapped": formats.number(parameters["swapped_count"]), "yielding": side("yielding"),
        }
    if action == ResolutionAction.CHANNEL:
        return _("%(yielding)s contacts the shared people on another channel: %(channel)s, %(reached)s reached") % {
            "yielding": side("yielding"), "channel": Channel(parameters["channel"]).label,
            "reached": formats.number(parameters["reached"]),
        }
    if action == ResolutionAction.MERGE:
        told = _("One joint campaign, led by %(leading)s: %(people)s people contacted once instead of twice, %(saved)s sends saved")
        return told % {
            "leading": side("leading"), "people": formats.number(parameters["reached"]), "saved": formats.number(saved)
        }
    return ""
