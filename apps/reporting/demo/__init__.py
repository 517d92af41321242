"""The demo company: Fjell & Fjord, a clothing and outdoor retailer with four departments in five countries."""
