"""Everything that ever happened to the conflicts of one pair, in words, from the audit trail."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.accounts.models import AuditEvent, Department, User

from ..models import Conflict, ConflictComment
from . import pairs, registry
from .panels import Panel

MOST = 200
DEEDS = {
    "conflict.found": gettext_lazy("Found"), "conflict.gone": gettext_lazy("No longer there: the plan has changed"),
    "conflict.seen": gettext_lazy("Marked as seen"), "conflict.assigned": gettext_lazy("Owner"),
    "conflict.commented": gettext_lazy("Remark"),
    "conflict.escalated": gettext_lazy("Nobody had answered: deputies and administrators were told"),
    "conflict.settled": gettext_lazy("Nobody is left in it: settled by an agreement"), "conflict.reopened": gettext_lazy("Open again"),
    "conflict.defaulted": gettext_lazy("Nobody decided in time: decided by the policy"), "agreement.ended": gettext_lazy("Agreement ended"),
    "resolution.proposed": gettext_lazy("Way out proposed"), "resolution.signed": gettext_lazy("Signed"),
    "resolution.declined": gettext_lazy("Declined"), "resolution.withdrawn": gettext_lazy("Taken back"),
    "resolution.applied": gettext_lazy("Applied"), "people.opened": gettext_lazy("Looked at people"),
}  # fmt: skip


@dataclass(frozen=True)
class Line:
    """One thing that happened: when, who (empty: Concord itself), what, and the particulars."""

    at: datetime
    who: str
    deed: str
    detail: str


def of(panel: Panel) -> list[Line]:
    """The whole history of the pair, newest first."""
    rows = {str(row.pk): row for row in pairs.rows(panel.conflict).only("rule", "found_at")}
    label = Conflict._meta.label_lower
    found = AuditEvent.objects.filter(subject_type=label, subject_id__in=rows).select_related("actor", "department")
    events = list(found.order_by("-at", "-id")[:MOST])
    told = _Told(panel, events, {key: row.rule for key, row in rows.items()})
    lines = [Line(event.at, str(event.actor or ""), str(DEEDS.get(event.action, event.action)), told.detail(event)) for event in events]
    # What was found before findings stood on the trail still has its day.
    known = {event.subject_id for event in events if event.action == "conflict.found"}
    lines += [
        Line(row.found_at, "", str(DEEDS["conflict.found"]), told.rule(key)) for key, row in rows.items() if key not in known
    ]
    return sorted(lines, key=lambda line: line.at, reverse=True)


class _Told:
    """The particulars of events, with every name fetched once."""

    def __init__(self, panel: Panel, events: list[AuditEvent], rules: dict[str, str]) -> None:
        self.rules = rules
        self.ways = {item["row"].pk: item["label"] for item in panel.resolutions}
        self.notes = {
            (item["row"].pk, signature.department_id): signature.note
            for item in panel.resolutions for signature in item["row"].signatures.all()
        }
        self.reasons = {item["row"].pk: item["row"].reason for item in panel.resolutions}
        ids = {pk for event in events for pk in _people(event)}
        self.users = {user.pk: str(user) for user in User.objects.filter(pk__in=ids)}
        self.departments = {row.pk: row.name for row in Department.objects.all()}
        remarks = [event.after["remark"] for event in events if event.after and "remark" in event.after]
        self.remarks = dict(ConflictComment.objects.filter(pk__in=remarks).values_list("pk", "text"))

    def rule(self, subject_id: str) -> str:
        """Which finding of the pair it was; nothing where there is only one."""
        return str(registry.rule(self.rules[subject_id]).title) if len(self.rules) > 1 else ""

    def detail(self, event: AuditEvent) -> str:
        after = event.after or {}
        parts = [self._what(event, after)]
        if deputised := after.get("for"):
            parts.append(_("for %(who)s") % {"who": self.users.get(deputised, "?")})
        if event.action.startswith("conflict."):
            parts.append(self.rule(event.subject_id))
        return " · ".join(part for part in parts if part)

    def _what(self, event: AuditEvent, after: dict[str, Any]) -> str:
        if event.action == "conflict.assigned":
            return self.users.get(after.get("owner") or 0, _("nobody"))
        if event.action == "conflict.commented":
            return self.remarks.get(after.get("remark", 0), "")[:120]
        if event.action == "conflict.escalated":
            return ", ".join(self.departments.get(pk, "?") for pk in after.get("departments", []))
        if event.action == "people.opened":
            return str(after.get("count", ""))
        return self._way(event, after)

    def _way(self, event: AuditEvent, after: dict[str, Any]) -> str:
        pk = after.get("resolution")
        words = [self.ways.get(pk, "")]
        if event.action == "resolution.proposed":
            words.append(self.reasons.get(pk, ""))
        if event.action in ("resolution.signed", "resolution.declined"):
            words += [self.departments.get(event.department_id or 0, ""), self.notes.get((pk or 0, event.department_id), "")]
        words.append(after.get("why", ""))
        return " · ".join(word for word in words if word)


def _people(event: AuditEvent) -> list[int]:
    both = [event.before or {}, event.after or {}]
    return [pk for values in both for key in ("owner", "for") if (pk := values.get(key))]
