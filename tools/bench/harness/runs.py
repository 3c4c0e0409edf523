"""Runs of several servers in turn, and what they measured."""

import statistics
import sys
import time

from harness.processes import Failed

# A run during which more happened than this is repeated.
OTHERS = 0.1  # of a core, used by other programs
STALL = 100  # ms, that the disk took for one small sync of a program beside


def disturbance(run):
    """How much disturbed a run: more than 1 is too much."""
    return max(run.get("others_share", 0) / OTHERS, run.get("disk_ms", 0) / STALL)


def told(others, disk):
    """In words, what was too much."""
    if others > OTHERS:
        yield f"other programs used up to {others:.0%} of a core"
    if disk > STALL:
        yield f"the disk took up to {disk:,.0f} ms for a small sync of another program"


class Runs:
    def __init__(self, repetitions, attempts, repeat_until=float("inf")):
        """`attempts`: so often a disturbed run is done at most, as long as the clock is before `repeat_until`; the least
        disturbed counts."""
        self.repetitions, self.attempts, self.repeat_until = repetitions, attempts, repeat_until
        self.runs = {}  # (case, server): what each repetition measured, None where it failed

    def alternate(self, case, servers, measure, repetitions=None):
        """`measure(server)` for all servers in turn; the order rotates."""
        repetitions = repetitions or self.repetitions
        for repetition in range(repetitions):
            turn = repetition % len(servers)
            for server in servers[turn:] + servers[:turn]:
                print(f"{case}: {server}, {repetition + 1} of {repetitions} …", file=sys.stderr)
                self.runs.setdefault((case, server), []).append(self.undisturbed(case, server, measure))

    def undisturbed(self, case, server, measure):
        best = None
        for _ in range(self.attempts):
            try:
                run = measure(server)
            except Failed as failure:
                print(f"{case}: {server} FAILED: {failure}", file=sys.stderr)
                return best
            if best is None or disturbance(run) < disturbance(best):
                best = run
            if disturbance(run) <= 1:
                break
            for what in told(run.get("others_share", 0), run.get("disk_ms", 0)):
                print(f"  {what} meanwhile", file=sys.stderr)
            if time.monotonic() > self.repeat_until:
                break
        return best

    def failed(self):
        return any(run is None for runs in self.runs.values() for run in runs)

    def values(self, case, server, key):
        return [run[key] for run in self.runs.get((case, server), []) if run and key in run]

    def median(self, case, server, key):
        values = self.values(case, server, key)
        return statistics.median(values) if values else None

    def most(self, case, server, key):
        return max(self.values(case, server, key), default=None)

    def ratio(self, case, key, ours, theirs, other_case=None):
        """One beside the other: the median of what each repetition found."""
        pairs = zip(self.runs.get((case, ours), []), self.runs.get((other_case or case, theirs), []))
        ratios = [one[key] / other[key] for one, other in pairs if one and other]
        return statistics.median(ratios) if ratios else None

    def doubts(self):
        """Which numbers deserve no trust."""
        for case, server in self.runs:
            if (self.most(case, server, "client_share") or 0) > 0.9:
                yield f"{case}, {server}: the client was saturated: this says nothing about the server"
            for what in told(*(self.most(case, server, key) or 0 for key in ("others_share", "disk_ms"))):
                yield f"{case}, {server}: {what}: repeat it alone"
