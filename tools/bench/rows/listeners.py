"""Live listeners: what one delivery costs the server, through each door, for few and for many, at the tail and behind."""

import json

from harness.processes import running
from harness.tables import LATE, LATENCIES, MISTAKES, SHARES, Column, Goal
from rows.row import Row

COLUMNS = [Column("deliveries/CPU-s", "deliveries_per_cpu_s", "{:,.0f}"), *LATENCIES, *MISTAKES, *SHARES, *LATE]
PEERS = ["segue", "nchan"]
WARM_UP = ["--warm-up", 1]

SIZES = [100, 1000, 5000]  # listeners
FRAMES = 3 * 384  # bytes of sound: whole MP3 frames

# A minute of sound, as a generation appends it: 128 kbit/s in parts of 240 ms.
PART = 10 * 384
PARTS = 60_000 // 240
LATE_LISTENERS = 100


def pushed_generation(it):
    """A generation whose sound comes from outside: how its sound is published, and heard over progressive HTTP."""
    wish = json.dumps({"prompt": "bench", "generator": "push"})
    made = json.loads(it.ask("POST", "/v1/generations", wish, {"Content-Type": "application/json"}))
    return made["urls"]["audio_stream"], made["urls"]["audio"], made["producer"]["id"]


def tail(server, listeners, seconds, *more):
    with running(server, listeners + 1000) as it:
        return it.load("tail", "--listeners", listeners, "--seconds", seconds, *WARM_UP, *more)


def sse(options, case, server):
    return tail(server, 1000, options.seconds, "--chunk", 1024, "--rate", 50, "--type", "text/plain", "--format", "sse",
                "--listen", "/v1/stream/bench/{}?offset=now&live=sse")


def progressive(options, case, server):
    with running(server, 2000) as it:
        common = ["--listeners", 1000, "--seconds", options.seconds, *WARM_UP, "--chunk", FRAMES, "--sound",
                  "--rate", 50, "--type", "audio/mpeg", "--format", "bytes"]
        if server != "segue":
            return it.load("tail", *common, "--listen", "/v1/stream/bench/{}")
        stream, audio, producer = pushed_generation(it)
        return it.load("tail", *common, "--publish", stream, "--listen", audio, "--producer", producer)


def many_streams(options, case, server):
    return tail(server, 1000, options.seconds, "--streams", 200, "--chunk", 1024, "--rate", 20)


def scaling(options, case, server):
    return tail(server, int(case), options.seconds, "--chunk", 1024, "--rate", 20)


def catch_up(options, case, server):
    chunks = ["--listeners", LATE_LISTENERS, "--chunk", PART]
    if case == "at-tail":
        run = tail(server, LATE_LISTENERS, options.seconds, *chunks, "--rate", 20)
    else:
        with running(server, 1000) as it:
            run = it.load("catch-up", *chunks, "--behind", PARTS, "--listen", "/v1/stream/bench/{}?offset=-1&live=websocket")
    return run | {"ns_per_byte": run["cpu_s"] * 1e9 / (run["deliveries"] * PART)}


def as_cheap_as_nchan(case):
    def goals(runs):
        yield Goal(case, "deliveries, of nchan's", runs.ratio(case, "deliveries_per_cpu_s", "segue", "nchan"), 1.0)
        yield Goal(case, "gaps and doubles", sum_of_mistakes(runs, case), 0, False)
    return goals


def sum_of_mistakes(runs, case):
    values = [runs.most(case, "segue", key) for key in ("gaps", "doubles")]
    return None if None in values else sum(values)


def goals_of_scaling(runs):
    cost = [runs.median(str(size), "segue", "deliveries_per_cpu_s") for size in (100, 1000)]
    spread = max(cost) / min(cost) - 1 if None not in cost else None
    yield Goal("scaling", "% between 100 and 1,000 listeners", spread and spread * 100, 15, False, "{:.0f}")
    for size in map(str, SIZES):
        yield Goal("scaling", f"gaps and doubles, {size}", sum_of_mistakes(runs, size), 0, False)


def shares_of_a_chunk(runs):
    """A chunk costs something by itself and something for each listener: which, from what 100 and 1,000 cost."""
    for server in PEERS:
        rates = [runs.median(str(size), server, "deliveries_per_cpu_s") for size in (100, 1000)]
        if None not in rates:
            few, many = 100e6 / rates[0], 1000e6 / rates[1]  # µs for each chunk
            each = (many - few) / 900
            yield f"{server}: a chunk costs {few - 100 * each:.0f} µs, and {each:.2f} µs for each listener"


def goals_of_catching_up(runs):
    ratio = runs.ratio("behind", "ns_per_byte", "segue", "segue", "at-tail")
    yield Goal("catchup", "CPU per byte, of the tail's", ratio, 1.0, False)
    yield Goal("catchup", "gaps and doubles", sum_of_mistakes(runs, "behind"), 0, False)


ROWS = [
    Row("sse1000", "1,000 listeners over server-sent events, 1 KiB of text, 50 a second; beside nchan's EventSource",
        {"sse1000": PEERS}, sse, COLUMNS, as_cheap_as_nchan("sse1000"), connections=1000),
    Row("progressive1000", "1,000 listeners over progressive HTTP, 3 MP3 frames, 50 a second; beside nchan's raw stream",
        {"progressive1000": PEERS}, progressive, COLUMNS, as_cheap_as_nchan("progressive1000"), connections=1000),
    Row("streams200x5", "200 streams with 5 WebSocket listeners each, 1 KiB, 20 a second each; beside nchan",
        {"streams200x5": PEERS}, many_streams, COLUMNS, as_cheap_as_nchan("streams200x5"), connections=1200),
    Row("scaling", "100, 1,000 and 5,000 WebSocket listeners, 1 KiB, 20 a second; nchan for the plot",
        {str(size): PEERS for size in SIZES}, scaling, COLUMNS, goals_of_scaling, connections=max(SIZES),
        remarks=shares_of_a_chunk),
    Row("catchup", f"{LATE_LISTENERS} listeners a minute behind catch up; beside as many at the tail",
        {"at-tail": ["segue"], "behind": ["segue"]}, catch_up,
        [Column("CPU ns/byte", "ns_per_byte", "{:.2f}"), *MISTAKES, *SHARES], goals_of_catching_up,
        connections=LATE_LISTENERS),
]
