import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.core import text
from apps.core.text import InvalidAddress, normalise_email, normalise_phone, sort_key

EDGE = Path(__file__).resolve().parents[3] / "shared" / "data" / "edge"
needs_edge_data = pytest.mark.skipif(not EDGE.exists(), reason="the shared data folder is absent")

# The collection writes control characters as their pictures.
CONTROL_PICTURES = str.maketrans({chr(0x2400 + code): chr(code) for code in range(0x20)})


def refused(raw):
    try:
        normalise_email(raw)
    except InvalidAddress:
        return True
    return False


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("Ola.Nordmann@Example.COM", "ola.nordmann@example.com"),
        ("  ola@example.com\n", "ola@example.com"),
        ("\u00a0ola@example.com\u00a0", "ola@example.com"),
        ("ｏｌａ＠ｅｘａｍｐｌｅ．ｃｏｍ", "ola@example.com"),
        ("ola﹫example.com", "ola@example.com"),
        ("o\u200bla@exam\u00adple.com\ufeff", "ola@example.com"),
        ("\u212aari@example.com", "kari@example.com"),
        ("ﬁnn@example.com", "finn@example.com"),
        ("ola@bücher.example", "ola@xn--bcher-kva.example"),
        ("ola@xn--bcher-kva.example", "ola@xn--bcher-kva.example"),
        ("ola@FAß.de", "ola@xn--fa-hia.de"),
        ("ola@blåbær.no", "ola@xn--blbr-roah.no"),
        ("ola@bla\u030abær.no", "ola@xn--blbr-roah.no"),
        ('"ola"@example.com', "ola@example.com"),
        ('"Ola Nordmann"@example.com', '"ola nordmann"@example.com'),
        ("ola+news@example.com", "ola+news@example.com"),
        ("row-17@hillstrom.invalid", "row-17@hillstrom.invalid"),
    ],
)
def test_one_mailbox_has_one_written_form(raw, expected):
    assert normalise_email(raw) == expected


@pytest.mark.parametrize(
    "raw", ["mıke@example.com", "m\u0130ke@example.com", "straße@example.com", "łukasz@example.com"]
)
def test_a_letter_outside_ascii_never_turns_into_another_mailbox(raw):
    with pytest.raises(InvalidAddress):
        normalise_email(raw)


@pytest.mark.parametrize(
    "raw",
    [
        "", "@", "ola", "ola@", "@example.com", "ola@@example.com", "a..b@example.com", ".a@example.com", "a.@example.com",
        "ola@localhost", "ola@example.com.", "ola@-example.com", "ola@example.123", "ola@[127.0.0.1]", "a b@example.com",
        "ola@example.com,kari@example.com", "Ola <ola@example.com>", "ola@example.com\nBcc: all@example.com",
        '"ola\r\nBcc: x"@example.com', "x" * 65 + "@example.com", "ola@" + "x" * 64 + ".com", "ola@" + "x." * 130 + "com",
        "ola@exam\u202eple.com", "ola@exa℀mple.com",
    ],
)  # fmt: skip
def test_what_nobody_could_write_to_is_refused(raw):
    with pytest.raises(InvalidAddress):
        normalise_email(raw)


@needs_edge_data
def test_the_isemail_collection_is_judged_as_its_authors_do():
    accepted, errors = set(), set()
    with (EDGE / "email_isemail.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            # White space around an address is a slip of the person who exported it, so it is not held against them.
            address = row["address"].translate(CONTROL_PICTURES).strip()
            if not refused(address):
                accepted.add(row["diagnosis"])
                errors |= {row["id"]} if row["category"] == "ISEMAIL_ERR" else set()
    # 127 to 155 hold a stray line end before or after a good address, and only there.
    assert errors <= {"127", "128", "132", "145", "146", "147", "152", "154", "155", "156"}
    assert accepted >= {"ISEMAIL_VALID", "ISEMAIL_DNSWARN_NO_RECORD", "ISEMAIL_RFC5321_QUOTEDSTRING"}
    assert not accepted & {"ISEMAIL_RFC5322_LOCAL_TOOLONG", "ISEMAIL_RFC5322_LABEL_TOOLONG", "ISEMAIL_RFC5321_TLD"}


@given(st.from_regex(r"[a-z0-9._+'-]{1,12}@([a-z0-9-]{1,6}\.){1,2}[a-z]{2,3}", fullmatch=True))
def test_the_quick_way_and_the_thorough_way_agree(raw):
    quick = normalise_email(raw) if not refused(raw) else None
    original, text._PLAIN_EMAIL = text._PLAIN_EMAIL, text.re.compile("(?!)")
    try:
        thorough = normalise_email(raw) if not refused(raw) else None
    finally:
        text._PLAIN_EMAIL = original
    assert quick == thorough


@given(st.text(max_size=40))
def test_normalising_twice_changes_nothing(raw):
    if not refused(raw):
        once = normalise_email(raw)
        assert normalise_email(once) == once
        assert once.isascii()


@pytest.mark.parametrize(
    ("raw", "country", "expected"),
    [
        ("22 33 44 55", "NO", "+4722334455"),
        ("0047 22334455", "NO", "+4722334455"),
        ("+47 22 33 44 55", "", "+4722334455"),
        ("+47 (22) 33-44-55", "PL", "+4722334455"),
        ("２２３３４４５５", "NO", "+4722334455"),
        ("\u200b22334455", "no", "+4722334455"),
        ("(020) 7946 0018", "GB", "+442079460018"),
        ("512 345 678", "PL", "+48512345678"),
    ],
)
def test_a_phone_number_becomes_e164(raw, country, expected):
    assert normalise_phone(raw, country) == expected


@pytest.mark.parametrize(
    ("raw", "country"),
    [("", "NO"), ("22334455", ""), ("123", "NO"), ("1-800-FLOWERS", "US"), ("n/a", "NO"), ("22334455 ext 12", "NO"),
     ("00000000", "NO"), ("9" * 300, "NO"), ("22334455", "ZZ")],
)  # fmt: skip
def test_what_nobody_could_call_is_refused(raw, country):
    with pytest.raises(InvalidAddress):
        normalise_phone(raw, country)


@needs_edge_data
def test_every_example_number_of_the_world_is_read_as_its_library_does():
    with (EDGE / "phone_libphonenumber.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["region"].isalpha()]
    valid = [row for row in rows if row["valid_per_phonenumbers"] == "True"]
    assert len(valid) > 500
    for row in valid:
        assert normalise_phone(row["national"], row["region"]) == row["e164"]


def test_names_sort_as_norwegian_and_polish_readers_expect():
    names = "az ąb b Lukasz Lz Łuk Mo Oz Ósma pan Zoe zz źrebak żuk Ære Øst Åse".split()  # noqa: SIM905
    assert sorted({*names}, key=sort_key) == names


def test_accents_case_and_spacing_do_not_count():
    assert sort_key("  René   GARCÍA ") == sort_key("rene garcia")
    assert sort_key("a\u030ase") == sort_key("Åse")
