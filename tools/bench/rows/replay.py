"""A finished piece, fetched by many at once, while others listen to a live stream."""

import os

from harness.processes import result_of, run_load, running
from harness.runs import Runs
from harness.tables import Column, Goal
from rows.listeners import PART, pushed_generation
from rows.row import Row

FRAME = 384
PIECE = 20_000_000 // PART * PART
CLIENTS = ["--clients", 20]
TAIL = ["--listeners", 10, "--chunk", PART, "--rate", 20, "--warm-up", 0.5]
KEPT = 1.1  # times the p99 by itself: what counts as kept


def sound(size):
    """MP3 frames of noise: each begins as 128 kbit/s at 48 kHz does."""
    noise = os.urandom(size)
    head = b"\xff\xfb\x94\x00"
    return b"".join(head + noise[at + len(head):at + FRAME] for at in range(0, size, FRAME))


def forget_files(folder):
    """Out of the kernel's cache with everything below this folder; written first, since only then it can be forgotten."""
    for file in folder.rglob("*"):
        if file.is_file():
            descriptor = os.open(file, os.O_RDONLY)
            os.fsync(descriptor)
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
            os.close(descriptor)


def restart(it, meanwhile=lambda folder: None):
    it.end()
    meanwhile(it.folder)
    it.start()


def put_piece(it, file):
    """Brings the piece to the server, and answers its path."""
    if it.name == "nginx":
        (it.folder / "files" / "piece.mp3").write_bytes(file.read_bytes())
        return "/files/piece.mp3"
    stream, audio, producer = pushed_generation(it)
    it.load("upload", "--file", file, "--path", stream, "--producer", producer, "--part", PART)
    return audio


def replay(options, case, server):
    with running(server, 1000) as it:
        file = it.folder / "piece"  # what the client compares with
        file.write_bytes(sound(PIECE))
        fetch = [*CLIENTS, "--file", file, "--path", put_piece(it, file)]
        restart(it)  # what the server remembers of the upload goes
        restart(it, forget_files)  # the first start may have read it all, from the log of an unfinished table
        numbers = prefixed("cold_", it.load("replay", *fetch, "--once"))
        numbers |= prefixed("warm_", it.load("replay", *fetch, "--seconds", options.seconds))
        numbers["others_share"] = max(numbers["cold_others_share"], numbers["warm_others_share"])
        return numbers | (tail_meanwhile(it, fetch, options.seconds) if server == "segue" else {})


def prefixed(prefix, numbers):
    return {prefix + key: value for key, value in numbers.items()}


def tail_meanwhile(it, fetch, seconds):
    """A live stream by itself, and then beside replays: as many as the server can serve, and as the clients on the other core can
    take besides the one that measures, which must not wait for them. What is heard was synced before: another program's syncs
    tell how long the disk itself took."""
    listening = ["--seconds", seconds, "--publish", "/v1/stream/bench/tail", "--listen",
                 "/v1/stream/bench/tail?offset=now&live=websocket"]
    alone = it.load("tail", *TAIL, *listening)
    it.ask("DELETE", "/v1/stream/bench/tail")
    replays = it.begin_load("replay", *fetch, "--seconds", seconds + 2, niceness=19)
    disk = run_load("file-appends", "--file", it.folder / "disk", "--pause", 0.02, "--seconds", seconds + 2)
    try:
        meanwhile = it.load("tail", *TAIL, *listening)
    finally:
        result_of(replays)
        synced = result_of(disk)
    return {"alone_p99_ms": alone["p99_ms"], "p99_ms": meanwhile["p99_ms"], "disk_ms": synced["worst_ms"],
            "mistakes": meanwhile["gaps"] + meanwhile["doubles"]}


def goals(runs):
    for case in ("cold", "warm"):
        ratio = runs.ratio("replay", f"{case}_mb_per_cpu_s", "segue", "nginx")
        yield Goal("replay", f"{case}: MB per CPU-s, of nginx's", ratio, 0.4)
    ours, alone = (runs.median("replay", "segue", key) for key in ("p99_ms", "alone_p99_ms"))
    yield Goal("replay", f"p99 ms of a live stream meanwhile, {KEPT} of alone", ours, alone and alone * KEPT, False)
    yield Goal("replay", "its gaps and doubles", runs.most("replay", "segue", "mistakes"), 0, False)


ROWS = [
    Row("replay", "20 clients fetch a piece of 20 MB, from disk and from memory; beside nginx; and a live stream meanwhile",
        {"replay": ["segue", "nginx"]}, replay,
        [Column("cold MB/CPU-s", "cold_mb_per_cpu_s", "{:,.0f}"), Column("MB/s", "cold_mb_per_s", "{:,.0f}"),
         Column("warm MB/CPU-s", "warm_mb_per_cpu_s", "{:,.0f}"), Column("MB/s", "warm_mb_per_s", "{:,.0f}"),
         Column("server %", "warm_server_share", "{:.0f}", 100), Column("client %", "warm_client_share", "{:.0f}", 100),
         Column("live p99 ms: alone", "alone_p99_ms", "{:.2f}"), Column("meanwhile", "p99_ms", "{:.2f}"),
         Column("disk ms", "disk_ms", "{:.1f}", 1, Runs.most)],
        goals, connections=20),
]
