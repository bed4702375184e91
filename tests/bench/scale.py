"""Goal 3 at scale: a bundle of 60 GB, and one of 100,000 blobs."""

import multiprocessing

import holes
import many
import place
from lines import at_most, memory, seconds
from measure import Series, run

# Bytes of the largest bundle.
LARGE = 60_000_000_000
MOST_SECONDS = 1
# The files of a bare node that the installer looks at.
NODE = {
    "etc/os-release": 'PRETTY_NAME="Rocky Linux 9.3"\nPLATFORM_ID="platform:el9"\n',
    "etc/hosts": "127.0.0.1 localhost\n",
    "etc/fstab": "/dev/mapper/rl-root / xfs defaults 0 0\n",
    "usr/bin/dnf": "",
    "proc/sys/kernel/osrelease": "5.14.0-362.8.1.el9_3.x86_64\n",
    "proc/sys/kernel/hostname": "bench\n",
    "proc/meminfo": "MemTotal: 3995432 kB\n",
    "proc/cpuinfo": "processor\t: 0\nprocessor\t: 1\n",
    "proc/swaps": "Filename Type Size Used Priority\n",
    "proc/net/route": "Iface Destination Gateway Flags RefCnt Use Metric Mask MTU Window IRTT\n"
    "eth0 00000000 FE01A8C0 0003 0 0 100 00000000 0 0 0\n",
}


def scale(site, rounds):
    """Goal 3: memory at 60 GB and with 100,000 blobs, and the time to open the latter."""
    return [*_large(site), *_many(site, rounds)]


def _large(site):
    """Reading 60 GB takes a minute, so this is one round."""
    site.spec("holes", ["small"])
    folder = site.folder / "holes"
    site.bundler(folder, "build", "--output", "small.tar")
    bundle = folder / "large.tar"
    # In a process of its own, so that its memory does not count as that of later commands.
    what = (folder / "small.tar", f"{place.REGISTRY}/small:1", bundle, LARGE)
    maker = multiprocessing.Process(target=holes.write, args=what)
    maker.start()
    maker.join()
    if maker.exitcode:
        raise SystemExit("the bundle of holes could not be made")
    told = f"{LARGE // 1_000_000_000} GB"
    series = Series(1)
    series.measure({
        f"`bundler inspect` of {told}": lambda: run([place.PROGRAMS / "bundler", "inspect", bundle]),
        f"`bundler verify` of {told}": lambda: run(
            [place.PROGRAMS / "bundler", "verify", "--quiet", bundle]
        ),
        f"`installer verify` of {told}": lambda: run(
            [place.PROGRAMS / "installer", "verify", "--bundle", bundle]
        ),
    })
    _, bundler, installer = series.costs
    return [
        memory(bundler, series.costs[bundler], 96),
        memory(installer, series.costs[installer], 48),
        *(seconds(series, name) for name in series.costs),
    ]


def _many(site, rounds):
    """Fetching 100,000 blobs is the registry's work, too, so this is done once."""
    folder = site.folder / "many"
    registry = many.start(place.MANY)
    site.spec("many", many.names(), place.MANY)
    told = f"of {many.BLOBS:,} blobs"
    node = _node(site.folder / "node")

    def bundler(*arguments):
        command = [place.PROGRAMS / "bundler", *arguments]
        return lambda: run(command, cwd=folder, env=site.environment)

    def installer(*arguments):
        return lambda: run([place.PROGRAMS / "installer", *arguments, "--bundle", folder / "out.tar"])

    first, series = Series(1), Series(rounds)
    build = bundler("build", "--quiet", "--output", "out.tar")
    first.measure({f"`build` {told}, nothing cached": build})
    series.measure({
        f"`build` {told}, the bundle is there": build,
        f"`bundler verify` {told}": bundler("verify", "--quiet", "out.tar"),
        f"`installer verify` {told}": installer("verify"),
        f"`bundler inspect` {told}": bundler("inspect", "out.tar"),
        f"`bundler why` {told}": bundler("why", "pause", "out.tar"),
        f"`installer plan` {told}": installer(
            "plan", "--role", "master", "--root", node, "--address", "192.168.1.1"
        ),
    })
    registry.kill()
    every = {**first.costs, **series.costs}
    *_, inspect, why, plan = series.costs
    most = {name: 48 if "installer" in name else 96 for name in every}
    return [
        *(memory(name, costs, most[name]) for name, costs in every.items()),
        *(at_most("3", series, name, MOST_SECONDS) for name in (inspect, why, plan)),
        *(seconds(first, name) for name in first.costs),
        *(seconds(series, name) for name in series.costs),
    ]


def _node(folder):
    """A folder with the files of a bare node."""
    for name, text in NODE.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder
