"""The calendar: what is planned when, by whom, how many people it reaches, and where it collides."""
