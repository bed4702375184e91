"""The goals of speed, one function each. Each gives lines of the table."""

import shutil
import signal
import statistics
import subprocess
import time

import beside_dnf
import place
import scale
from lines import Line, memory, ratio, seconds
from link import Link, received
from measure import Cost, Series, run

STREAMS = 8


def _build(site, folder, output="out.tar"):
    command = [place.PROGRAMS / "bundler", "build", "--quiet", "--output", output]
    return run(command, cwd=site.folder / folder, env=site.environment)


def _fresh(site, folder):
    for path in (site.folder / folder).glob("*.tar*"):
        path.unlink()
    site.forget()


def _cold(site):
    _fresh(site, "all")
    return _build(site, "all")


def _curl(site, images, streams=STREAMS, host=place.REGISTRY):
    target = site.folder / "curl"
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir()
    urls = "\n".join(place.blobs(images, host)) + "\n"
    (site.folder / "urls").write_text(urls)
    script = f"xargs -P {streams} -n 1 curl --silent --show-error --fail --remote-name < ../urls"
    return run(["sh", "-c", script], cwd=target)


def _people(site, images):
    target = site.folder / "people"
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir()
    copies = "\n".join(
        f"skopeo --insecure-policy copy --quiet --src-tls-verify=false "
        f"docker://{place.REGISTRY}/{name}:1 oci:images:{name}"
        for name in images
    )
    return run(["sh", "-ec", f"{copies}\ntar czf images.tar.gz images"], cwd=target)


def _pulled(site, images, command):
    """A program that fetches images into a layout, `into` in an empty folder."""
    target = site.folder / "pulled"
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir()
    return run(["sh", "-ec", command(images)], cwd=target)


def _crane(images):
    names = " ".join(f"{place.REGISTRY}/{name}:1" for name in images)
    return f"{place.peer('crane')} pull --insecure --format oci {names} into"


def _oras(images):
    copy = f"{place.peer('oras')} copy --no-tty --from-plain-http --to-oci-layout"
    return "\n".join(f"{copy} {place.REGISTRY}/{name}:1 into:{name}" for name in images)


def cold(site, rounds):
    """Goals 1 and 3: a build with nothing cached, beside the wire and people's way."""
    images = [*place.FEW_LARGE, *place.MANY_SMALL]
    series = Series(rounds)
    series.measure({
        "`build`, nothing cached": lambda: _cold(site),
        f"{STREAMS} × `curl`": lambda: _curl(site, images),
        "`skopeo copy`, `tar czf`": lambda: _people(site, images),
        "`crane pull`": lambda: _pulled(site, images, _crane),
        "`oras copy`": lambda: _pulled(site, images, _oras),
    })
    build, curl, people, *_ = series.costs
    return [
        ratio("1", "`build` with nothing cached, to the wire", series, (build, curl), 1.25),
        ratio("1", "the same, to people's way", series, (build, people), 0.15),
        memory("`build`", series.costs[build], 96),
        *(seconds(series, name) for name in series.costs),
    ]


def link(site, rounds):
    """Goal 1: the same on a link of 1 Gbit/s."""
    images = [*place.FEW_LARGE, *place.MANY_SMALL]
    series = Series(rounds)

    with Link.of_gigabit():
        series.measure({
            "`build` on 1 Gbit/s": lambda: _cold(site),
            f"{STREAMS} × `curl` on 1 Gbit/s": lambda: _curl(site, images),
        })
    build, curl = series.costs
    return [
        ratio("1", "`build` on a link of 1 Gbit/s, to the wire", series, (build, curl), 1.05),
        *(seconds(series, name) for name in series.costs),
    ]


def again(site, rounds):
    """Goal 2: what is there already, and one image changed."""
    _fresh(site, "all")
    _build(site, "all")
    bundle = site.folder / "all" / "out.tar"
    series = Series(rounds)
    # The blobs of both are in the cache, and the two take turns under one name.
    _build(site, "changed")
    target = site.folder / "changed" / "out.tar"

    def changed():
        shutil.copy(bundle, target)
        return _build(site, "changed")

    def copy():
        (site.folder / "copy.tar").unlink(missing_ok=True)
        return run(["cp", bundle, site.folder / "copy.tar"])

    series.measure({
        "`build` when the bundle is there": lambda: _build(site, "all"),
        "`sha256sum`": lambda: run(["sha256sum", bundle]),
        "`build` with one image changed": changed,
        "`cp`": copy,
        "`tar czf`": lambda: run(["tar", "czf", site.folder / "x.tgz", bundle]),
    })
    there, sums, new, copied, _ = series.costs
    return [
        ratio("2", "`build` when the bundle is there, to `sha256sum`", series, (there, sums), 0.2),
        ratio("2", "`build` with one image changed, to `cp`", series, (new, copied), 1.2),
        *(seconds(series, name) for name in series.costs),
    ]


