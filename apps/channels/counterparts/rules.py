"""How a counterpart behaves towards whom: by pattern, so that every bad day of a provider can be tried at will."""

import json
import re
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path


class Behaviour(StrEnum):
    """What happens to a message: each has its own words in SMTP and in HTTP."""

    ACCEPT = "accept"
    INVALID = "invalid"  # no such address: 550 5.1.1, 400/21211
    BLOCKED = "blocked"  # refused for its content or after STOP: 554 5.7.1, 400/21610
    BUSY = "busy"  # later, please: 452 4.2.2, 429
    BROKEN = "broken"  # an error of the provider: 451 4.3.0 after the body, 500
    NEVER = "never"  # no answer at all
    VANISH = "vanish"  # takes the message and hangs up without an answer
    UNDELIVERED = "undelivered"  # accepted, and reported as undeliverable later


@dataclass(frozen=True)
class Rule:
    channel: str
    pattern: re.Pattern[str]
    behaviour: Behaviour


def _mail(word: str, behaviour: Behaviour) -> Rule:
    return Rule("email", re.compile(rf"^{word}(?:[+._-][^@]*|\d*)@", re.IGNORECASE), behaviour)


def _text(ending: str, behaviour: Behaviour) -> Rule:
    return Rule("sms", re.compile(rf"{ending}$"), behaviour)


STANDARD = (
    _mail("bounce", Behaviour.INVALID),
    _mail("policy", Behaviour.BLOCKED),
    _mail("full", Behaviour.BUSY),
    _mail("broken", Behaviour.BROKEN),
    _mail("never", Behaviour.NEVER),
    _mail("vanish", Behaviour.VANISH),
    _text("5550404", Behaviour.INVALID),
    _text("5550610", Behaviour.BLOCKED),
    _text("5550429", Behaviour.BUSY),
    _text("5550500", Behaviour.BROKEN),
    _text("5550999", Behaviour.NEVER),
    _text("5550888", Behaviour.VANISH),
    _text("5550003", Behaviour.UNDELIVERED),
)


class Rules:
    """The standard patterns, preceded by those of `rules.json` in the sandbox folder (read anew when it changes).

    The file is a list of {"channel": "email"|"sms", "pattern": regular expression, "behaviour": name}.
    """

    def __init__(self, folder: Path) -> None:
        self._file = folder / "rules.json"
        self._read_at = -1
        self._own: tuple[Rule, ...] = ()

    def refresh(self) -> None:
        """Reads the file again when it changed; a broken file leaves the rules as they were."""
        try:
            changed = self._file.stat().st_mtime_ns
            if changed != self._read_at:
                entries = json.loads(self._file.read_text())
                self._own = tuple(
                    Rule(e["channel"], re.compile(e["pattern"], re.IGNORECASE), Behaviour(e["behaviour"]))
                    for e in entries
                )
                self._read_at = changed
        except FileNotFoundError:
            self._own, self._read_at = (), -1
        except (OSError, ValueError, KeyError, TypeError, re.error):
            return

    def behaviour(self, channel: str, address: str) -> Behaviour:
        """How to treat a message to `address`."""
        for rule in (*self._own, *STANDARD):
            if rule.channel == channel and rule.pattern.search(address):
                return rule.behaviour
        return Behaviour.ACCEPT
