"""What a command costs: time, processor, memory, bytes read and written."""

import json
import os
import statistics
import subprocess
import time
from dataclasses import dataclass


@dataclass
class Cost:
    """The cost of one run, with all processes that it started and waited for."""

    wall: float  # seconds
    cpu: float  # seconds, user and system
    memory: int  # bytes: the most that one process had
    read: int  # bytes of `read` calls, also if they were in the page cache; not of `recv`
    written: int  # bytes


def run(command, **options):
    """Runs a command to its end, and says what it cost. It must succeed."""
    # A program that calls fsync would also wait for what earlier programs wrote.
    os.sync()
    begun = time.monotonic()
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, **options
    )
    with process.stderr:
        errors = process.stderr.read()
    # Its counters are there until it is waited for.
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    wall = time.monotonic() - begun
    with open(f"/proc/{process.pid}/io", encoding="ascii") as file:
        counters = dict(line.split(": ") for line in file.read().splitlines())
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise SystemExit(f"{command} failed:\n{errors.decode(errors='replace')}")
    return Cost(
        wall,
        usage.ru_utime + usage.ru_stime,
        usage.ru_maxrss * 1024,
        int(counters["rchar"]),
        int(counters["wchar"]),
    )


class Series:
    """Several commands, run in turn so that each sees the same machine."""

    def __init__(self, rounds):
        self.rounds = rounds
        self.costs = {}

    def measure(self, contenders):
        """`contenders`: a name, and a function that prepares and gives the cost."""
        for _ in range(self.rounds):
            for name, contender in contenders.items():
                self.costs.setdefault(name, []).append(contender())

    def median(self, name, of="wall"):
        """The median over all rounds."""
        return statistics.median(getattr(cost, of) for cost in self.costs[name])

    def ratio(self, name, other, of="wall"):
        """The ratios of the rounds: median, least and greatest."""
        pairs = zip(self.costs[name], self.costs[other], strict=True)
        ratios = [getattr(one, of) / getattr(two, of) for one, two in pairs]
        return statistics.median(ratios), min(ratios), max(ratios)


def machine():
    """What this machine is, in one line."""
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        models = (line.split(": ")[1].strip() for line in file if line.startswith("model name"))
        model = next(models, os.uname().machine)
    kind = json.loads(
        subprocess.run(["findmnt", "--json", "--target", "/var/tmp"], capture_output=True, check=True).stdout
    )["filesystems"][0]["fstype"]
    return f"{os.cpu_count()} cores of {model}, Linux {os.uname().release}, {kind}"
