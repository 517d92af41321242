"""The card of the customer page: channel by topic, the evidence of each, and a wish that a colleague writes down."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django import forms
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.accounts.models import Role
from apps.channels.kinds import Channel
from apps.customers.models import Customer
from apps.customers.panels import Panel

from . import aliases, ledger, purposes
from .ledger import State
from .models import ConsentEvent, Purpose, PurposeClass, Suppression

COLUMNS = (Channel.EMAIL, Channel.SMS, Channel.CALL, Channel.LETTER, Channel.PUSH)
METHODS = [
    ("spoken on the phone", gettext_lazy("on the phone")),
    ("spoken at the counter", gettext_lazy("at the counter")),
    ("by letter", gettext_lazy("by letter")),
]
RECENT = 12


@dataclass(frozen=True)
class Cell:
    """One square of the grid; ``listed``: on the do-not-contact list there, whatever was said."""

    channel: str
    purpose: Purpose
    state: State | None
    listed: bool

    @property
    def mark(self) -> str:
        if self.state is None:
            return "no" if self.listed else ("yes" if not self.purpose.needs_consent else "none")
        return "yes" if self.state.granted and not self.listed else "no"

    @property
    def words(self) -> str:
        if self.mark == "none":
            return "–"
        words = _("yes") if self.mark == "yes" else _("no")
        return _("%(said)s · list") % {"said": words} if self.listed else words


class WishForm(forms.Form):
    """What a person said on the phone or at the counter."""

    channel = forms.ChoiceField(label=gettext_lazy("Channel"), choices=[])
    purpose = forms.ModelChoiceField(label=gettext_lazy("Topic"), queryset=Purpose.objects.none())
    granted = forms.ChoiceField(
        label=gettext_lazy("They said"), choices=[("no", gettext_lazy("no")), ("yes", gettext_lazy("yes"))]
    )
    method = forms.ChoiceField(label=gettext_lazy("Where"), choices=METHODS)
    words = forms.CharField(label=gettext_lazy("Note"), required=False, max_length=200)
    ask = forms.BooleanField(
        label=gettext_lazy("Ask to confirm by e-mail"), required=False,
        help_text=gettext_lazy("For a yes to e-mail: it counts when the person confirms."),
    )  # fmt: skip

    def __init__(self, *args: object, **options: object) -> None:
        super().__init__(*args, **options)  # type: ignore[arg-type]
        self.fields["channel"].choices = [(channel.value, channel.label) for channel in COLUMNS]  # type: ignore[attr-defined]
        topics = Purpose.objects.filter(is_active=True).exclude(purpose_class=PurposeClass.SAFETY)
        self.fields["purpose"].queryset = topics  # type: ignore[attr-defined]
        self.fields["purpose"].label_from_instance = purposes.name_of  # type: ignore[attr-defined]


def consent_panel(request: HttpRequest, customer: Customer, now: datetime) -> Panel:
    """What this person allows, with proof."""
    html = render_to_string("consent/panel.html", panel_context(request, customer), request=request)
    return Panel(_("What this person allows"), html)


def panel_context(request: HttpRequest, customer: Customer) -> dict[str, object]:
    """The grid, the newest evidence and the form of the panel."""
    members = aliases.groups([customer.pk])[customer.pk]
    known = ledger.grid(members)
    on_list = set(Suppression.objects.filter(customer_id__in=members, lifted_at=None).values_list("channel", flat=True))
    rows = [
        (purposes.name_of(purpose), [
            Cell(channel.value, purpose, known.get((channel.value, purpose.pk)), bool({"", channel.value} & on_list))
            for channel in COLUMNS
        ])
        for purpose in Purpose.objects.filter(is_active=True).exclude(purpose_class=PurposeClass.SAFETY)
    ]  # fmt: skip
    evidence = ConsentEvent.objects.filter(customer_id__in=members).select_related("purpose", "wording")
    return {
        "customer": customer, "rows": rows, "columns": COLUMNS, "evidence": evidence.order_by("-at", "-id")[:RECENT],
        "form": WishForm(), "may_note": getattr(request.user, "role", "") in Role.values,
        "wordings": _wordings(customer),
    }  # fmt: skip


def _wordings(customer: Customer) -> list[tuple[str, str]]:
    """What to read aloud before a yes, per topic, in the person's language."""
    found = ((purpose, purposes.current_wording(purpose, customer.language)) for purpose in purposes.in_use())
    return [(purposes.name_of(purpose), wording.text) for purpose, wording in found if wording]
