"""Pages of customers. Each view: load, one domain call, respond."""
