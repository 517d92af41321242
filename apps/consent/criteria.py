"""The condition "has said yes (or no, or nothing) to a topic on a channel" for segments."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext as _

from apps.channels.kinds import Channel
from apps.customers.segments.criteria import Criterion, Field, Moment, Params

from . import purposes
from .choices import OFFERED

# What was said under a merged id counts for the survivor; a no of any id before a yes of another.
SAID = """
WITH RECURSIVE alias AS (
    SELECT id, merged_into_id AS top FROM customers_customer WHERE merged_into_id IS NOT NULL
    UNION ALL
    SELECT a.id, c.merged_into_id FROM alias a JOIN customers_customer c ON c.id = a.top
    WHERE c.merged_into_id IS NOT NULL
),
person AS (
    SELECT a.id, a.top FROM alias a JOIN customers_customer c ON c.id = a.top WHERE c.merged_into_id IS NULL
),
said AS (
    SELECT coalesce(p.top, s.customer_id) AS id, bool_and(s.granted) AS granted
    FROM consent_consentstate s LEFT JOIN person p ON p.id = s.customer_id
    WHERE s.channel = %s AND s.purpose_id = (SELECT id FROM consent_purpose WHERE code = %s)
    GROUP BY 1
)
"""
ENDINGS = {
    "granted": "SELECT id FROM said WHERE granted",
    "withdrawn": "SELECT id FROM said WHERE NOT granted",
    "none": "SELECT c.id FROM customers_customer c WHERE NOT EXISTS (SELECT FROM said WHERE said.id = c.id)",
}


class ConsentCriterion(Criterion):
    """``channel``, ``purpose`` (its code), ``state``: granted, withdrawn or none."""

    code = "consent"
    tables = ("consent_consentstate", "customers_customer")

    @property
    def label(self) -> str:
        return _("consent")

    def fields(self, params: Params) -> list[Field]:
        topics = [(purpose.code, purposes.name_of(purpose)) for purpose in purposes.in_use()]
        channels = [(channel.value, str(channel.label)) for channel in OFFERED]
        states = [("granted", _("yes")), ("withdrawn", _("no")), ("none", _("never asked or never said"))]
        return [
            Field("purpose", _("Topic"), "choice", topics, required=True),
            Field("channel", _("Channel"), "choice", channels, required=True, default="email"),
            Field("state", _("Said"), "choice", states, required=True, default="granted"),
        ]

    def problems(self, params: Params) -> list[str]:
        found = []
        if params.get("channel") not in Channel.values:
            found.append(_("Choose the channel of the consent."))
        if params.get("purpose") not in purposes.of_codes([str(params.get("purpose"))]):
            found.append(_("Choose the topic of the consent."))
        if params.get("state", "granted") not in ENDINGS:
            found.append(_("Choose what people said."))
        return found

    def sql(self, params: Params, moment: Moment) -> tuple[str, Sequence[Any]]:
        return SAID + ENDINGS[str(params.get("state", "granted"))], [params["channel"], params["purpose"]]

    def describe(self, params: Params) -> str:
        purpose = purposes.of_codes([str(params.get("purpose"))]).get(str(params.get("purpose")))
        words = {
            "topic": purposes.name_of(purpose) if purpose else params.get("purpose"),
            "channel": Channel(params["channel"]).label if params.get("channel") in Channel.values else "",
        }
        if params.get("state") == "withdrawn":
            return _("said no to %(topic)s by %(channel)s") % words
        if params.get("state") == "none":
            return _("never said anything about %(topic)s by %(channel)s") % words
        return _("said yes to %(topic)s by %(channel)s") % words
