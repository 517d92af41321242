"""Forms of the consent pages."""

from django import forms
from django.utils.translation import gettext_lazy as _

from apps.channels.kinds import ADDRESS_KIND, Channel
from apps.core.text import InvalidAddress, normalise_email, normalise_phone

CHANNELS = (Channel.EMAIL, Channel.SMS, Channel.CALL, Channel.LETTER)


class SuppressionForm(forms.Form):
    """An address that must never be contacted again on a channel, or on any."""

    address = forms.CharField(label=_("E-mail address or phone number"), max_length=200)
    channel = forms.ChoiceField(
        label=_("Channel"), required=False,
        choices=[("", _("all channels")), *[(channel.value, channel.label) for channel in CHANNELS]],
    )  # fmt: skip
    note = forms.CharField(label=_("Why"), max_length=200, help_text=_("No personal data, please."))

    def clean(self) -> dict[str, str]:
        given: dict[str, str] = super().clean() or {}
        address, channel = given.get("address", ""), given.get("channel", "")
        try:
            if "@" in address:
                given["address"] = normalise_email(address)
            elif ADDRESS_KIND.get(channel) != "postal":
                given["address"] = normalise_phone(address)
        except InvalidAddress as error:
            self.add_error("address", str(error))
        return given
