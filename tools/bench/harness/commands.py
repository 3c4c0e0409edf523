"""What the commands have in common."""

import argparse
import os
import resource
import signal
import sys
from pathlib import Path

from harness.processes import compile_sources
from harness.servers import missing


def names(known):
    """For a comma-separated list of known names."""
    def parse(text):
        chosen = text.split(",")
        for name in chosen:
            if name not in known:
                raise argparse.ArgumentTypeError(f"there is no {name!r}; known are {', '.join(known)}")
        return chosen
    return parse


def add_segue(parser):
    parser.add_argument("--segue", metavar="PATH", help="the server under test [build/release/segue]")


def stop(*_):
    raise KeyboardInterrupt


def prepare(options, servers, descriptors):
    """Whether everything is there that these servers and so many connections need; compiles the clients."""
    for signal_number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(signal_number, stop)
    if options.segue:
        os.environ["SEGUE"] = options.segue
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))  # the servers inherit it
    lacking = list(missing(servers))
    if hard < descriptors:
        lacking.append(f"a process may have only {hard} descriptors: raise `ulimit -Hn`, or take fewer listeners")
    if os.cpu_count() < 2:
        lacking.append("two processors are needed, one for the server and one for the client")
    print(*lacking, sep="\n", end="\n" if lacking else "", file=sys.stderr)
    if not lacking:
        compile_sources()
    return not lacking


def congestion_control():
    return Path("/proc/sys/net/ipv4/tcp_congestion_control").read_text().strip()


def exit_with(main):
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
