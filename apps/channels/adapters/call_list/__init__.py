"""Call centre: calls wait in a list until an agent opens them."""

from .adapter import CallListAdapter, CallRequest

__all__ = ["CallListAdapter", "CallRequest"]
