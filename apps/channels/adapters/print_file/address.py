"""A postal address as lines for the window of an envelope, in the order its country expects."""

from ..base import PostalAddress

_COUNTRIES = {
    "AT": "Austria",
    "AU": "Australia",
    "BE": "Belgium",
    "CA": "Canada",
    "CH": "Switzerland",
    "CZ": "Czechia",
    "DE": "Germany",
    "DK": "Denmark",
    "EE": "Estonia",
    "ES": "Spain",
    "FI": "Finland",
    "FR": "France",
    "GB": "United Kingdom",
    "GR": "Greece",
    "HU": "Hungary",
    "IE": "Ireland",
    "IS": "Iceland",
    "IT": "Italy",
    "LT": "Lithuania",
    "LU": "Luxembourg",
    "LV": "Latvia",
    "NL": "Netherlands",
    "NO": "Norway",
    "PL": "Poland",
    "PT": "Portugal",
    "SE": "Sweden",
    "SK": "Slovakia",
    "UA": "Ukraine",
    "US": "United States of America",
}


def _place(address: PostalAddress) -> list[str]:
    if address.country in ("US", "CA", "AU"):
        return [" ".join(part for part in (address.city, address.region, address.postcode) if part)]
    if address.country in ("GB", "IE"):
        return [address.city, address.region, address.postcode]
    return [" ".join(part for part in (address.postcode, address.city) if part)]


def window_lines(address: PostalAddress, home: str = "") -> list[str]:
    """Lines for the window. The country stands last, in capitals (UPU), unless it is the sender's own (`home`)."""
    lines = [address.company, address.name, *address.lines, *_place(address)]
    if address.country and address.country != home:
        lines.append(_COUNTRIES.get(address.country, address.country).upper())
    return [" ".join(line.split()) for line in lines if line.strip()]


def is_complete(address: PostalAddress) -> bool:
    """True when a postman could find it: somebody, somewhere, in some town."""
    return bool((address.name or address.company).strip() and any(address.lines) and address.city.strip())
