"""Providers: one folder each, none of them knows a model."""
