"""Measures the bundler beside what people use, in turn on this machine. scripts/bench runs it."""

import argparse
import contextlib
import datetime
import json
import os
import signal
import subprocess
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

import goals
from measure import machine
from place import ROOT, Site, peer

PAGE = ROOT / "docs" / "benchmarks.md"
BEGIN, END = "<!-- figures -->", "<!-- end of figures -->"


def arguments():
    """What was asked for."""
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    parser.add_argument("goals", nargs="*", metavar="GOAL", help=", ".join(goals.ALL) + "; all if left out")
    parser.add_argument("--size", type=count, default=1024, metavar="MB", help="of all images together")
    parser.add_argument("--rounds", type=count, default=3, metavar="N")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    parser.add_argument("--write", action="store_true", help="put the table into docs/benchmarks.md")
    parser.add_argument("--check", action="store_true", help=argparse.SUPPRESS)
    wanted = parser.parse_args()
    unknown = set(wanted.goals) - set(goals.ALL)
    if unknown:
        parser.error(f"there is no goal {', '.join(sorted(unknown))}")
    if wanted.write and wanted.goals:
        parser.error("--write puts the table of all goals into the page, so name none")
    if wanted.json and not wanted.json.parent.is_dir():
        parser.error(f"there is no folder {wanted.json.parent}")
    return wanted


def count(word):
    """A number from 1 on."""
    if not word.isdecimal() or int(word) < 1:
        raise argparse.ArgumentTypeError(f"{word} is no number from 1 on")
    return int(word)


def main():
    """Measures what was asked for, and prints."""
    wanted = arguments()
    if wanted.check:
        return
    # The folder and the servers go also then.
    for one in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(one, lambda *_: sys.exit(1))
    # What is missing for the head is told before it has taken long.
    head = (
        f"{datetime.date.today()}, {machine()}; {wanted.size} MB of images, {wanted.rounds} rounds; "
        f"{', '.join(peers())}"
    )
    lines = []
    with tempfile.TemporaryDirectory(prefix="kubeferry-bench-", dir="/var/tmp") as folder:
        site = Site(Path(folder), wanted.size)
        try:
            for name in dict.fromkeys(wanted.goals) or goals.ALL:
                made = goals.ALL[name](site, wanted.rounds)
                for line in made:
                    print(row(line), flush=True)
                lines += made
        finally:
            site.close()
            if os.getpid() == 1:
                # What was being measured. Nobody else is in this process namespace.
                with contextlib.suppress(ProcessLookupError):
                    os.kill(-1, signal.SIGKILL)
    table = f"{head}\n\n" + HEADING + "\n".join(row(line) for line in lines) + "\n"
    if wanted.json:
        figures = {"machine": head, "lines": [asdict(line) for line in lines]}
        wanted.json.write_text(json.dumps(figures, indent=2, ensure_ascii=False))
    if wanted.write:
        text = PAGE.read_text()
        before, rest = text.split(BEGIN)
        PAGE.write_text(f"{before}{BEGIN}\n{table}{END}{rest.split(END)[1]}")


HEADING = "| Goal | What | Measured | Goal's figure | Met |\n|---|---|---|---|---|\n"


def row(line):
    """A line of the table in Markdown."""
    met = {None: "", True: "yes", False: "**no**"}[line.is_met]
    return f"| {line.goal} | {line.what} | {line.measured} | {line.wanted} | {met} |"


def peers():
    """The versions of what we are measured beside."""
    for command in (["curl", "--version"], ["skopeo", "--version"], ["openssl", "version"]):
        said = subprocess.run(command, capture_output=True, check=True, text=True).stdout
        yield " ".join(said.split()[:3] if command[0] == "skopeo" else said.split()[:2])
    dnf = subprocess.run(["dnf", "--version"], capture_output=True, check=True, text=True).stdout
    yield f"dnf {dnf.split()[0]}"
    for name in ("crane", "oras"):
        yield peer(name).parent.name.replace("-", " ")


if __name__ == "__main__":
    main()
