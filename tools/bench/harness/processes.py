"""Servers under test from their start until they have gone, and the clients that load them."""

import http.client
import json
import os
import signal
import socket
import subprocess
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

from harness.servers import BUILD, HERE, SERVERS


class Failed(Exception):
    """A server or a run failed; the text says how."""


def compile_sources():
    """The clients and the floor, when a source is newer than they are."""
    BUILD.mkdir(parents=True, exist_ok=True)
    for name, sources in (("load", sorted((HERE / "load").glob("*.cpp"))), ("floor", [HERE / "floor.cpp"])):
        program = BUILD / name
        newest = max(file.stat().st_mtime for source in sources for file in source.parent.glob("*.?pp"))
        if not program.exists() or program.stat().st_mtime < newest:
            subprocess.run(["g++", "-std=c++20", "-O2", "-Wall", "-Wextra", "-o", program, *sources], check=True)


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


def run_load(kind, *arguments, niceness=0):
    """Starts a client; `result_of` waits for it."""
    command = ["nice", "-n", niceness] * bool(niceness) + on_core(1) + [BUILD / "load", kind, *arguments]
    return subprocess.Popen(list(map(str, command)), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True)


def result_of(client):
    try:
        output, errors = client.communicate()
    except BaseException:  # nothing is left running when somebody interrupts
        client.kill()
        client.wait()
        raise
    if client.returncode != 0:
        raise Failed(errors.strip())
    return json.loads(output)


class Running:
    """A server that serves."""

    def __init__(self, name, folder, connections, flags=()):
        self.name, self.folder, self.port = name, folder, free_port()
        self.log = folder / "log"
        self.command = [*on_core(0), *SERVERS[name].command(folder, self.port, connections), *flags]
        self.start()

    def start(self):
        with self.log.open("a") as output:
            self.process = subprocess.Popen(list(map(str, self.command)), stdin=subprocess.DEVNULL, stdout=output,
                                            stderr=output)
        try:
            self.wait_until_ready()
        except BaseException:
            self.end()
            raise

    def wait_until_ready(self):
        for _ in range(200):
            if self.process.poll() is not None:
                raise Failed("it ended at once:\n" + self.last_words())
            try:
                if SERVERS[self.name].ready(self.port):
                    return
            except (OSError, http.client.HTTPException):
                pass
            time.sleep(0.05)
        raise Failed("it was not ready within 10 s:\n" + self.last_words())

    def end(self):
        processes = with_children(self.process.pid)
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            for pid in processes:
                os.kill(pid, signal.SIGKILL)
            self.process.wait()

    def last_words(self):
        return self.log.read_text(errors="replace")[-2000:]

    def begin_load(self, kind, *arguments, niceness=0):
        """Starts a client that measures this server; `niceness` lets another one, on the same core, go first."""
        pids = (word for pid in with_children(self.process.pid) for word in ("--server", pid))
        return run_load(kind, "--port", self.port, *pids, *arguments, niceness=niceness)

    def load(self, kind, *arguments):
        """What a client measured."""
        try:
            return result_of(self.begin_load(kind, *arguments))
        except Failed as failure:
            raise Failed(f"{failure}\n{self.last_words()}".strip())

    def ask(self, method, path, body=None, headers={}):
        """The body of an answer; anything but 2xx has failed."""
        door = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            door.request(method, path, body, headers)
            answer = door.getresponse()
            text = answer.read()
        finally:
            door.close()
        if answer.status >= 300:
            raise Failed(f"{method} {path} was answered {answer.status}: {text[:500]!r}")
        return text


@contextmanager
def folder_on_disk(name):
    """A folder of its own on the disk where the build is, gone afterwards."""
    with tempfile.TemporaryDirectory(prefix=f"{name}-", dir=BUILD, ignore_cleanup_errors=True) as folder:
        yield Path(folder)


@contextmanager
def running(name, connections, flags=()):
    """A server from its start until it has gone, with a folder of its own on a real disk."""
    with folder_on_disk(name) as folder:
        server = Running(name, folder, connections, flags)
        try:
            yield server
        finally:
            server.end()
