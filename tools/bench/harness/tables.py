"""Numbers as people read them."""

from dataclasses import dataclass

from harness.runs import Runs


@dataclass
class Column:
    heading: str
    key: str  # of the client's report
    form: str
    scale: float = 1
    pick: callable = Runs.median  # which of the repetitions is shown


@dataclass
class Goal:
    case: str
    what: str
    measured: float | None  # None where the run for it is missing
    wanted: float | None
    larger: bool = True  # is better
    form: str = "{:.2f}"

    def judged(self):
        return self.measured is not None and self.wanted is not None

    def met(self):
        return self.judged() and (self.measured >= self.wanted if self.larger else self.measured <= self.wanted)


# Of a run with listeners.
LATENCIES = [Column("p50 ms", "p50_ms", "{:.2f}"), Column("p99 ms", "p99_ms", "{:.2f}")]
MISTAKES = [Column("gaps", "gaps", "{:.0f}", 1, Runs.most), Column("doubles", "doubles", "{:.0f}", 1, Runs.most)]
SHARES = [Column("server %", "server_share", "{:.0f}", 100),
          Column("client %", "client_share", "{:.0f}", 100, Runs.most),
          Column("others %", "others_share", "{:.0f}", 100, Runs.most)]
LATE = [Column("late ms", "late_p99_ms", "{:.2f}", 1, Runs.most)]


def show(value, form, scale=1):
    return "-" if value is None else form.format(value * scale)


def print_table(rows):
    widths = [max(map(len, column)) for column in zip(*rows)]
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row[:2], widths)]
        cells += [cell.rjust(width) for cell, width in zip(row[2:], widths[2:])]
        print("  ".join(cells).rstrip())
    print()


def print_cases(runs, cases, servers, columns):
    """A line for each server of each case that ran."""
    rows = [("case", "server", *(column.heading for column in columns))]
    for case in cases:
        for server in servers:
            if (case, server) in runs.runs:
                cells = (show(each.pick(runs, case, server, each.key), each.form, each.scale) for each in columns)
                rows.append((case, server, *cells))
    if len(rows) > 1:
        print_table(rows)


def print_goals(goals):
    """Answers whether all that could be judged are met."""
    rows = [("goal", "of segue", "wanted", "measured", "")]
    for goal in goals:
        verdict = "not judged" if not goal.judged() else "pass" if goal.met() else "FAIL"
        wanted = (">= " if goal.larger else "<= ") + show(goal.wanted, goal.form)
        rows.append((goal.case, goal.what, wanted, show(goal.measured, goal.form), verdict))
    print_table(rows)
    return all(goal.met() or not goal.judged() for goal in goals)
