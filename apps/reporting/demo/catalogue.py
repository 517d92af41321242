"""What Fjell & Fjord sells: a category tree and products with names and prices per country."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

CATEGORIES = (
    ("outerwear", "Outerwear", None), ("coats", "Coats", "outerwear"), ("shells", "Shell jackets", "outerwear"),
    ("down", "Down jackets", "outerwear"), ("knitwear", "Knitwear", None), ("jumpers", "Jumpers", "knitwear"),
    ("wool", "Wool base layers", "knitwear"), ("footwear", "Footwear", None), ("boots", "Winter boots", "footwear"),
    ("hiking", "Hiking shoes", "footwear"), ("trousers", "Trousers", None), ("kids", "Children", None),
    ("kids-outer", "Children's outerwear", "kids"), ("accessories", "Accessories", None),
    ("hats", "Hats and gloves", "accessories"), ("bags", "Rucksacks", "accessories"), ("ski", "Ski", None),
    ("tents", "Tents and sleeping", None),
)


@dataclass(frozen=True)
class Article:
    """A product: article number, category, brand, price in EUR, and its name in four languages."""

    sku: str
    category: str
    brand: str
    eur: int
    en: str
    nb: str
    pl: str
    de: str

    @property
    def names(self) -> dict[str, str]:
        return {"en": self.en, "nb": self.nb, "pl": self.pl, "de": self.de}


ARTICLES = (
    Article("FF-1001", "coats", "Fjell", 189, "Winter coat Røros", "Vinterkåpe Røros", "Płaszcz zimowy Røros", "Wintermantel Røros"),
    Article("FF-1002", "coats", "Fjell", 149, "Wool coat Hamar", "Ullkåpe Hamar", "Płaszcz wełniany Hamar", "Wollmantel Hamar"),
    Article("FF-1003", "coats", "Fjord", 219, "Parka Svolvær", "Parkas Svolvær", "Parka Svolvær", "Parka Svolvær"),
    Article("FF-1101", "shells", "Fjord", 259, "Shell jacket Senja", "Skalljakke Senja", "Kurtka membranowa Senja", "Hardshelljacke Senja"),
    Article("FF-1102", "shells", "Fjord", 129, "Rain jacket Bergen", "Regnjakke Bergen", "Kurtka przeciwdeszczowa Bergen", "Regenjacke Bergen"),
    Article("FF-1201", "down", "Fjell", 199, "Down jacket Finse", "Dunjakke Finse", "Kurtka puchowa Finse", "Daunenjacke Finse"),
    Article("FF-1202", "down", "Fjell", 99, "Light down vest", "Lett dunvest", "Lekka kamizelka puchowa", "Leichte Daunenweste"),
    Article("FF-2001", "jumpers", "Fjell", 89, "Fisherman jumper", "Islender", "Sweter rybacki", "Troyer"),
    Article("FF-2002", "jumpers", "Fjell", 79, "Cardigan Setesdal", "Kofte Setesdal", "Kardigan Setesdal", "Strickjacke Setesdal"),
    Article("FF-2101", "wool", "Fjord", 59, "Merino top", "Ullundertøy overdel", "Koszulka z merynosa", "Merino-Oberteil"),
    Article("FF-2102", "wool", "Fjord", 55, "Merino leggings", "Ullundertøy underdel", "Kalesony z merynosa", "Merino-Leggings"),
    Article("FF-2103", "wool", "Fjord", 19, "Wool socks, two pairs", "Ullsokker, to par", "Skarpety wełniane, dwie pary", "Wollsocken, zwei Paar"),
    Article("FF-3001", "boots", "Tind", 139, "Winter boots Oppdal", "Vinterstøvler Oppdal", "Buty zimowe Oppdal", "Winterstiefel Oppdal"),
    Article("FF-3002", "boots", "Tind", 109, "Chelsea boots, lined", "Fôrede chelseastøvler", "Ocieplane sztyblety", "Gefütterte Chelsea-Boots"),
    Article("FF-3101", "hiking", "Tind", 169, "Hiking boots Rondane", "Fjellstøvler Rondane", "Buty trekkingowe Rondane", "Wanderstiefel Rondane"),
    Article("FF-3102", "hiking", "Tind", 119, "Trail shoes", "Terrengsko", "Buty terenowe", "Trailschuhe"),
    Article("FF-4001", "trousers", "Fjord", 99, "Outdoor trousers", "Turbukse", "Spodnie outdoorowe", "Outdoorhose"),
    Article("FF-4002", "trousers", "Fjell", 69, "Wool-lined jeans", "Fôret olabukse", "Ocieplane dżinsy", "Gefütterte Jeans"),
    Article("FF-5001", "kids-outer", "Fjell", 89, "Children's winter suit", "Vinterdress barn", "Kombinezon zimowy dziecięcy", "Kinder-Schneeanzug"),
    Article("FF-5002", "kids-outer", "Fjord", 59, "Children's rain set", "Regnsett barn", "Dziecięcy zestaw przeciwdeszczowy", "Kinder-Regenset"),
    Article("FF-6001", "hats", "Fjell", 29, "Knitted hat", "Strikket lue", "Czapka z dzianiny", "Strickmütze"),
    Article("FF-6002", "hats", "Fjell", 35, "Wool mittens", "Ullvotter", "Rękawice wełniane", "Wollfäustlinge"),
    Article("FF-6101", "bags", "Tind", 119, "Rucksack 30 litres", "Ryggsekk 30 liter", "Plecak 30 litrów", "Rucksack 30 Liter"),
    Article("FF-6102", "bags", "Tind", 69, "City rucksack", "Byryggsekk", "Plecak miejski", "Cityrucksack"),
    Article("FF-7001", "ski", "Tind", 349, "Cross-country ski set", "Langrennspakke", "Zestaw biegówkowy", "Langlaufset"),
    Article("FF-7002", "ski", "Tind", 79, "Ski goggles", "Alpinbriller", "Gogle narciarskie", "Skibrille"),
    Article("FF-8001", "tents", "Tind", 429, "Tent for two, Femunden", "Tomannstelt Femunden", "Namiot dwuosobowy Femunden", "Zweipersonenzelt Femunden"),
    Article("FF-8002", "tents", "Tind", 189, "Three-season sleeping bag", "Tresesongs sovepose", "Śpiwór trzysezonowy", "Drei-Jahreszeiten-Schlafsack"),
)


def price(eur: int, rate: float, currency: str) -> Decimal:
    """A shelf price: converted, then set to a price as shops write it."""
    amount = eur * rate
    step = {"NOK": 50, "PLN": 10}.get(currency, 5)
    rounded = max(step, round(amount / step) * step)
    return Decimal(rounded) - (Decimal("1") if currency == "NOK" else Decimal("0.01"))
