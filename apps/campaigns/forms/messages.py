"""A message: what it is, for whom, when."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.html import escape
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from apps.channels.models import ChannelAccount
from apps.core import clock
from apps.customers.models import AttributeDefinition, Segment

from .. import inheritance, schedule
from ..models import Message, Offer
from .widgets import REPEATS, DateInput, TimeInput, choose_from, keep_in_reach, tick_from, version_field


class VersionedForm(forms.ModelForm):
    """A form that knows which state it was opened on."""

    version = version_field()
    class Meta:
        model = Message
        fields: list[str] = []

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.fields["version"].initial = self.instance.version

    def values(self) -> dict[str, Any]:
        """What planning takes."""
        return {name: self.cleaned_data[name] for name in self.Meta.fields}


class MessageForm(VersionedForm):
    """What the message is: channel, purpose, account, offer, versions."""

    split = forms.CharField(
        label=_("Version split"), required=False, max_length=100,
        help_text=_("Versions with their shares, for instance A 50, B 50. The same people stay in the same version."),
    )

    class Meta:
        model = Message
        fields = ["name", "kind", "channel", "purpose", "account", "offer", "without_offer", "follows", "arms_attribute", "needs_fields",
                  "priority", "region", "estimated_reach", "planned_cost"]  # fmt: skip
        help_texts = {
            "arms_attribute": _("Instead of by chance: an imported attribute whose value names the version."),
            "region": _("For unaddressed messages."),
            "follows": _("A reminder or follow-up: the message of this campaign that has to come first."),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choose_from(self.fields["account"], ChannelAccount.objects.filter(is_active=True))
        choose_from(self.fields["offer"], Offer.objects.filter(archived_at=None))
        _say_whose_offer(self, self.instance)
        others = Message.objects.filter(campaign=self.instance.campaign_id).exclude(pk=self.instance.pk)
        choose_from(self.fields["follows"], others.defer("plan_audience"))
        choices = [("", _("by chance")), *((a.key, a.label) for a in AttributeDefinition.objects.all())]
        self.fields["arms_attribute"] = forms.ChoiceField(
            label=_("Versions by"), choices=choices, required=False, help_text=self.fields["arms_attribute"].help_text
        )
        shares = self.instance.variants_share or {}
        self.fields["split"].initial = ", ".join(f"{variant} {share}" for variant, share in sorted(shares.items()))

    def clean_split(self) -> dict[str, int]:
        text = self.cleaned_data.get("split", "").strip()
        if not text:
            return {}
        parts = [part.strip() for part in text.replace(";", ",").split(",") if part.strip()]
        found = [re.fullmatch(r"(\w[\w -]{0,30}?)[\s:]+(\d{1,3})\s*%?", part) for part in parts]
        if not all(found):
            raise ValidationError(_t("Write versions with their shares: A 50, B 50."))
        shares = {match[1].strip(): int(match[2]) for match in found if match}
        if not any(shares.values()):
            raise ValidationError(_t("At least one version needs a share above zero."))
        return shares

    def values(self) -> dict[str, Any]:
        return super().values() | {"variants_share": self.cleaned_data["split"]}


class AudienceForm(VersionedForm):
    """For whom: segments in, segments out."""

    class Meta:
        model = Message
        fields = ["include", "exclude"]
        labels = {"include": _("Everybody in"), "exclude": _("But nobody in")}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("include", "exclude"):
            tick_from(self.fields[name], Segment.objects.filter(archived_at=None).defer("people"), _with_count)
            self.fields[name].required = False

    def values(self) -> dict[str, Any]:
        return {name: sorted(self.cleaned_data[name], key=lambda s: s.pk) for name in ("include", "exclude")}


def _say_whose_offer(form: forms.ModelForm, message: Message) -> None:
    """Left empty it is the campaign's or the programme's: which one stands beside the field, and the field is empty then."""
    offer = inheritance.offer_of(message.campaign)
    if offer is not None:
        form.fields["offer"].help_text = escape(_t("Empty: that of the campaign or its programme, “%(offer)s”.") % {"offer": offer})
    if message.offer_inherited:
        form.initial["offer"] = None


def _with_count(segment: Segment) -> str:
    return f"{segment.name} ({segment.count:,})".replace(",", "\u00a0") if segment.count is not None else segment.name


class ScheduleForm(VersionedForm):
    """When: day and clock time of the company's zone, how long, how often."""

    day = forms.DateField(label=_("Day"), widget=DateInput())
    clock = forms.TimeField(label=_("Time"), widget=TimeInput())
    until_day = forms.DateField(label=_("Not after, day"), widget=DateInput(), required=False)
    until_clock = forms.TimeField(label=_("Not after, time"), widget=TimeInput(), required=False)
    repeats = forms.ChoiceField(label=_("Repeats"), choices=REPEATS.items(), required=False)

    class Meta:
        model = Message
        fields = ["timing", "recurs_until"]
        widgets = {"recurs_until": DateInput()}
        labels = {"recurs_until": _("Repeats until")}

    field_order = ["day", "clock", "timing", "until_day", "until_clock", "repeats", "recurs_until", "version"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        keep_in_reach(self, "day", "until_day", "recurs_until")
        zone = clock.company_zone()
        self.fields["clock"].help_text = _t("In %(zone)s.") % {"zone": zone.key}
        own = self.instance.recurrence
        if own not in REPEATS:
            self.fields["repeats"].choices = [*REPEATS.items(), (own, own)]  # type: ignore[attr-defined]
        self.fields["repeats"].initial = own
        for moment, day, time in (("send_at", "day", "clock"), ("send_until", "until_day", "until_clock")):
            value: datetime | None = getattr(self.instance, moment)
            if value:
                local = value.astimezone(zone)
                self.fields[day].initial, self.fields[time].initial = local.date(), local.time()

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        zone = clock.company_zone()
        for moment, day, time in (("send_at", "day", "clock"), ("send_until", "until_day", "until_clock")):
            values[moment] = None
            if values.get(day) and values.get(time):
                try:
                    values[moment] = schedule.local_moment(values[day], values[time], zone)
                except ValidationError as problem:
                    self.add_error(time, problem)
            elif values.get(day) or (values.get(time) and moment == "send_until"):
                self.add_error(time, _t("Day and time belong together."))
        return values

    def values(self) -> dict[str, Any]:
        chosen = self.cleaned_data
        return {
            "timing": chosen["timing"], "recurs_until": chosen["recurs_until"], "recurrence": chosen["repeats"],
            "send_at": chosen["send_at"], "send_until": chosen["send_until"],
        }  # fmt: skip


class NewMessageForm(ScheduleForm):
    """The first few things about a message; the rest follows on its page."""

    class Meta:
        model = Message
        fields = ["name", "kind", "channel", "purpose", "account", "offer", "include", "timing", "recurs_until",
                  "region", "estimated_reach", "planned_cost"]  # fmt: skip
        widgets = {"recurs_until": DateInput()}
        labels = {"include": _("Audience"), "recurs_until": _("Repeats until")}
        help_texts = {
            "purpose": _("Why people are contacted: it decides whose consent is needed."),
            "account": _("Left empty: the one account of the channel."),
        }

    field_order = ["name", "kind", "channel", "purpose", "account", "offer", "include", *ScheduleForm.field_order]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choose_from(self.fields["account"], ChannelAccount.objects.filter(is_active=True))
        choose_from(self.fields["offer"], Offer.objects.filter(archived_at=None))
        _say_whose_offer(self, self.instance)
        tick_from(self.fields["include"], Segment.objects.filter(archived_at=None).defer("people"), _with_count)

    def values(self) -> dict[str, Any]:
        chosen = self.cleaned_data
        own = {name: chosen[name] for name in ("name", "kind", "channel", "purpose", "account", "offer", "region", "estimated_reach",
                                                         "planned_cost")}  # fmt: skip
        return super().values() | own | {"include": list(chosen["include"])}
