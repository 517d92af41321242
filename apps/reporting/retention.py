"""What reporting lets go of, and when; the days stand in config/retention.toml. Daily facts hold counts only."""

from apps.accounts import retention


def register() -> None:
    """The rules of reporting."""
    retention.register("reporting.credit", retention.older("reporting_credit", "bought_on < %s"))
    retention.register("reporting.dailyfact", retention.older("reporting_dailyfact", "day < %s"))
