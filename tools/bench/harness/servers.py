"""What is measured: the command line and the configuration of each server, set up to be as fast as it can be without
losing anything that it promises to keep."""

import grp
import http.client
import os
import pwd
import shutil
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Callable

HERE = Path(__file__).resolve().parent.parent
ROOT = HERE.parent.parent
BUILD = ROOT / "build" / "bench"

PATH = os.environ["PATH"] + ":/usr/sbin"
NGINX = shutil.which("nginx", path=PATH)
REDIS = shutil.which("redis-server", path=PATH)
NCHAN = Path("/usr/lib/nginx/modules/ngx_nchan_module.so")

# One worker, a short buffer, bodies and messages in memory only, no logs; files straight from the page cache.
NGINX_CONF = """
load_module {module};
user {user};
worker_processes 1;
daemon off;
pid nginx.pid;
error_log stderr crit;
events {{ worker_connections {connections}; }}
http {{
  access_log off;
  gzip off;
  sendfile on;
  tcp_nopush on;
  keepalive_requests 1000000000;
  client_body_buffer_size 64k;
  client_body_temp_path body;
  proxy_temp_path proxy;
  fastcgi_temp_path fastcgi;
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    location = /readyz {{ return 204; }}
    location /files/ {{ root .; }}
    location /v1/stream/ {{
      if ($request_method = PUT) {{ return 204; }}
      nchan_publisher http;
      nchan_subscriber websocket eventsource http-raw-stream;
      nchan_subscriber_http_raw_stream_separator "";
      nchan_channel_id $uri;
      nchan_message_buffer_length 32;
      nchan_message_timeout 10s;
      nchan_subscriber_first_message newest;
    }}
  }}
}}
"""


def http_ready(port):
    door = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        door.request("GET", "/readyz")
        return door.getresponse().status < 300
    finally:
        door.close()


def redis_ready(port):
    with socket.create_connection(("127.0.0.1", port), timeout=5) as door:
        door.sendall(b"PING\r\n")
        return door.recv(64).startswith(b"+PONG")


def segue_program():
    """The release that the drivers name by SEGUE or --segue."""
    return Path(os.environ.get("SEGUE", ROOT / "build" / "release" / "segue")).resolve()


def segue(folder, port, connections):
    return [segue_program(), "serve", "--listen", f"127.0.0.1:{port}", "--data", folder / "data",
            "--connections", connections, "--log-level", "warning"]


def nginx(folder, port, connections):
    (folder / "files").mkdir(exist_ok=True)
    user = f"{pwd.getpwuid(os.getuid()).pw_name} {grp.getgrgid(os.getgid()).gr_name}"  # else root's folders are closed to it
    text = NGINX_CONF.format(module=NCHAN, user=user, port=port, connections=connections)
    (folder / "nginx.conf").write_text(text)
    return [NGINX, "-p", folder, "-c", "nginx.conf", "-e", "stderr"]


def redis(folder, port, connections):
    return [REDIS, "--port", port, "--bind", "127.0.0.1", "--dir", folder, "--maxclients", connections,
            "--appendonly", "yes", "--appendfsync", "always", "--auto-aof-rewrite-percentage", 0, "--save", "",
            "--logfile", "", "--loglevel", "warning"]


def floor(folder, port, connections):
    return [BUILD / "floor", port]


@dataclass
class Server:
    """How one is started, how it is known to serve, and how to get it."""
    command: Callable
    ready: Callable
    there: Callable
    lacking: str


NGINX_LACKING = "nginx with nchan is missing: apt-get install --no-install-recommends nginx-light libnginx-mod-nchan"
SERVERS = {
    "segue": Server(segue, http_ready, lambda: segue_program().exists(),
                    "the release of segue is missing: tools/run builds it, --segue or SEGUE names another"),
    "nchan": Server(nginx, http_ready, lambda: NGINX and NCHAN.exists(), NGINX_LACKING),
    "nginx": Server(nginx, http_ready, lambda: NGINX and NCHAN.exists(), NGINX_LACKING),
    "redis": Server(redis, redis_ready, lambda: REDIS,
                    "Redis is missing: apt-get install --no-install-recommends redis-server"),
    "floor": Server(floor, http_ready, lambda: True, ""),
}


def missing(servers):
    """What has to be there and is not, with the way to get it."""
    if not shutil.which("g++"):
        yield "g++ is missing: apt-get install g++ libboost1.81-dev"
    for lacking in sorted({SERVERS[name].lacking for name in servers if name in SERVERS and not SERVERS[name].there()}):
        yield lacking
