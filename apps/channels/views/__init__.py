"""Pages of channels, and the public addresses that messages lead to."""
