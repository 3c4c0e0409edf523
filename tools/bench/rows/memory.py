"""Resident memory: of a server that has nothing to do, of an open stream, of a listener who waits."""

from harness.processes import running
from harness.tables import Column, Goal
from rows.row import Row

STREAMS = 1000
LISTENERS = 2000


def memory(options, case, server):
    with running(server, LISTENERS + 1000) as it:
        if case == "streams":
            return it.load("open-streams", "--streams", STREAMS, "--chunk", 1024, "--warm-up", 1)
        return it.load("waiting", "--listeners", LISTENERS, "--chunk", 1024, "--warm-up", 1, "--seconds", 0.5)


def goals(runs):
    idle, stream = (runs.median("streams", "segue", key) for key in ("idle_bytes", "bytes_per_stream"))
    yield Goal("memory", "MB, idle", idle and idle / 1e6, 80, False)
    yield Goal("memory", "KiB per open stream", stream and stream / 1024, 64, False)
    ours, theirs = (runs.median("listeners", server, "bytes_per_listener") for server in ("segue", "nchan"))
    yield Goal("memory", "KiB per listener, nchan's at most", ours and ours / 1024, theirs and theirs / 1024, False)


ROWS = [
    Row("memory", f"resident, idle; of each of {STREAMS:,} open streams; of each of {LISTENERS:,} listeners, beside nchan",
        {"streams": ["segue"], "listeners": ["segue", "nchan"]}, memory,
        [Column("idle MB", "idle_bytes", "{:.1f}", 1e-6), Column("KiB/stream", "bytes_per_stream", "{:.2f}", 1 / 1024),
         Column("KiB/listener", "bytes_per_listener", "{:.2f}", 1 / 1024)], goals, connections=LISTENERS),
]
