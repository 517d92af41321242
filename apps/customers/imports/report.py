"""What an import did or would do, as lines of words and numbers for people."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from apps.customers.models import ImportJob


def _words() -> dict[str, str]:
    return {
        "rows": _("rows in the file"),
        "refused": _("rows refused"),
        "repeated_in_file": _("rows replaced by a later row of the same id"),
        "new_customers": _("new customers"),
        "joined_known": _("records joined to customers known already"),
        "joined_in_file": _("records joined to another record of the file"),
        "merged_customers": _("known customers found to be one person"),
        "new_records": _("new records"),
        "changed_records": _("records changed"),
        "unchanged_records": _("records unchanged"),
        "crowded_keys": _("addresses on too many records to identify anybody"),
        "new_events": _("new events"),
        "known_events": _("events known already"),
        "repeated_events": _("events told twice in the file"),
        "new_products": _("new products"),
        "changed_products": _("products changed"),
        "unchanged_products": _("products unchanged"),
        "new_prices": _("new prices"),
        "changed_prices": _("prices changed"),
        "new_categories": _("new categories"),
        "unknown_country": _("rows whose country is not known; left blank"),
        "unknown_language": _("rows whose language is not known; left blank"),
        "formula_rows": _("rows with cells that look like formulas; kept as text, made harmless in every export"),
        "undo_customers": _("customers removed again"),
        "undo_tombstones": _("customers kept as an empty entry, because they were contacted or said something"),
        "undo_restored": _("customers put back as they were"),
        "undo_events": _("events removed again"),
        "undo_products": _("products removed again"),
        "undo_products_kept": _("products kept, because they are in use; not on sale any more"),
    }


def lines(job: ImportJob) -> list[tuple[str, Any, str]]:
    """(words, number, code) in a sensible order; noughts are left out except the most telling."""
    words = _words()
    counts: dict[str, Any] = job.counts or {}
    always = {"rows", "refused", "new_customers"} if job.kind == "customers" else {"rows", "refused"}
    known = [(words[code], counts[code], code) for code in words if code in counts and (counts[code] or code in always)]
    others = [
        (code.replace("_", " "), value, code)
        for code, value in counts.items()
        if code not in words and isinstance(value, int) and value and code != "events_written"
    ]
    return known + others
