"""A finished piece, fetched by many at once, while others listen to a live stream."""

import os

from harness.processes import result_of, running
from harness.tables import SHARES, Column, Goal
from rows.listeners import pushed_generation
from rows.row import Row

FRAME = 384
BODY = 1024 * 1024 // FRAME * FRAME  # of one append, below --body-limit
PIECE = 20 * BODY  # 21 MB
CLIENTS = ["--clients", 20]
TAIL = ["--listeners", 10, "--chunk", 8 * FRAME, "--rate", 20, "--warm-up", 0.5]


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


def put_piece(it, piece):
    """Brings the piece to the server, and answers its path."""
    if it.name == "nginx":
        (it.folder / "files" / "piece.mp3").write_bytes(piece)
        return "/files/piece.mp3"
    stream, audio, producer = pushed_generation(it)
    for number, at in enumerate(range(0, len(piece), BODY)):
        it.ask("POST", stream, piece[at:at + BODY], {
            "Content-Type": "audio/mpeg", "Producer-Id": producer, "Producer-Epoch": "0", "Producer-Seq": str(number),
            "Stream-Closed": "true" if at + BODY == len(piece) else "false"})
    return audio


def replay(options, case, server):
    piece = sound(PIECE)
    with running(server, 1000) as it:
        copy = it.folder / "copy"  # what the client compares with
        copy.write_bytes(piece)
        fetch = [*CLIENTS, "--file", copy, "--path", put_piece(it, piece)]
        if case == "meanwhile":
            return tail_meanwhile(it, fetch, options.seconds)
        restart(it)  # what the server remembers of the upload goes
        if case == "cold":
            restart(it, forget_files)  # the first start may have read it all, from the log of an unfinished table
        if case == "warm":
            it.load("replay", *fetch, "--once")
        return it.load("replay", *fetch, *(["--once"] if case == "cold" else ["--seconds", options.seconds]))


def tail_meanwhile(it, fetch, seconds):
    """A live stream by itself, and then beside replays."""
    alone = it.load("tail", *TAIL, "--seconds", seconds, "--publish", "/v1/stream/bench/alone",
                    "--listen", "/v1/stream/bench/alone?offset=now&live=websocket")
    replays = it.begin_load("replay", *fetch, "--seconds", seconds + 2)
    try:
        meanwhile = it.load("tail", *TAIL, "--seconds", seconds)
    finally:
        replayed = result_of(replays)
    return {"alone_p50_ms": alone["p50_ms"], "alone_p99_ms": alone["p99_ms"], "p50_ms": meanwhile["p50_ms"],
            "p99_ms": meanwhile["p99_ms"], "gaps": meanwhile["gaps"] + meanwhile["doubles"],
            "mb_per_s": replayed["mb_per_s"], "server_share": meanwhile["server_share"]}


def goals(runs):
    for case in ("cold", "warm"):
        yield Goal("replay", f"{case}: MB per CPU-s, of nginx's", runs.ratio(case, "mb_per_cpu_s", "segue", "nginx"), 0.4)
    ours, alone = (runs.median("meanwhile", "segue", key) for key in ("p99_ms", "alone_p99_ms"))
    yield Goal("replay", "p99 ms of a live stream meanwhile", ours, alone and alone * 1.1, False)
    yield Goal("replay", "its gaps and doubles", runs.most("meanwhile", "segue", "gaps"), 0, False)


ROWS = [
    Row("replay", "20 clients fetch a piece of 20 MB, from disk and from memory; beside nginx; and a live stream meanwhile",
        {"cold": ["segue", "nginx"], "warm": ["segue", "nginx"], "meanwhile": ["segue"]}, replay,
        [Column("MB/CPU-s", "mb_per_cpu_s", "{:,.0f}"), Column("MB/s", "mb_per_s", "{:,.0f}"),
         Column("tail p50 ms", "p50_ms", "{:.2f}"), Column("p99 ms", "p99_ms", "{:.2f}"),
         Column("alone p50 ms", "alone_p50_ms", "{:.2f}"), Column("p99 ms", "alone_p99_ms", "{:.2f}"), *SHARES],
        goals, connections=20),
]
