"""The curve over the number of listeners, as an SVG."""

from pathlib import Path

WIDTH, HEIGHT = 420, 300  # of one panel
LEFT, RIGHT, TOP, BOTTOM = 60, 20, 50, 50  # around its axes
COLOURS = {"segue": "#0b6e4f", "nchan": "#c8553d"}


def ticks(most):
    """About five round numbers from 0 to at least `most`."""
    step = next(unit * ten for ten in (10.0 ** power for power in range(-3, 7)) for unit in (1, 2, 5)
                if unit * ten * 5 >= most)
    return [index * step for index in range(int(most / step + 0.999) + 1)]


def panel(left, title, sizes, lines):
    """One diagram: `lines` are {name: [y of each size, or None]}; the sizes have equal distances."""
    marks = ticks(max(y for ys in lines.values() for y in ys if y is not None))
    across = lambda index: left + LEFT + (WIDTH - LEFT - RIGHT) * index / max(1, len(sizes) - 1)
    up = lambda y: HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * y / marks[-1]
    yield f'<text x="{left + LEFT}" y="28" font-weight="bold">{title}</text>'
    for mark in marks:
        yield f'<path d="M{across(0):.1f} {up(mark):.1f}H{left + WIDTH - RIGHT}" stroke="#ddd"/>'
        yield f'<text x="{left + LEFT - 8}" y="{up(mark) + 4:.1f}" text-anchor="end">{mark:g}</text>'
    for index, size in enumerate(sizes):
        yield f'<text x="{across(index):.1f}" y="{HEIGHT - BOTTOM + 20}" text-anchor="middle">{size:,}</text>'
    yield f'<text x="{left + (LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 12}" text-anchor="middle">listeners</text>'
    for name, ys in lines.items():
        points = [(across(index), up(y)) for index, y in enumerate(ys) if y is not None]
        yield f'<polyline points="{" ".join(f"{x:.1f},{y:.1f}" for x, y in points)}" fill="none" ' \
              f'stroke="{COLOURS[name]}" stroke-width="2"/>'
        yield from (f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{COLOURS[name]}"/>' for x, y in points)


def legend(names):
    for index, name in enumerate(names):
        y = TOP + 8 + 18 * index
        yield f'<path d="M{WIDTH - 100} {y}h24" stroke="{COLOURS[name]}" stroke-width="2"/>'
        yield f'<text x="{WIDTH - 70}" y="{y + 4}">{name}</text>'


def write_plot(runs, path):
    """CPU per delivery and p99 of the row `scaling`. False: nothing was measured."""
    sizes = sorted({int(case) for case, _ in runs.runs if case.isdigit()})
    cost, p99 = {}, {}
    for name in COLOURS:
        rates = [runs.median(str(size), name, "deliveries_per_cpu_s") for size in sizes]
        if any(rates):
            cost[name] = [rate and 1e6 / rate for rate in rates]
            p99[name] = [runs.median(str(size), name, "p99_ms") for size in sizes]
    if not cost:
        return False
    parts = [*panel(0, "CPU per delivery, µs", sizes, cost), *panel(WIDTH, "p99 until heard, ms", sizes, p99), *legend(cost)]
    Path(path).write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{2 * WIDTH}" height="{HEIGHT}" viewBox="0 0 {2 * WIDTH} {HEIGHT}" '
        'font-family="sans-serif" font-size="12" fill="#222">\n<rect width="100%" height="100%" fill="#fff"/>\n'
        + "\n".join(parts) + "\n</svg>\n")
    return True
