"""Two campaigns promise the same people different things about the same product."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from math import ceil
from typing import Any

from django.utils.translation import gettext, gettext_noop, ngettext
from django.utils.translation import gettext_lazy as _

from ...models.conflicts import Severity
from ...models.offers import OfferKind
from ..findings import Facts, Finding, changed_channels, grown
from ..rule import Rule
from ..snapshot import Meeting, Plan, PlannedMessage, PlannedOffer, channels_of, only_messages

PRICES = {OfferKind.PERCENT, OfferKind.AMOUNT, OfferKind.PRICE, OfferKind.FULL_PRICE}


class OffersRule(Rule):
    __doc__ = gettext_noop(
        "Two campaigns offer the same product, or a category and something inside it, at a different price, discount or "
        "claim to the same people within a week. Whoever gets both believes neither, and buys at the cheaper one. Points "
        "contradict other points, a claim another claim, a price another price; free delivery and a discount go together. "
        "What is printed or broadcast for everybody contradicts what any single person is told."
    )
    code = "offers"
    title = _("Contradictory offers")
    speaks_early = True

    def find(self, plan: Plan) -> Iterator[Finding]:
        """One finding per pair of campaigns."""
        within = timedelta(days=plan.parameters.offer_days)
        pairs = plan.meetings(within, lambda message: message.offer is not None)
        clashes = {
            pair: clashing
            for pair, meetings in pairs.items()
            if (clashing := [meeting for meeting in meetings if self._clash(meeting)])
        }
        if plan.people is not None:
            plan.people.fetch(
                message for pair in clashes for campaign in pair for message in plan.campaigns[campaign].messages
            )
        for pair, meetings in clashes.items():
            found = self._judge(plan, pair, meetings)
            if found:
                yield found

    def materially_worse(self, agreed: Facts, now: Facts) -> bool:
        """Other terms or channels than those agreed on, more people, or more severe."""
        return (
            not {tuple(terms) for terms in now["terms"]} <= {tuple(terms) for terms in agreed["terms"]}
            or grown(agreed, now)
            or changed_channels(agreed, now)
            or now.get("severity", 0) > agreed.get("severity", 0)
        )

    def pattern(self, facts: Facts, people: int | None) -> str:
        """Which two offers, about what, to how many of the same people."""
        if people is None:
            return gettext(
                "%(first)s (%(first_department)s, %(first_offer)s) and %(second)s (%(second_department)s, %(second_offer)s) say "
                "different things about %(goods)s; the people in both are being counted."
            )
        return ngettext(
            "%(first)s (%(first_department)s, %(first_offer)s, from %(first_day)s) and %(second)s (%(second_department)s, "
            "%(second_offer)s, from %(second_day)s) say different things about %(goods)s to %(people)s same person within "
            "%(apart)s.",
            "%(first)s (%(first_department)s, %(first_offer)s, from %(first_day)s) and %(second)s (%(second_department)s, "
            "%(second_offer)s, from %(second_day)s) say different things about %(goods)s to %(people)s of the same people "
            "within %(apart)s.",
            people,
        )

    def words(self, facts: Facts) -> dict[str, Any]:
        """The offers and what they are about."""
        return {
            "first_offer": facts.get("first_offer", ""), "second_offer": facts.get("second_offer", ""),
            "goods": facts.get("goods") or gettext("everything"),
        }

    def _clash(self, meeting: Meeting) -> bool:
        first, second = meeting.first.offer, meeting.second.offer
        assert first is not None
        assert second is not None
        return first.id != second.id and same_goods(first, second) and contradict(first, second)

    def _sizes(self, plan: Plan, pair: tuple[int, int], facts: Facts) -> list[int | None]:
        """People of each side; what is public has no audience that anybody could have a share of."""
        is_public = (facts["first_public"], facts["second_public"])
        return [None if public else plan.size(campaign) for campaign, public in zip(pair, is_public, strict=True)]

    def _judge(self, plan: Plan, pair: tuple[int, int], meetings: list[Meeting]) -> Finding | None:
        nearest = min(meetings, key=lambda meeting: meeting.apart)
        facts = _facts(meetings, nearest)
        severity, people = int(Severity.HIGH), None
        if plan.people is not None:
            people = plan.people.meeting([(meeting.first, meeting.second) for meeting in meetings])
            sizes = self._sizes(plan, pair, facts)
            if people.count < plan.parameters.offer_people and not facts["public"]:
                return None
            share = people.count / max(1, min((size for size in sizes if size is not None), default=1))
            severity = int(Severity.BLOCK if share >= plan.parameters.offer_block_share else Severity.HIGH)
            facts |= {
                "people": people.count, "first_audience": sizes[0], "second_audience": sizes[1], "severity": severity,
            }
        return Finding(
            rule=self.code, subjects=pair, campaigns=pair, severity=severity, people=people,
            messages=only_messages(meetings), at=min(nearest.first_at, nearest.second_at), facts=facts,
        )


def _facts(meetings: list[Meeting], nearest: Meeting) -> dict:
    first, second = nearest.first.offer, nearest.second.offer
    assert first is not None
    assert second is not None
    return {
        "hours_apart": ceil(nearest.apart.total_seconds() / 3600),
        "first_at": nearest.first_at.isoformat(), "second_at": nearest.second_at.isoformat(),
        "first_offer": first.name, "second_offer": second.name, "goods": _narrower(first, second).goods,
        "first_messages": sorted({meeting.first.id for meeting in meetings}),
        "second_messages": sorted({meeting.second.id for meeting in meetings}),
        "terms": sorted({(_terms(meeting.first), _terms(meeting.second)) for meeting in meetings}),
        "first_public": any(meeting.first.is_public for meeting in meetings),
        "second_public": any(meeting.second.is_public for meeting in meetings),
        "channels": channels_of(meetings),
        "public": any(meeting.first.is_public and meeting.second.is_public for meeting in meetings),
    }


def _narrower(first: PlannedOffer, second: PlannedOffer) -> PlannedOffer:
    """The one that is about less: the goods both are about."""
    if first.product_id or second.product_id:
        return first if first.product_id else second
    return first if len(first.path) >= len(second.path) else second


def _terms(message: PlannedMessage) -> str:
    """The offer's terms as plain text, to see later whether they are still those agreed on."""
    offer = message.offer
    assert offer is not None
    prices = ",".join(f"{country}{currency}{amount}" for country, (currency, amount) in sorted(offer.prices.items()))
    return f"{offer.id}|{offer.kind}|{offer.value}|{offer.currency}|{offer.claim}|{prices}"


