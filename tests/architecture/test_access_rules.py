"""Every address says who may open it."""

from collections.abc import Iterator
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver

# Addresses of packages, with what stands before them instead of a rule of ours.
OTHERS = {
    "accounts/": "allauth: signing in is for everybody, the rest asks for a login itself",
    "admin/": "Django's administration: asks for staff itself, and signs in through allauth",
}


def routes(patterns: list[Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            yield from routes(pattern.url_patterns, prefix + str(pattern.pattern))
        elif isinstance(pattern, URLPattern):
            yield prefix + str(pattern.pattern), pattern.callback


def rule_of(view: Any) -> Any:
    """The rule on the view itself, or on the class behind it."""
    holders = [view, getattr(view, "cls", None), getattr(view, "view_class", None)]
    return next((rule for holder in holders if (rule := getattr(holder, "access_rule", None))), None)


def test_every_route_has_an_access_rule():
    found = list(routes(get_resolver().url_patterns))
    assert len(found) > 60
    assert not [route for route, view in found if rule_of(view) is None and not route.startswith(tuple(OTHERS))]


def test_a_public_route_says_why():
    rules = [(route, rule_of(view)) for route, view in routes(get_resolver().url_patterns)]
    assert not [route for route, rule in rules if rule and rule.kind == "public" and len(rule.reason) < 15]
