"""Segments: stored rule trees turned into people. See ``criteria`` for the seam."""
