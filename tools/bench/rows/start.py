"""From a wish to its first sound."""

from harness.processes import running
from harness.tables import Column, Goal
from rows.row import Row

COUNT = 100


def start(options, case, server):
    with running(server, 100) as it:
        return it.load("start", "--count", COUNT)


def goals(runs):
    yield Goal("start", "id, p99 ms", runs.median("start", "segue", "id_p99_ms"), 10, False)
    yield Goal("start", "first sound, p99 ms", runs.median("start", "segue", "sound_p99_ms"), 60, False)


ROWS = [
    Row("start", f"POST /v1/generations until the id, and until the first sound at a WebSocket; {COUNT} one by one",
        {"start": ["segue"]}, start,
        [Column("id p50 ms", "id_p50_ms", "{:.2f}"), Column("p99 ms", "id_p99_ms", "{:.2f}"),
         Column("sound p50 ms", "sound_p50_ms", "{:.2f}"), Column("p99 ms", "sound_p99_ms", "{:.2f}"),
         Column("others %", "others_share", "{:.0f}", 100)], goals, connections=2),
]
