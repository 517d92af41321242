"""What-ifs in words: their changes, why one does not fit any more, what one is good for. Codes and figures are stored."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date, timedelta
from typing import Any

from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from apps.channels.kinds import Channel
from apps.core import formats

from ..conflicts import registry
from ..models import Campaign, Message, ScenarioChange
from ..models.scenarios import ChangeKind

MISFITS = {
    "gone": gettext_lazy("It is not in the plan any more."),
    "begun": gettext_lazy("It has begun; what has begun is not changed."),
    "not_movable": gettext_lazy("It cannot begin on that day: it would be in the past, or part of it is out already."),
    "locked": gettext_lazy("It is locked: its lead has to unlock it first."),
    "moved_meanwhile": gettext_lazy("Its days have been changed in the plan meanwhile."),
    "channel_meanwhile": gettext_lazy("Its channel has been changed in the plan meanwhile."),
    "agreed_meanwhile": gettext_lazy("The two campaigns have agreed on something already."),
    "nobody_to_leave_out": gettext_lazy("There is nobody to leave out any more."),
    "worse": gettext_lazy("The plan has changed: there it would collide with more than when it was tried."),
    "decided": gettext_lazy("The conflict has been decided meanwhile."),
    "not_yet": gettext_lazy("It builds on other changes: apply it once those hold."),
    "refused": gettext_lazy("It was not possible."),
}
Told = Callable[[int], str]
STAYING = {
    "chosen": gettext_lazy("you locked it"), "begun": gettext_lazy("has begun"), "agreed": gettext_lazy("approved: others rely on it"),
    "safety": gettext_lazy("safety notice"), "outside": gettext_lazy("begins outside the period"),
    "lead": gettext_lazy("too near to be prepared anew"), "lock_agreed": gettext_lazy("locked: agreed with others"),
    "lock_printed": gettext_lazy("locked: printed"), "lock_booked": gettext_lazy("locked: booked"),
}


def misfit(code: str) -> str:
    """Why a change cannot be made (any more)."""
    return str(MISFITS.get(code, MISFITS["refused"]))


def staying(code: str) -> str:
    """Why a re-plan leaves a campaign where it is."""
    return str(STAYING.get(code, code))


def change(row: ScenarioChange, names: Mapping[int, str]) -> str:
    """The change as a sentence. ``names``: campaign -> name."""
    name, figures = names.get(row.campaign_id, "?"), row.parameters
    if row.kind == ChangeKind.MOVE:
        return _moved(name, figures, row.campaign)
    if row.kind == ChangeKind.LEAVE_OUT and "identity" in figures:
        people = figures["people"]
        return ngettext(
            "%(campaign)s leaves %(n)s person out: %(rule)s", "%(campaign)s leaves %(n)s people out: %(rule)s", people
        ) % {"campaign": name, "n": formats.number(people), "rule": title(figures["rule"])}
    if row.kind == ChangeKind.LEAVE_OUT:
        return _("%(yielding)s leaves out the people of %(keeping)s") % {
            "yielding": names.get(figures["yielding"], "?"), "keeping": names.get(figures["keeping"], "?")
        }
    if row.kind == ChangeKind.CHANNEL and "reached" in figures:
        return _("%(change)s (%(reached)s of its %(people)s people can be reached there)") % {
            "change": step(row.kind, name, figures, row.message_id), "reached": formats.number(figures["reached"]),
            "people": formats.number(figures["people"]),
        }
    if row.kind == ChangeKind.CAP:
        return _("%(message)s of %(campaign)s is held to the contact limit") % {
            "message": row.message.name if row.message else "?", "campaign": name,
        }
    if row.kind == ChangeKind.ACCEPT:
        return _("Accept “%(rule)s” of %(campaign)s until %(day)s") % {
            "rule": title(figures["rule"]), "campaign": name, "day": formats.day(date.fromisoformat(figures["until"]), "day"),
        }
    return step(row.kind, name, figures, row.message_id)


def step(kind: str, name: str, figures: Mapping[str, Any], message_id: int | None) -> str:
    """A change of the plan itself as a sentence, wherever it is proposed; ``name`` is that of its campaign."""
    if kind == ChangeKind.MOVE:
        return _moved(name, figures)
    if kind == ChangeKind.RETIME:
        return _retimed(name, figures)
    message = _messages([message_id]).get(message_id or 0, "?") if message_id else "?"
    if kind == ChangeKind.CHANNEL:
        return _("%(message)s of %(campaign)s goes by %(channel)s") % {
            "message": message, "campaign": name, "channel": Channel(figures["channel"]).label,
        }
    if kind == ChangeKind.STOP:
        return _("%(message)s of %(campaign)s is given up") % {"message": message, "campaign": name}
    if kind == ChangeKind.PRIORITY:
        return _("%(campaign)s gets priority %(n)d (now %(was)d)") % {
            "campaign": name, "n": figures["priority"], "was": figures.get("from", 50)
        }
    return _("%(campaign)s is cancelled") % {"campaign": name}


def _messages(ids: Iterable[int | None]) -> dict[int, str]:
    return dict(Message.objects.filter(pk__in=[pk for pk in ids if pk]).values_list("pk", "name"))


def _moved(name: str, figures: Mapping[str, Any], campaign: Campaign | None = None) -> str:
    if "from" not in figures and campaign is None:
        return ngettext("Move %(campaign)s by %(n)d day", "Move %(campaign)s by %(n)d days", figures["days"]) % {
            "campaign": name, "n": figures["days"]
        }
    start = date.fromisoformat(figures["from"]) if "from" in figures or campaign is None else campaign.starts_on
    return _("Move %(campaign)s from %(old)s to %(new)s") % {
        "campaign": name, "old": date_format(start, "j M"), "new": date_format(start + timedelta(days=figures["days"]), "j M")
    }


def _retimed(name: str, figures: Mapping[str, Any]) -> str:
    """Relative, so that it stays true when the whole campaign is moved too."""
    shift = {int(pk): minutes for pk, minutes in figures["shift"].items()}
    names, own = _messages([*shift, *figures.get("after", ())]), figures["message"]
    if len(shift) > 1:
        one, two = own, next(pk for pk in shift if pk != own)
        return _("%(one)s and %(two)s of %(campaign)s change places") % {
            "one": names.get(one, "?"), "two": names.get(two, "?"), "campaign": name
        }
    days, before = round(shift[own] / (24 * 60)), [names.get(pk, "?") for pk in figures.get("after", ())]
    return ngettext(
        "%(message)s of %(campaign)s goes out %(n)d day later, after %(other)s",
        "%(message)s of %(campaign)s goes out %(n)d days later, after %(other)s", days,
    ) % {"message": names.get(own, "?"), "campaign": name, "n": days, "other": ", ".join(before)}


def settles(why: Mapping[str, Any], names: Mapping[int, str], campaign_id: int) -> list[str]:
    """What a change of a re-plan settles beside all the others, one sentence each."""
    return [settled(each, names, campaign_id) for each in why.get("settles", ())]


def stays(why: Mapping[str, Any], names: Mapping[int, str], campaign_id: int) -> list[str]:
    """What an acceptance leaves as it is, one sentence each."""
    return [_about(each, names, campaign_id, STAYS) for each in why.get("settles", ())]


def costs(why: Mapping[str, Any]) -> list[str]:
    """What it does to people over limits, and what it gives up, one sentence each."""
    found = []
    if over := why.get("over", 0):
        count = formats.number(abs(over))
        found.append(
            ngettext("%(count)s person fewer is over a contact limit.", "%(count)s people fewer are over a contact limit.", over)
            if over > 0 else
            ngettext("%(count)s person more is over a contact limit.", "%(count)s people more are over a contact limit.", -over)
        )
        found[-1] = found[-1] % {"count": count}
    if contacts := why.get("contacts", 0):
        found.append(_lost(contacts, why.get("orders")))
    elif why.get("settles"):
        found.append(_("It costs nobody a message."))
    return found or [_("It makes room for the other changes.")]


def title(code: str) -> str:
    """The name of a rule; its code where it is not there any more."""
    try:
        return str(registry.rule(code).title)
    except KeyError:
        return code


def brought(each: Mapping[str, Any], names: Mapping[int, str], campaign_id: int) -> str:
    """What a change would bring with it."""
    return _about(each, names, campaign_id, BRINGS)


def settled(each: Mapping[str, Any], names: Mapping[int, str], campaign_id: int) -> str:
    """What a change settles, as one sentence."""
    return _about(each, names, campaign_id, SETTLES)


def _about(each: Mapping[str, Any], names: Mapping[int, str], campaign_id: int, said: tuple[Told, Told]) -> str:
    """One sentence about a finding: with the other campaigns in it, or of the campaign alone."""
    others = [names.get(pk, "?") for pk in each["campaigns"] if pk and pk != campaign_id]
    people = each["people"] or 0
    figures = {"title": title(each["rule"]), "other": ", ".join(others), "people": formats.number(people)}
    return said[0 if others else 1](people) % figures


SETTLES = (
    lambda n: ngettext(
        "Settles “%(title)s” with %(other)s (%(people)s person).", "Settles “%(title)s” with %(other)s (%(people)s people).", n
    ),
    lambda n: ngettext("Settles “%(title)s” (%(people)s person).", "Settles “%(title)s” (%(people)s people).", n),
)
BRINGS = (
    lambda n: ngettext(
        "Brings “%(title)s” with %(other)s (%(people)s person).", "Brings “%(title)s” with %(other)s (%(people)s people).", n
    ),
    lambda n: ngettext("Brings “%(title)s” (%(people)s person).", "Brings “%(title)s” (%(people)s people).", n),
)
STAYS = (
    lambda n: ngettext(
        "Stays as it is: “%(title)s” with %(other)s (%(people)s person).",
        "Stays as it is: “%(title)s” with %(other)s (%(people)s people).", n,
    ),
    lambda n: ngettext("Stays as it is: “%(title)s” (%(people)s person).", "Stays as it is: “%(title)s” (%(people)s people).", n),
)


def _lost(contacts: int, orders: float | None) -> str:
    if contacts < 0:
        return ngettext("%(n)s contact more.", "%(n)s contacts more.", -contacts) % {"n": formats.number(-contacts)}
    words = ngettext("It gives up %(n)s contact", "It gives up %(n)s contacts", contacts) % {"n": formats.number(contacts)}
    if orders is None:
        return words + "."
    return _("%(contacts)s and %(orders)s expected orders.") % {"contacts": words, "orders": formats.number(max(0.0, orders), 1)}
