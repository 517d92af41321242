"""What a message is about: its offer's goods, else its campaign's product."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .snapshot import Plan, PlannedMessage


@dataclass(frozen=True, slots=True)
class Goods:
    """A product, or everything below ``path`` of the category tree; ``brand`` is empty where no single product is meant."""

    product_id: int | None
    path: str
    brand: str = ""

    def meets(self, other: Goods) -> bool:
        """The same product, or one is a category which the other, or its product, lies in."""
        if self.product_id and other.product_id:
            return self.product_id == other.product_id
        if self.product_id or other.product_id:
            single, broad = (self, other) if self.product_id else (other, self)
            return bool(broad.path) and single.path.startswith(broad.path)
        return bool(self.path and other.path) and (self.path.startswith(other.path) or other.path.startswith(self.path))

    def fits(self, *, brand: str = "", product_id: int | None = None, path: str = "", path_of_product: str = "") -> bool:
        """Whether it is about all that is filled in: that brand, that product (or a category around it), that category."""
        if brand and self.brand.casefold() != brand.strip().casefold():
            return False
        if product_id is not None:
            around = not self.product_id and bool(self.path) and path_of_product.startswith(self.path)
            if self.product_id != product_id and not around:
                return False
        return not path or self.meets(Goods(None, path))


def of(plan: Plan, message: PlannedMessage) -> Goods | None:
    """The goods of a message; None where nobody said what it is about."""
    if (offer := message.offer) and (offer.product_id or offer.path):
        return Goods(offer.product_id, offer.path, offer.brand)
    campaign = plan.campaigns[message.campaign_id]
    return Goods(campaign.product_id, campaign.path, campaign.brand) if campaign.product_id else None