def same_goods(first: PlannedOffer, second: PlannedOffer) -> bool:
    """The same product; or one is on a category which the other, or its product, lies in.

    Two different products never are the same goods, though they share a category; an offer without both is on everything.
    """
    if first.product_id and second.product_id:
        return first.product_id == second.product_id
    if first.product_id or second.product_id:
        single, broad = (first, second) if first.product_id else (second, first)
        return single.path.startswith(broad.path)
    return first.path.startswith(second.path) or second.path.startswith(first.path)


def contradict(first: PlannedOffer, second: PlannedOffer) -> bool:
    """Whether nobody could believe both: other terms of the same sort."""
    if first.kind in PRICES and second.kind in PRICES:
        return _price(first) != _price(second) and not _same_where_both(first, second)
    if first.kind != second.kind:
        return False
    if first.kind in (OfferKind.CLAIM, OfferKind.GIFT):
        return first.claim.strip().casefold() != second.claim.strip().casefold()
    return first.kind == OfferKind.POINTS and first.value != second.value


def _price(offer: PlannedOffer) -> tuple:
    if offer.kind == OfferKind.FULL_PRICE:
        return (offer.kind,)
    if offer.kind == OfferKind.PERCENT:
        return (offer.kind, offer.value)
    return (offer.kind, offer.value, offer.currency, sorted(offer.prices.items()))


def _same_where_both(first: PlannedOffer, second: PlannedOffer) -> bool:
    """Prices per country agree wherever both state one, so that no country hears two."""
    if first.kind != second.kind or not first.prices or not second.prices:
        return False
    common = first.prices.keys() & second.prices.keys()
    return bool(common) and all(first.prices[country] == second.prices[country] for country in common)
