"""Through an edge node, beside the same from the node that has the stores."""

import ctypes
import os
import secrets
import time
from contextlib import contextmanager

from harness.processes import Running, folder_on_disk, free_port
from harness.tables import LATENCIES, MISTAKES, SHARES, Column, Goal
from rows.listeners import WARM_UP
from rows.replay import CLIENTS, PIECE, put_piece, sound
from rows.row import Row

RATE = 20  # chunks a second
LISTENERS = [10, 1000]
GROWTH = 1.25  # times what a chunk costs the owner with few listeners on the edge: what counts as the same


@contextmanager
def owner_and(server, connections):
    """The owner, and who is listened to: itself, or an edge that has joined it."""
    with folder_on_disk("owner") as home, folder_on_disk("edge") as away:
        (home / "secret").write_text(secrets.token_hex())
        secret = ["--cluster-secret", "${file:" + str(home / "secret") + "}"]
        door = f"127.0.0.1:{free_port()}"
        owner = Running("segue", home, connections, [*secret, "--cluster-listen", door])
        try:
            if server == "segue":
                yield owner, owner
                return
            edge = Running("segue", away, connections, [*secret, "--join", door])
            try:
                yield owner, edge
            finally:
                edge.end()
        finally:
            owner.end()


def cpu_seconds(it):
    """All that its process has used: not in ticks of 10 ms, of which a run has few."""
    clock = ctypes.c_int()
    if error := ctypes.CDLL(None).clock_getcpuclockid(it.process.pid, ctypes.byref(clock)):
        raise OSError(error, os.strerror(error))
    return time.clock_gettime(clock.value)


def relay(options, case, server):
    with owner_and(server, 2000) as (owner, heard):
        measure = piece if case == "relay-piece" else listeners
        run, used, took = charged(owner, lambda: measure(options, case, owner, heard))
        if heard is not owner:  # which is no stranger
            run["others_share"] = max(0, run["others_share"] - used / took)
        if measure is listeners:
            run["owner_us"] = used * 1e6 / ((options.seconds + float(WARM_UP[1])) * RATE)
        return run


def charged(owner, measure):
    """What `measure` answers, and the seconds of CPU that the owner used meanwhile, and how many it took."""
    used, start = cpu_seconds(owner), time.monotonic()
    run = measure()
    return run, cpu_seconds(owner) - used, time.monotonic() - start


def listeners(options, case, owner, heard):
    return heard.load("tail", "--listeners", int(case.rpartition("-")[2]), "--seconds", options.seconds, *WARM_UP, "--chunk", 1024,
                      "--rate", RATE)


def piece(options, case, owner, heard):
    file = owner.folder / "piece"
    file.write_bytes(sound(PIECE))
    path = put_piece(owner, file)
    return heard.load("replay", *CLIENTS, "--file", file, "--path", path, "--seconds", options.seconds)


def goals(runs):
    few, many = (runs.median(f"relay-{count}", "edge", "owner_us") for count in LISTENERS)
    yield Goal("relay", f"owner's µs a chunk, {LISTENERS[1]:,} listeners on the edge", many, few and few * GROWTH, False, "{:.0f}")
    for count in LISTENERS:
        mistakes = [runs.most(f"relay-{count}", "edge", key) for key in ("gaps", "doubles")]
        yield Goal("relay", f"gaps and doubles, {count}", None if None in mistakes else sum(mistakes), 0, False)


ROWS = [
    Row("relay", "20 clients fetch a piece of 20 MB, and few and many listen, through an edge node; beside the same directly",
        {case: ["segue", "edge"] for case in ("relay-piece", *(f"relay-{count}" for count in LISTENERS))}, relay,
        [Column("MB/s", "mb_per_s", "{:,.0f}"), *LATENCIES, Column("owner µs/chunk", "owner_us", "{:,.0f}"), *MISTAKES, *SHARES],
        goals, connections=max(LISTENERS)),
]
