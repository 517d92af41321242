"""Five countries with real towns, made-up streets and numbers in each country's own shape."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random


@dataclass(frozen=True)
class Country:
    """Where demo customers live. ``share`` of all customers, ``rate`` of its currency to the euro."""

    code: str
    language: str
    currency: str
    share: float
    rate: float
    towns: tuple[tuple[str, str, str], ...]
    streets: tuple[str, ...]
    street_form: str


OSLO, WARSAW, BERLIN, LONDON = "Europe/Oslo", "Europe/Warsaw", "Europe/Berlin", "Europe/London"
EAST, CENTRAL, PACIFIC = "America/New_York", "America/Chicago", "America/Los_Angeles"

COUNTRIES = (
    Country(
        "NO", "nb", "NOK", 0.42, 11.6,
        (
            ("Oslo", "01##", OSLO), ("Oslo", "05##", OSLO), ("Bergen", "50##", OSLO), ("Trondheim", "70##", OSLO),
            ("Stavanger", "40##", OSLO), ("Tromsø", "90##", OSLO), ("Kristiansand", "46##", OSLO),
            ("Drammen", "30##", OSLO), ("Bodø", "80##", OSLO), ("Ålesund", "60##", OSLO), ("Lillehammer", "26##", OSLO),
        ),
        ("Storgata", "Kirkeveien", "Bjørkelia", "Fjordgata", "Skogveien", "Solbakken", "Elveveien", "Møllergata",
         "Granåsen", "Nordre gate", "Øvre Torggate", "Sjøgata"),
        "{street} {number}",
    ),
    Country(
        "PL", "pl", "PLN", 0.22, 4.3,
        (
            ("Warszawa", "00-###", WARSAW), ("Warszawa", "02-###", WARSAW), ("Kraków", "30-###", WARSAW),
            ("Łódź", "90-###", WARSAW), ("Wrocław", "50-###", WARSAW), ("Poznań", "60-###", WARSAW),
            ("Gdańsk", "80-###", WARSAW), ("Szczecin", "70-###", WARSAW), ("Lublin", "20-###", WARSAW),
            ("Białystok", "15-###", WARSAW),
        ),
        ("ul. Lipowa", "ul. Słoneczna", "ul. Żeromskiego", "ul. Kościuszki", "ul. Mickiewicza", "ul. Ogrodowa",
         "ul. Długa", "ul. Świętojańska", "al. Niepodległości", "ul. Źródlana"),
        "{street} {number}",
    ),
    Country(
        "DE", "de", "EUR", 0.16, 1.0,
        (
            ("Berlin", "10###", BERLIN), ("Hamburg", "20###", BERLIN), ("München", "80###", BERLIN),
            ("Köln", "50###", BERLIN), ("Leipzig", "04###", BERLIN), ("Bremen", "28###", BERLIN),
            ("Nürnberg", "90###", BERLIN), ("Kiel", "24###", BERLIN),
        ),
        ("Hauptstraße", "Gartenweg", "Lindenallee", "Schillerstraße", "Am Mühlbach", "Bergstraße", "Kastanienweg",
         "Goethestraße", "Bahnhofstraße"),
        "{street} {number}",
    ),
    Country(
        "GB", "en", "GBP", 0.12, 0.85,
        (
            ("London", "SW## #AB", LONDON), ("Manchester", "M## #JD", LONDON), ("Edinburgh", "EH## #YL", LONDON),
            ("Bristol", "BS## #HW", LONDON), ("Leeds", "LS## #DP", LONDON), ("Cardiff", "CF## #TB", LONDON),
        ),
        ("High Street", "Mill Lane", "Station Road", "Church Road", "Victoria Terrace", "Orchard Close", "Park View"),
        "{number} {street}",
    ),
    Country(
        "US", "en", "USD", 0.08, 1.1,
        (
            ("New York", "100##", EAST), ("Boston", "021##", EAST), ("Chicago", "606##", CENTRAL),
            ("Minneapolis", "554##", CENTRAL), ("Seattle", "981##", PACIFIC), ("Portland", "972##", PACIFIC),
        ),
        ("Maple Street", "Oak Avenue", "Washington Street", "Lakeview Drive", "Cedar Lane", "Pine Street"),
        "{number} {street}",
    ),
)

MOBILE_PREFIXES = {
    "NO": ("+4741", "+4746", "+4748", "+4790", "+4792", "+4793", "+4795", "+4797"),
    "PL": ("+4850", "+4851", "+4860", "+4869", "+4872", "+4879"),
    "DE": ("+49151", "+49160", "+49170", "+49171"),
    "GB": ("+447400", "+447500", "+447712"),
    "US": ("+1212", "+1617", "+1312", "+1206", "+1503"),
}
MOBILE_DIGITS = {"NO": 6, "PL": 7, "DE": 8, "GB": 6, "US": 7}


def digits(pattern: str, random: Random) -> str:
    """The pattern with every # replaced by a digit."""
    return "".join(str(random.randrange(10)) if letter == "#" else letter for letter in pattern)


def mobile(country: str, place: int) -> str:
    """A number in the country's shape that no other ``place`` gets."""
    prefixes = MOBILE_PREFIXES[country]
    length = MOBILE_DIGITS[country]
    first = "" if length == 6 else str(2 + place % 8)
    rest = (place * 7919 + 104729) % 10 ** (length - len(first))
    return prefixes[place % len(prefixes)] + first + str(rest).zfill(length - len(first))


def postal(country: Country, random: Random) -> tuple[dict[str, str], str]:
    """A postal address in parts, and its time zone."""
    town, code, zone = country.towns[random.randrange(len(country.towns))]
    street = country.streets[random.randrange(len(country.streets))]
    line = country.street_form.format(street=street, number=random.randrange(1, 120))
    return {"line1": line, "postcode": digits(code, random), "city": town, "country": country.code}, zone
