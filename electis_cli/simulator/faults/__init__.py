"""Faults on demand (contract 9.5): which calls one meets, and what it does to them.

`kinds` lists them; `fault` and `standing` decide which calls are hit; `answers` act in place of AIMS, `intrusions`
in its data, `spoiling` on the answer it gave. What a fault does inside one operation stands in that operation.
"""

from electis_cli.simulator.faults.fault import Asked, Fault
from electis_cli.simulator.faults.kinds import KINDS
from electis_cli.simulator.faults.reading import fault_from_text, fault_from_values
from electis_cli.simulator.faults.standing import Faults, Standing

__all__ = ["KINDS", "Asked", "Fault", "Faults", "Standing", "fault_from_text", "fault_from_values"]