def verify(site, rounds):
    """Goals 3 and 4: reading a bundle."""
    _build(site, "all")
    bundle = site.folder / "all" / "out.tar"
    series = Series(rounds)
    series.measure({
        "`bundler verify`": lambda: run([place.PROGRAMS / "bundler", "verify", "--quiet", bundle]),
        "`installer verify`": lambda: run(
            [place.PROGRAMS / "installer", "verify", "--bundle", bundle]
        ),
        "`openssl dgst -sha256`, one core": lambda: run(["openssl", "dgst", "-sha256", bundle]),
    })
    ours, installer, one = series.costs
    cores = len(place.cores())
    pairs = zip(series.costs[one], series.costs[ours], strict=True)
    shares = sorted(single.wall / cores / cost.wall for single, cost in pairs)
    share = statistics.median(shares)
    return [
        Line("4", f"speed of `verify`, to {cores} × one core's SHA-256",
             f"{share:.2f} × ({shares[0]:.2f}–{shares[-1]:.2f})", "≥ 0.90 ×", share >= 0.9),
        memory("`installer verify`", series.costs[installer], 48),
        *(seconds(series, name) for name in series.costs),
    ]


def lock(site, rounds):
    """Goal 5: `lock` with nothing changed upstream."""
    series = Series(rounds)
    command = [place.PROGRAMS / "bundler", "lock", "--check"]
    series.measure({
        "`lock` with nothing changed": lambda: run(
            command, cwd=site.folder / "all", env=site.environment
        )
    })
    (name,) = series.costs
    wall = series.median(name)
    return [Line("5", name, f"{wall:.2f} s", "≤ 1 s and the requests", wall <= 1)]


def bad_link(site, _rounds):
    """Goal 7: 100 Mbit/s, 80 ms there and back, and what half a percent of loss leaves."""
    costs: dict[str, Cost] = {}
    for streams in (4, 8):
        costs[f"{streams} × `curl`"] = _curl(site, ["small"], streams, place.SLOW)
    _fresh(site, "slow")
    ours = _build(site, "slow")
    best = min(costs, key=lambda name: costs[name].wall)
    share = costs[best].wall / ours.wall
    others = ", ".join(f"{name} {cost.wall:.1f} s" for name, cost in costs.items())
    return [
        Line("7", f"speed of `build` on a bad link, to the best of these: {others}",
             f"{share:.2f} × ({ours.wall:.1f} s)", "≥ 0.90 ×", share >= 0.9),
    ]


def resumed(site, _rounds):
    """Goal 7: a build that was killed at half, and goes on."""
    command = [place.PROGRAMS / "bundler", "build", "--quiet", "--output", "out.tar"]
    folder = site.folder / "all"

    def count(work):
        before = received()
        work()
        return received() - before

    def killed(after):
        process = subprocess.Popen(command, cwd=folder, env=site.environment)
        before = received()
        while received() - before < after and process.poll() is None:
            time.sleep(0.001)
        process.send_signal(signal.SIGKILL)
        process.wait()

    with Link.of_gigabit():
        _fresh(site, "all")
        whole = count(lambda: _build(site, "all"))
        _fresh(site, "all")
        both = count(lambda: killed(whole // 2)) + count(lambda: _build(site, "all"))
    share = max(both / whole - 1, 0)
    return [
        Line("7", "fetched twice when killed at half and run again", f"{share:.1%}", "≤ 1 %",
             share <= 0.01),
    ]


ALL = {
    "cold": cold, "link": link, "again": again, "verify": verify, "lock": lock,
    "closure": beside_dnf.closure, "packages": beside_dnf.packages, "bad-link": bad_link,
    "resumed": resumed, "scale": scale.scale,
}
