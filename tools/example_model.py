#!/usr/bin/env python3
"""A model for Segue that needs nothing but Python: it plays a little tune, a different one for each seed.

Asked by `segue serve --generator http://127.0.0.1:9000/generate`: a POST of JSON with userId, requestId, promptText, attempt,
seed, durationS and resumeAtMs is answered with sound while it is made. After a cut Segue asks again, with the next attempt,
and names in resumeAtMs the place from which it needs the same piece once more; Segue-Resumed-At-Ms says where it begins.
Unasked, with --push http://127.0.0.1:4437: it begins a generation and appends whole frames of MP3, which ffmpeg makes.
"""
import argparse, functools, itertools, json, math, random, struct, subprocess, threading, time, urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

STEP_MS, SCALE, CHORDS = 240, (0, 2, 4, 7, 9), (-12, -3, -7, -5)  # a note; pentatonic over C, a, F, G


@functools.lru_cache(maxsize=512)
def note(melody, bass):
    """One step, 16 bit, big-endian, mono: a plucked note over a bass note. It fades to nothing, so that steps can be joined."""
    def sample(t):
        lead = sum(math.sin(2 * math.pi * 440 * 2 ** (melody / 12) * n * t) / n ** 2 for n in (1, 2, 3, 4))
        low = math.sin(2 * math.pi * 110 * 2 ** (bass / 12) * t)
        return round(9000 * min(1, t / 0.004) * max(0, 1 - t * 1000 / STEP_MS) * (lead * math.exp(-4 * t) + low))
    samples = [sample(i / options.rate) for i in range(options.rate * STEP_MS // 1000)]
    return struct.pack(f">{len(samples)}h", *samples)


def tune(seed, begin_ms, end_ms):
    """A seed always plays the same tune, and any step of it can be played without the ones before."""
    for at_ms in range(begin_ms, end_ms, STEP_MS):
        dice = random.Random(f"{seed} {at_ms}")
        sound = note(dice.choice(SCALE) + 12 * dice.choice((0, 0, 0, 1)), CHORDS[at_ms // STEP_MS // 8 % 4])
        yield sound[:(end_ms - at_ms) * options.rate // 1000 * 2]
        time.sleep(STEP_MS / 1000 / options.speed)


class Model(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"                          # chunks: without them nobody could tell a cut from the end

    def do_POST(self):
        wish = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        begin, length = wish["resumeAtMs"] // STEP_MS * STEP_MS, round(wish["durationS"] * 1000)
        self.send_response(200)
        for name, value in {"Content-Type": f"audio/L16;rate={options.rate};channels=1", "Transfer-Encoding": "chunked",
                            "Segue-Resumed-At-Ms": begin, "Segue-Length-Ms": length}.items():
            self.send_header(name, str(value))
        self.end_headers()
        for sound in itertools.chain(tune(wish["seed"], begin, length), [b""]):  # the empty chunk is the end
            self.wfile.write(b"%x\r\n%s\r\n" % (len(sound), sound))


def push(server):
    def post(path, body, headers):
        while True:                                        # the same again, under the same number, until it is answered
            try:
                return urllib.request.urlopen(urllib.request.Request(server + path, body, headers), timeout=30).read()
            except OSError as problem:
                assert getattr(problem, "code", 503) in (429, 503, 507), problem
                time.sleep(0.2)
    made = json.loads(post("/v1/generations", b'{"prompt": "a tune", "generator": "push"}', {"Content-Type": "application/json"}))
    frames_of = "-ac 2 -ar 48000 -b:a 128k -reservoir 0 -write_xing 0 -id3v2_version 0 -flush_packets 1 -f mp3 -"
    mp3 = subprocess.Popen(f"ffmpeg -v error -f s16be -ar {options.rate} -ac 1 -i - {frames_of}".split(),
                           stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    threading.Thread(target=lambda: mp3.stdin.writelines(tune(0, 0, options.duration * 1000)) or mp3.stdin.close()).start()
    for number, frames in enumerate(itertools.chain(iter(lambda: mp3.stdout.read(10 * 384), b""), [b""])):
        headers = {"Content-Type": "audio/mpeg", "Producer-Id": made["producer"]["id"], "Producer-Seq": str(number),
                   "Producer-Epoch": str(made["producer"]["epoch"]), "Stream-Closed": "false" if frames else "true"}
        post(made["urls"]["audio_stream"], frames, headers)


parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
for name, default, text in (("port", 9000, "where to listen, on 127.0.0.1"), ("rate", 44100, "samples a second"),
                            ("speed", 1.5, "times faster than real time"), ("duration", 30, "seconds to push"),
                            ("push", "", "a Segue to push one piece to, instead of listening")):
    parser.add_argument(f"--{name}", type=type(default), default=default, help=f"{text} (default: {default})")
options = parser.parse_args()
if options.push:
    raise SystemExit(push(options.push))
model = ThreadingHTTPServer(("127.0.0.1", options.port), Model)
print(f"Listening on http://127.0.0.1:{model.server_port}/generate", flush=True)
model.serve_forever()
