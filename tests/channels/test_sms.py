"""Lengths of text messages, and what replies mean."""

import json

import pytest

from apps.channels.sms import Keyword, keyword, measure
from tests.shared_data import shared

SEGMENTS = shared("edge/sms_segments.json")


def test_segments_are_counted_as_the_reference_calculator_counts_them() -> None:
    if not SEGMENTS.exists():
        pytest.skip("shared test data is absent")
    cases = json.loads(SEGMENTS.read_text())

    measured = [(measure(case["body"]).encoding, measure(case["body"]).segments) for case in cases]

    assert measured == [(case["encoding"], case["segments"]) for case in cases]


@pytest.mark.parametrize(
    ("text", "encoding", "segments", "units"),
    [
        ("", "GSM-7", 1, 0),
        ("a" * 160, "GSM-7", 1, 160),
        ("a" * 161, "GSM-7", 2, 161),
        ("€" * 80, "GSM-7", 1, 160),
        ("a" * 152 + "€" + "a" * 152, "GSM-7", 3, 306),
        ("ż" + "a" * 69, "UCS-2", 1, 70),
        ("ż" + "a" * 70, "UCS-2", 2, 71),
        ("Ærlig øl på åra", "GSM-7", 1, 15),
    ],
)
def test_lengths_at_the_borders(text: str, encoding: str, segments: int, units: int) -> None:
    length = measure(text)

    assert (length.encoding, length.segments, length.units) == (encoding, segments, units)


def test_characters_that_cost_a_segment_are_named() -> None:
    assert measure("Zażółć gęślą").unusual == ("ż", "ó", "ł", "ć", "ę", "ś", "ą")


@pytest.mark.parametrize(
    "text",
    [
        "STOP",
        "stop",
        " Stop. ",
        "STOPALL",
        "Unsubscribe",
        "cancel",
        "END",
        "quit!",
        "REVOKE",
        "opt-out",
        "OPT OUT",
        "Arrêt",
        "stopp",
        "Rezygnuję",
        "please stop",
        "Please stop texting me",
        "don't text me again",
    ],
)
def test_a_wish_to_stop_is_understood(text: str) -> None:
    assert keyword(text) is Keyword.STOP


@pytest.mark.parametrize(
    ("text", "meaning"), [("Start", Keyword.START), ("YES", Keyword.START), ("info", Keyword.HELP)]
)
def test_other_keywords_are_understood(text: str, meaning: Keyword) -> None:
    assert keyword(text) is meaning


@pytest.mark.parametrize(
    "text", ["", "Thanks!", "The endless summer", "When do you open?", "I will stop by tomorrow", "yesterday"]
)
def test_ordinary_replies_are_no_keywords(text: str) -> None:
    assert keyword(text) is None
