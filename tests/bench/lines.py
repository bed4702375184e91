"""The lines of the table."""

from dataclasses import dataclass


@dataclass
class Line:
    """A line of the table."""

    goal: str
    what: str
    measured: str
    wanted: str
    is_met: bool | None  # None: there is no goal for it


def ratio(goal, what, series, pair, most, of="wall"):
    """A line for a ratio that is to be at most so much."""
    middle, least, greatest = series.ratio(*pair, of=of)
    told = f"{middle:.2f} × ({least:.2f}–{greatest:.2f})"
    return Line(goal, what, told, f"≤ {most:.2f} ×", middle <= most)


def memory(what, costs, most):
    """A line for memory that is to be at most so many MB, in the run that took most."""
    taken = max(cost.memory for cost in costs) / 1e6
    return Line("3", f"memory of {what}", f"{taken:.0f} MB", f"≤ {most} MB", taken <= most)


def at_most(goal, series, name, most):
    """A line for a time that is to be at most so many seconds."""
    wall = series.median(name)
    return Line(goal, name, f"{wall:.2f} s", f"≤ {most} s", wall <= most)


def seconds(series, name):
    """A line for the figures behind the ratios."""
    cpu, most = series.median(name, "cpu"), series.median(name, "memory")
    read, written = series.median(name, "read"), series.median(name, "written")
    told = (
        f"{series.median(name):.2f} s, {cpu:.2f} s of processor, {most / 1e6:.0f} MB, "
        f"{read / 1e6:.0f} MB read, {written / 1e6:.0f} MB written"
    )
    return Line("", name, told, "", None)
