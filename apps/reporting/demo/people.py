"""Who the demo customers are: names as they are usual in each country, their records in three systems."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cache
from itertools import accumulate
from random import Random

from apps.core.text import sort_key

from .places import COUNTRIES, Country, mobile, postal

GIVEN = {
    "NO": "Kari Ola Ingrid Lars Anne Per Nora Jakob Emma Henrik Sofie Magnus Ida Sander Marit Øystein Liv Bjørn Silje Knut "
          "Åse Torbjørn Hilde Eirik Maja Sindre Solveig Håkon Tuva Geir Ragnhild Trond Camilla Espen Astrid Øyvind",
    "PL": "Anna Piotr Katarzyna Krzysztof Małgorzata Andrzej Agnieszka Tomasz Zofia Paweł Łucja Michał Żaneta Jakub "
          "Magdalena Grzegorz Julia Wojciech Świętosława Stanisław Ewa Marcin Joanna Rafał Bożena Łukasz Hanna Kacper",
    "DE": "Sabine Thomas Julia Michael Anja Stefan Katrin Andreas Lena Jürgen Birgit Markus Hannah Wolfgang Leonie Jörg "
          "Claudia Lukas Ute Maximilian Heike Björn Franziska Günther",
    "GB": "Olivia Oliver Amelia George Isla Harry Ava Noah Emily Jack Sophie Charlie Grace Thomas Fiona Alistair Siân "
          "Rhys Niamh Callum Priya Imran Zoë Edward",
    "US": "Emily Michael Jessica Christopher Ashley Joshua Sarah Daniel Maria José Kayla Tyler Brianna Anthony Megan "
          "Brandon Chloe Andrew Aaliyah Ethan Mei Carlos Hannah Jordan",
}
FAMILY = {
    "NO": "Hansen Johansen Olsen Larsen Andersen Pedersen Nilsen Kristiansen Jensen Karlsen Berg Haugen Hagen Bakken "
          "Lie Solberg Moen Strand Dahl Lund Næss Ødegård Bøe Aas Myhre Sæther Vik Eide Fjeld Tveit",
    "PL": "Nowak Kowalska Wiśniewski Wójcik Kowalczyk Kamińska Lewandowski Zielińska Szymański Woźniak Dąbrowska "
          "Kozłowski Jankowska Mazur Krawczyk Piotrowska Grabowski Pawłowska Michalski Zając Król Wróbel Jabłońska "
          "Stępień Górski Żak Łuczak Ślusarczyk",
    "DE": "Müller Schmidt Schneider Fischer Weber Meyer Wagner Becker Schulz Hoffmann Schäfer Koch Bauer Richter Klein "
          "Wolf Schröder Neumann Schwarz Krüger Groß Böhm Jäger Vogt",
    "GB": "Smith Jones Taylor Brown Williams Wilson Evans Thomas Roberts Johnson Walker Wright Robinson Thompson "
          "Hughes Edwards Green Hall Wood Campbell O'Neill MacDonald Patel Khan",
    "US": "Smith Johnson Williams Garcia Miller Davis Rodriguez Martinez Hernandez Anderson Moore Jackson Lee Perez "
          "Thompson White Nguyen Scott Torres Hill Green Adams Kim O'Brien",
}
TIERS = ("", "Bronze", "Silver", "Gold")


@dataclass
class Person:
    """One demo customer with everything that was drawn for them. ``place`` counts from 0."""

    place: int
    country: Country
    given: str
    family: str
    email: str
    phone: str
    postal: dict[str, str]
    zone: str
    since: date
    tier: str
    points: int
    size: str
    in_web: bool
    in_till: bool
    in_care: bool
    activity: float
    language: str = ""
    records: dict[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return f"{self.given} {self.family}"

    @property
    def sort_key(self) -> str:
        return _sorted_as(f"{self.family} {self.given}")


# names are drawn from short lists: the same ones come again and again
_sorted_as = cache(sort_key)


@cache
def _ascii(text: str) -> str:
    table = {"æ": "ae", "ø": "o", "å": "a", "ä": "a", "ö": "o", "ü": "u", "ß": "ss", "ł": "l"}
    plain = "".join(table.get(letter, letter) for letter in text.lower())
    return "".join(letter for letter in sort_key(plain) if "a" <= letter <= "z")


SHARES = list(accumulate(country.share for country in COUNTRIES))
TIER_SHARES = list(accumulate((46, 27, 18, 9)))


def _country(random: Random) -> Country:
    return random.choices(COUNTRIES, cum_weights=SHARES)[0]


def people(count: int, random: Random, today: date) -> Iterator[Person]:
    """``count`` people, the same for the same random source and day."""
    pools = {country.code: (GIVEN[country.code].split(), FAMILY[country.code].split()) for country in COUNTRIES}
    for place in range(count):
        yield _person(place, _country(random), pools, random, today)


def _person(place: int, country: Country, pools: dict, random: Random, today: date) -> Person:
    given = random.choice(pools[country.code][0])
    family = random.choice(pools[country.code][1])
    address, zone = postal(country, random)
    web, till = random.random() < 0.72, random.random() < 0.55
    care = random.random() < 0.12 or not (web or till)
    has_email = web or random.random() < 0.75
    has_phone = till or care or random.random() < 0.5
    return Person(
        place=place, country=country, given=given, family=family,
        email=f"{_ascii(given)}.{_ascii(family)}{place}@post.example" if has_email else "",
        phone=mobile(country.code, place) if has_phone else "",
        postal=address if till or random.random() < 0.6 else {},
        zone=zone, since=today - timedelta(days=int(random.random() ** 1.6 * 2400) + 1),
        tier=random.choices(TIERS, cum_weights=TIER_SHARES)[0],
        points=int(random.expovariate(1 / 900)), size=random.choice(("XS", "S", "M", "L", "XL")),
        in_web=web, in_till=till, in_care=care, activity=random.expovariate(1.0),
        language=country.language,
    )
