"""Pages of the plan, one module per page."""
