"""Names and addresses in one written form. The database has no language rules (C.UTF-8), so they are here."""

import re
import unicodedata

import idna
import phonenumbers
from django.utils.translation import gettext as _
from email_validator import EmailNotValidError, validate_email

# A letter of its own sorts after its neighbour: "~" is above every ASCII letter. Polish, then Norwegian after z.
_LETTERS = str.maketrans(
    {
        "ą": "a~", "ć": "c~", "ę": "e~", "ł": "l~", "ń": "n~", "ó": "o~", "ś": "s~", "ź": "z~a", "ż": "z~b",
        "æ": "z~x", "ø": "z~y", "å": "z~z", "đ": "d", "ð": "d", "þ": "th", "œ": "oe", "ı": "i",
    }
)  # fmt: skip
_INVISIBLE = dict.fromkeys(map(ord, "\u00ad\u200b\u200c\u200d\u2060\ufeff"))
_ATOM = r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[a-z0-9](?:-?[a-z0-9])*"
_PLAIN_EMAIL = re.compile(rf"{_ATOM}(?:\.{_ATOM})*@(?:{_LABEL}\.)+[a-z]{{2,}}")


class InvalidAddress(ValueError):
    """Not an address one could write to; the message says why, in words for people."""


def sort_key(name: str) -> str:
    """A key that sorts names under the C collation as readers of Norwegian and Polish expect.

    Accents count for nothing except on letters of their own (ł after l, å after z); letter case and spacing never count.
    """
    folded = unicodedata.normalize("NFC", " ".join(name.split())).casefold().translate(_LETTERS)
    return "".join(sign for sign in unicodedata.normalize("NFKD", folded) if not unicodedata.combining(sign))


def normalise_email(raw: str) -> str:
    """The one written form of an e-mail address, by which people are identified. Raises InvalidAddress.

    Compatibility forms become plain ones (NFKC: fullwidth letters and signs, ligatures), invisible characters go, the
    domain becomes IDNA 2008 ASCII (UTS #46, not transitional), everything is in lower case. Lower, not folded case:
    "ß" and "ss" or "ı" and "i" are different mailboxes. Dots and "+tags" stay: only the mailbox's owner knows what
    they mean. Unneeded quotes are dropped. Non-ASCII before the "@" is refused: few servers take SMTPUTF8 (RFC 6531).
    """
    text = _cleaned(raw).lower()
    if len(text) <= 254 and _PLAIN_EMAIL.fullmatch(text) and text.index("@") <= 64 and _labels_fit(text):
        return text
    local, at, domain = text.rpartition("@")
    if not at or not local or not domain:
        raise InvalidAddress(_("An e-mail address needs a name, an @ and a domain."))
    if not local.isascii():
        raise InvalidAddress(_("Letters such as æ or ł cannot stand before the @ of an e-mail address."))
    try:
        found = validate_email(
            f"{local}@{_ascii_domain(domain)}", check_deliverability=False, globally_deliverable=False,
            allow_smtputf8=False, allow_quoted_local=True, allow_domain_literal=False, strict=True,
        )  # fmt: skip
    except EmailNotValidError as error:
        raise InvalidAddress(_("This is not a valid e-mail address.")) from error
    address = (found.ascii_email or found.normalized).lower()
    if address.rindex("@") > 64:
        raise InvalidAddress(_("This is not a valid e-mail address."))
    return address


def normalise_phone(raw: str, country: str = "") -> str:
    """A phone number in E.164 (`+4722334455`). Raises InvalidAddress.

    `country` (ISO 3166, two letters) reads a national number; without it the number must begin with + or carry its code.
    A number with an extension is refused: everybody behind the switchboard would become one person.
    """
    text = _cleaned(raw)
    if any(sign.isalpha() for sign in text):
        raise InvalidAddress(_("A phone number has no letters."))
    try:
        number = phonenumbers.parse(text, country.upper() or None)
    except phonenumbers.NumberParseException as error:
        raise InvalidAddress(_("This is not a phone number, or its country is missing.")) from error
    if number.extension:
        raise InvalidAddress(_("A number with an extension does not reach one person."))
    if not phonenumbers.is_valid_number(number):
        raise InvalidAddress(_("No such phone number exists in its country."))
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _cleaned(raw: str) -> str:
    return unicodedata.normalize("NFKC", raw.translate(_INVISIBLE)).strip()


def _labels_fit(address: str) -> bool:
    return all(len(label) <= 63 for label in address.rpartition("@")[2].split("."))


def _ascii_domain(domain: str) -> str:
    """The domain in ASCII; a name without a dot or with a number as its last part does not exist in public."""
    try:
        ascii_form = idna.encode(domain, uts46=True).decode()
    except (idna.IDNAError, UnicodeError) as error:
        raise InvalidAddress(_("The part after the @ is not a domain.")) from error
    last = ascii_form.rpartition(".")[2]
    if "." not in ascii_form or last.isdigit():
        raise InvalidAddress(_("The part after the @ is not a domain."))
    return ascii_form
