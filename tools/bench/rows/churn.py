"""Whether anything stays behind of what comes and goes."""

from harness.processes import running
from harness.tables import SHARES, Column, Goal
from rows.row import Row

LISTENERS = 300
GROWTH = 5  # %: what counts as flat …
LONG = 600  # s: … after a fifth of so long; before that caches and tables still fill


def churn(options, case, server):
    with running(server, 1000) as it:
        run = it.load("churn", "--seconds", options.churn, "--listeners", LISTENERS)
    return run | ({"growth": run["memory_late"] / run["memory_early"] - 1} if options.churn >= LONG else {})


def goals(runs):
    growth = runs.median("churn", "segue", "growth")
    yield Goal("churn", f"% more memory than after a fifth of {LONG} s", growth and growth * 100, GROWTH, False)
    yield Goal("churn", "sockets leaked", runs.most("churn", "segue", "sockets_leaked"), 0, False)


ROWS = [
    Row("churn", "joins, leaves, generations, appends and purges at random for --churn seconds",
        {"churn": ["segue"]}, churn,
        [Column("joins", "joins", "{:,.0f}"), Column("generations", "generations", "{:,.0f}"),
         Column("appends", "appends", "{:,.0f}"), Column("MB, early", "memory_early", "{:.1f}", 1e-6),
         Column("late", "memory_late", "{:.1f}", 1e-6), Column("empty, early", "quiet_early", "{:.1f}", 1e-6),
         Column("late", "quiet_late", "{:.1f}", 1e-6), Column("sockets left", "sockets_leaked", "{:.0f}"),
         Column("files more", "files_more", "{:.0f}"), *SHARES], goals, repetitions=1, connections=LISTENERS),
]
