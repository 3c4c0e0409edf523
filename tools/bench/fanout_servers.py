"""The servers under test: how each is started, measured by the client, and taken away again."""

import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
BUILD = ROOT / "build" / "bench"
SEGUE = Path(os.environ.get("SEGUE", ROOT / "build" / "release" / "segue"))
NGINX = shutil.which("nginx", path=os.environ["PATH"] + ":/usr/sbin")
NCHAN = Path("/usr/lib/nginx/modules/ngx_nchan_module.so")

# The fastest nchan that loses nothing: one worker, a short buffer, bodies and messages in memory only, no logs.
NGINX_CONF = """
load_module {module};
worker_processes 1;
daemon off;
pid nginx.pid;
error_log stderr crit;
events {{ worker_connections {connections}; }}
http {{
  access_log off;
  gzip off;
  keepalive_requests 1000000000;
  client_body_buffer_size 64k;
  client_body_temp_path body;
  proxy_temp_path proxy;
  fastcgi_temp_path fastcgi;
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    location = /readyz {{ return 204; }}
    location = /v1/stream/bench/fanout {{
      if ($request_method = PUT) {{ return 204; }}
      nchan_publisher http;
      nchan_subscriber websocket;
      nchan_channel_id fanout;
      nchan_message_buffer_length 32;
      nchan_message_timeout 10s;
      nchan_subscriber_first_message newest;
    }}
  }}
}}
"""


class Failed(Exception):
    """A server or a run failed; the text says how."""


def segue(folder, port, listeners):
    return [SEGUE, "serve", "--listen", f"127.0.0.1:{port}", "--data", folder / "data",
            "--connections", listeners + 1000, "--log-level", "warning"]


def nchan(folder, port, listeners):
    text = NGINX_CONF.format(module=NCHAN, port=port, connections=listeners + 1000)
    (folder / "nginx.conf").write_text(text)
    return [NGINX, "-p", folder, "-c", "nginx.conf", "-e", "stderr"]


def floor(folder, port, listeners):
    return [BUILD / "fanout_floor", port]


SERVERS = {"segue": segue, "nchan": nchan, "floor": floor}


def missing(servers):
    """What has to be there and is not, with the way to get it."""
    if not shutil.which("g++"):
        yield "g++ is missing: apt-get install g++ libboost1.81-dev"
    if "segue" in servers and not SEGUE.exists():
        yield f"{SEGUE} is missing: tools/run builds it"
    if "nchan" in servers and not (NGINX and NCHAN.exists()):
        yield "nchan is missing: apt-get install --no-install-recommends nginx-light libnginx-mod-nchan"


def compile_sources():
    BUILD.mkdir(parents=True, exist_ok=True)
    newest = max(file.stat().st_mtime for file in HERE.glob("fanout_*"))
    for name in ("fanout_client", "fanout_floor"):
        program = BUILD / name
        if not program.exists() or program.stat().st_mtime < newest:
            command = ["g++", "-std=c++20", "-O2", "-Wall", "-Wextra", "-o", program, HERE / f"{name}.cpp"]
            subprocess.run(command, check=True)


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def with_children(pid):
    """This process and all below it."""
    try:
        children = " ".join(file.read_text() for file in Path(f"/proc/{pid}/task").glob("*/children"))
    except OSError:  # it, or a thread of it, has just ended
        children = ""
    return [pid] + [below for child in children.split() for below in with_children(int(child))]


def on_core(number):
    """Server and client each have a core of their own. Left to itself the scheduler puts a server of one thread beside its
    client now and then, where a delivery costs less, since the client finds it in the cache."""
    return ["taskset", "--cpu-list", number]


def wait_until_ready(process, port, log):
    for _ in range(200):
        if process.poll() is not None:
            raise Failed("it ended at once:\n" + log.read_text()[-2000:])
        try:
            door = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            door.request("GET", "/readyz")
            if door.getresponse().status < 300:
                return
        except OSError:
            pass
        finally:
            door.close()
        time.sleep(0.05)
    raise Failed("it was not ready within 10 s")


def end(process):
    processes = with_children(process.pid)
    process.terminate()
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        for pid in processes:
            os.kill(pid, signal.SIGKILL)
        process.wait()


@contextmanager
def running(name, listeners):
    """A server from its start until it has gone, with a folder of its own on a real disk. What `with` gives is a
    function: it runs the client with further arguments, and answers its report."""
    with tempfile.TemporaryDirectory(prefix=f"{name}-", dir=BUILD, ignore_cleanup_errors=True) as folder:
        port, log = free_port(), Path(folder) / "log"
        command = on_core(0) + SERVERS[name](Path(folder), port, listeners)
        with log.open("w") as output:
            process = subprocess.Popen(list(map(str, command)), stdin=subprocess.DEVNULL, stdout=output, stderr=output)

        def measure(*arguments):
            client = on_core(1) + [BUILD / "fanout_client", "--port", port, "--listeners", listeners, *arguments]
            for pid in with_children(process.pid):
                client += ["--server", pid]
            done = subprocess.run(list(map(str, client)), capture_output=True, text=True)
            if done.returncode != 0:
                raise Failed(done.stderr.strip() + "\n" + log.read_text()[-2000:])
            return json.loads(done.stdout)

        try:
            wait_until_ready(process, port, log)
            yield measure
        finally:
            end(process)
