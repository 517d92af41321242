"""A department that still uses another tool: contacts it made, places it reserves, and messages of its plan."""
