"""Imports: a file of one source becomes customers, interactions or products, in full or not at all."""
