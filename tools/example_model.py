#!/usr/bin/env python3
"""A model for Segue that needs nothing but Python: it plays a little tune, a different one for each seed.

    tools/example_model.py --port 9000
    segue serve --generator http://127.0.0.1:9000/generate

Segue POSTs JSON: userId, requestId, promptText, attempt, seed, durationS, resumeAtMs. The answer is sound, sent while it
is made. After a cut Segue asks again, with the next attempt, and names in resumeAtMs the place from which it needs the
same piece once more; Segue-Resumed-At-Ms in the answer says where its sound really begins.
"""
import argparse, array, functools, json, math, random, struct, sys, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SCALE = (0, 2, 4, 7, 9)                   # pentatonic: whatever follows whatever sounds well
CHORDS = (0, 9, 5, 7)                     # C, a, F, G: one a bar of eight notes
STEP_S, CHUNK_S = 0.25, 0.125             # length of a note, and of what is sent at a time


@functools.lru_cache(maxsize=512)
def note(rate, melody, bass, accent):
    """The samples of one step: a plucked note over a bass note. It fades to nothing, so that steps can be joined."""
    samples = array.array("h")
    for i in range(round(rate * STEP_S)):
        t = i / rate
        fade = min(1, t / 0.004) * max(0, 1 - t / STEP_S)
        lead = sum(math.sin(2 * math.pi * 440 * 2 ** (melody / 12) * n * t) / n ** 2 for n in (1, 2, 3, 4))
        low = math.sin(2 * math.pi * 110 * 2 ** (bass / 12) * t) * (1.2 if accent else 0.7)
        samples.append(round(9000 * fade * (lead * math.exp(-4 * t) + low)))
    return samples


def step(rate, seed, number):
    """A seed always plays the same tune, and any step of it can be played without the ones before."""
    dice = random.Random(f"{seed} {number}")
    bass = CHORDS[number // 8 % 4] - 12
    return note(rate, dice.choice(SCALE) + 12 * dice.choice((0, 0, 0, 1)), bass, number % 4 == 0)


class Model(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"         # chunks: without them nobody could tell a cut from the end

    def do_POST(self):
        wish = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        rate, wav, length = options.rate, options.format == "wav", round(wish["durationS"] * 1000)
        begin = min(wish["resumeAtMs"], length)
        self.send_response(200)
        self.send_header("Content-Type", "audio/wav" if wav else f"audio/L16;rate={rate};channels=1")
        self.send_header("Transfer-Encoding", "chunked")
        self.send_header("Segue-Resumed-At-Ms", str(begin))
        self.send_header("Segue-Length-Ms", str(length))
        self.end_headers()
        if wav:                           # 16 bit, mono; the sizes of a stream are not known: all ones
            self.chunk(b"RIFF\xff\xff\xff\xffWAVE" + struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, rate, 2 * rate, 2, 16)
                       + b"data\xff\xff\xff\xff")
        at, end, size = begin * rate // 1000, length * rate // 1000, round(rate * STEP_S)
        began, sent = time.monotonic(), 0
        while at < end:
            tune = step(rate, wish["seed"], at // size)[at % size:][:min(end - at, round(rate * CHUNK_S))]
            at, sent = at + len(tune), sent + len(tune)
            if wav == (sys.byteorder == "big"):
                tune.byteswap()           # WAV is little-endian, L16 is big-endian
            self.chunk(tune.tobytes())
            time.sleep(max(0, began + sent / rate / options.speed - time.monotonic()))
        self.chunk(b"")                   # the end of the piece

    def chunk(self, data):                # fails when Segue has hung up, as it does when a piece is cancelled
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))


parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--port", type=int, default=9000, help="where to listen, on 127.0.0.1 (default: 9000)")
parser.add_argument("--format", choices=("wav", "l16"), default="wav", help="what to answer with (default: wav)")
parser.add_argument("--rate", type=int, default=44100, help="samples a second (default: 44100)")
parser.add_argument("--speed", type=float, default=1.5, help="times faster than real time (default: 1.5)")
options = parser.parse_args()
server = ThreadingHTTPServer(("127.0.0.1", options.port), Model)
print(f"Listening on http://127.0.0.1:{server.server_port}/generate", flush=True)
server.serve_forever()
