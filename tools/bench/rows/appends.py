"""Appends that are acknowledged when they are on the disk."""

from harness.processes import folder_on_disk, result_of, run_load, running
from harness.tables import LATENCIES, SHARES, Column, Goal
from rows.row import Row

PRODUCERS = 64
CHUNK = 4096
COLUMNS = [Column("acks/s", "acks_per_s", "{:,.0f}"), Column("CPU µs/ack", "us_per_ack", "{:.0f}"), *LATENCIES, *SHARES]


def append(server, producers, seconds):
    """Each producer has a stream of its own and waits for its acknowledgement."""
    common = ["--chunk", CHUNK, "--seconds", seconds]
    if server == "file":
        with folder_on_disk("file") as folder:
            return result_of(run_load("file-appends", "--file", folder / "log", *common))
    with running(server, producers + 100) as it:
        dialect = ["--redis", "--name", "bench:{}"] if server == "redis" else []
        return it.load("appends", "--producers", producers, *common, *dialect)


def goals_of_many(runs):
    rate = runs.ratio("appends64", "acks_per_s", "segue", "redis")
    yield Goal("appends64", "acks/s, of Redis's", rate, 0.8)
    yield Goal("appends64", "CPU per ack, of Redis's", runs.ratio("appends64", "us_per_ack", "segue", "redis"), 2, False)


def goals_of_one(runs):
    ratio = runs.ratio("append-p50", "p50_ms", "segue", "file")
    yield Goal("append-p50", "p50, of write + fdatasync", ratio, 2.5, False)


ROWS = [
    Row("appends64", "64 producers append 4 KiB over HTTP, acknowledged after the sync; beside Redis XADD, appendfsync always",
        {"appends64": ["segue", "redis"]}, lambda options, case, server: append(server, PRODUCERS, options.seconds),
        COLUMNS, goals_of_many, connections=PRODUCERS),
    Row("append-p50", "one producer; beside a program that does write and fdatasync",
        {"append-p50": ["segue", "file"]}, lambda options, case, server: append(server, 1, options.seconds),
        COLUMNS, goals_of_one, connections=1),
]
