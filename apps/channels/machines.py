"""Whether it was a person or a machine: points for every sign, and only several signs together make a machine.

Gateways of companies follow links before anybody has read the mail, mail programs fetch pictures ahead. Each sign alone has
an innocent reading: somebody is quick, a company's proxy writes its name into the browser's, two links are opened at once.
What a program says of itself is no sign but a statement: HEAD, a prefetch header, a script's name, Apple's bare "Mozilla/5.0".
"""

import re
from dataclasses import dataclass

MACHINE = 10
_PROGRAMS = re.compile(
    r"\b\w*bot\b|crawl|spider|slurp|headless|python-|curl/|wget/|go-http-client|\bjava/|okhttp|libwww|facebookexternalhit",
    re.IGNORECASE,
)
_GATEWAYS = re.compile(
    r"preview|scan|safelinks|proofpoint|mimecast|barracuda|fireeye|trend ?micro|symantec|messagelabs|zscaler|sophos|"
    r"forcepoint|cisco|ironport|urldefense|checkpoint",
    re.IGNORECASE,
)
# These fetch a picture when a person opens the mail, so for pictures they stand for that person.
_PICTURE_PROXIES = re.compile(r"googleimageproxy|yahoomailproxy", re.IGNORECASE)
# distinct links within two seconds, the hidden one included -> points
_AT_ONCE = {0: 0, 1: 0, 2: 3, 3: 7, 4: 9}


@dataclass(frozen=True)
class Signs:
    """What is known of one visit. ``at_once`` counts distinct links of the delivery within two seconds, this one included."""

    method: str
    user_agent: str
    declared: bool = False
    soon: bool = False
    at_once: int = 1
    trapped: bool = False

    @property
    def says_so(self) -> bool:
        """Whether the visitor itself says that it is a program, or asks ahead of a person."""
        return self.declared or self.method == "HEAD" or bool(_PROGRAMS.search(self.user_agent))

    @property
    def points(self) -> int:
        """The score; MACHINE and more is a machine."""
        agent = self.user_agent.strip()
        return (
            MACHINE * self.says_so
            + 5 * self.soon
            + 5 * (not agent)
            + 6 * bool(_GATEWAYS.search(agent))
            + 8 * self.trapped
            + _AT_ONCE.get(self.at_once, MACHINE)
        )

    @property
    def machine(self) -> bool:
        """Whether the signs together speak of a machine."""
        return self.points >= MACHINE


def fetches_ahead(user_agent: str) -> bool:
    """Apple's mail privacy fetches every picture, read or not, and calls itself exactly this."""
    return user_agent.strip() == "Mozilla/5.0"


def stands_for_a_reader(user_agent: str) -> bool:
    """A picture proxy that asks only when somebody opens the mail."""
    return bool(_PICTURE_PROXIES.search(user_agent))
