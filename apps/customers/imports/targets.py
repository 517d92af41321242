"""What a column can be mapped to, per kind of import."""

from __future__ import annotations

from django.utils.translation import gettext as _

from apps.customers.models import AttributeDefinition, Source

from . import columns
from .columns import Target


def offered(kind: str, source: Source | None = None) -> list[Target]:
    """All targets of a kind of import, in the order in which people should see them."""
    if kind == "products":
        return _products()
    if kind == "interactions":
        return [*_interactions(), *_who(_("Who"))]
    others = Source.objects.exclude(pk=source.pk) if source else Source.objects.all()
    foreign = [
        Target(f"id:{other.code}", _("id in %(source)s") % {"source": other.name}, group=_("Who")) for other in others
    ]
    attributes = [
        Target(f"attribute:{one.key}:{one.kind}", one.label, group=_("Attributes"))
        for one in AttributeDefinition.objects.all()
    ]
    more = [target for handler in columns.HANDLERS.values() for target in handler.targets()]
    return [*_who(_("Who")), *foreign, *_person(), *_postal(), *attributes, *more]


def allowed(target: str, kind: str) -> bool:
    """Whether a target code is one of a kind of import; open families (attribute, detail, price, id) by their form."""
    if target in {one.code for one in offered(kind)}:
        return True
    family, _colon, rest = target.partition(":")
    if not rest:
        return False
    if kind == "customers":
        return family in {"attribute", "id"} or family in columns.HANDLERS
    return family == ("detail" if kind == "interactions" else "price")


def _who(group: str) -> list[Target]:
    return [
        Target("source_id", _("id in the source"), _("Best known by this."), group),
        Target("email", _("e-mail"), "", group),
        Target("email_2", _("second e-mail"), "", group),
        Target("phone", _("phone"), "", group),
        Target("phone_2", _("second phone"), "", group),
        Target("name", _("name"), "", group),
        Target("given_name", _("given name"), "", group),
        Target("family_name", _("family name"), "", group),
        Target("country", _("country"), "", group),
    ]


def _person() -> list[Target]:
    group = _("Person")
    return [
        Target("language", _("language"), "", group),
        Target("time_zone", _("time zone"), "", group),
        Target("is_business", _("business contact"), "", group),
        Target("customer_since", _("customer since"), "", group),
    ]


def _postal() -> list[Target]:
    group = _("Postal address")
    return [
        Target("street", _("street and number"), "", group),
        Target("street_2", _("address, second line"), "", group),
        Target("postcode", _("postcode"), "", group),
        Target("city", _("place"), "", group),
        Target("region", _("region"), "", group),
    ]


def _interactions() -> list[Target]:
    group = _("What happened")
    return [
        Target(
            "interaction_id",
            _("id of the event"),
            _("Without one, equal lines are told apart by counting them."),
            group,
        ),
        Target("kind", _("kind"), _("purchase, return, visit, wish, call, store_visit, ..."), group),
        Target("at", _("when"), "", group),
        Target("channel", _("where"), _("web, store, phone, ..."), group),
        Target("value", _("value"), _("Of the whole line; without it quantity times unit price."), group),
        Target("unit_price", _("unit price"), "", group),
        Target("currency", _("currency"), "", group),
        Target("quantity", _("quantity"), _("Negative quantities are returns."), group),
        Target("sku", _("article number"), "", group),
        Target("product_name", _("product name"), "", group),
    ]


def _products() -> list[Target]:
    group, prices = _("Product"), _("Price")
    return [
        Target("sku", _("article number"), "", group),
        Target("name", _("name"), "", group),
        Target("brand", _("brand"), "", group),
        Target("category", _("category"), _("A path: Clothes > Coats."), group),
        Target("url", _("page"), "", group),
        Target("image_url", _("picture"), "", group),
        Target("is_active", _("on sale"), "", group),
        Target("country", _("country of the price"), "", prices),
        Target("currency", _("currency"), "", prices),
        Target("price", _("price"), "", prices),
        Target("valid_from", _("valid from"), "", prices),
    ]
