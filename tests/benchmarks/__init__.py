"""Measurements, run by hand. Read ratios of one run, never absolute rates: machines are noisy."""
