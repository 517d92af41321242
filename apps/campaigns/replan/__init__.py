"""Re-planning a period: dates first, which cost nobody a message, then who gets what; each with a bound on what is possible."""
