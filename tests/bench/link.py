"""The loopback of a network namespace of this run's own, made slow. It ends with the run."""

import subprocess
from pathlib import Path


class Link:
    """While it is entered, all of the loopback is such a link."""

    def __init__(self, *discipline):
        self.discipline = discipline

    @classmethod
    def of_gigabit(cls):
        """1 Gbit/s."""
        return cls("tbf", "rate", "1gbit", "burst", "1mb", "latency", "50ms")

    def __enter__(self):
        # Packets as large as on Ethernet: one that is lost is not 64 KB.
        _run("ip", "link", "set", "lo", "mtu", "1500")
        _run("ethtool", "-K", "lo", "tso", "off", "gso", "off", "gro", "off")
        _run("tc", "qdisc", "add", "dev", "lo", "root", *self.discipline)
        return self

    def __exit__(self, *_):
        _run("tc", "qdisc", "del", "dev", "lo", "root")
        _run("ethtool", "-K", "lo", "tso", "on", "gso", "on", "gro", "on")
        _run("ip", "link", "set", "lo", "mtu", "65536")


def received():
    """How many bytes came over the loopback so far."""
    # /sys shows the namespace in which it was mounted; this is our own.
    lines = Path("/proc/self/net/dev").read_text(encoding="ascii").splitlines()
    loopback = next(line for line in lines if line.strip().startswith("lo:"))
    return int(loopback.split(":")[1].split()[0])


def _run(*command):
    subprocess.run(command, check=True, capture_output=True)
