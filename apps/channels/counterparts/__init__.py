"""Local counterparts: a relay, a text message provider and a print shop that really take what is handed over."""
