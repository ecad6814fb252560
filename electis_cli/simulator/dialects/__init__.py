"""The several ways AIMS writes the same answer (contract 9.4), for all operations or for some."""

from electis_cli.simulator.dialects.choice import Dialect, Dialects, dialect_from_text, dialect_from_values

__all__ = ["Dialect", "Dialects", "dialect_from_text", "dialect_from_values"]
