"""The rows of tools/bench/run, in the order in which they run."""

from rows import appends, churn, listeners, memory, relay, replay, start

ROWS = {row.name: row for module in (appends, listeners, replay, relay, start, memory, churn) for row in module.ROWS}
