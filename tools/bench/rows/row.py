"""What every row of the benchmark has: a name, what it measures beside what, and how."""

from dataclasses import dataclass, field
from typing import Callable


@dataclass
class Row:
    name: str
    about: str             # one line of --help
    cases: dict            # name: servers that take turns in it
    measure: Callable      # (options, case, server): the report of one run
    columns: list
    goals: Callable        # (runs): the goals of this row
    repetitions: int = 0   # 0: as many as --repetitions says
    connections: int = 0   # at most, of one run
    remarks: Callable = field(default=lambda runs: [])  # (runs): lines below its table
