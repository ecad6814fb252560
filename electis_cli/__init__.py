"""electis: keeps electronic labels true to a database."""
