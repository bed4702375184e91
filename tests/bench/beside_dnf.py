"""Goal 5 and its neighbour: dnf's closures, and its downloads with lists of them."""

import os
import shutil

import packages as repositories
import place
from lines import Line, ratio, seconds
from measure import Series, run

COUNTS = (2_000, 15_000, 60_000)
# What is asked for: packages that need much, and the last ones.
ASKED = 20
# dnf as its users have it, without what it prints. It asks for the metadata only once.
CLOSURE = """
import sys, dnf
root, url, wanted = sys.argv[1], sys.argv[2], sys.argv[3:]
base = dnf.Base()
conf = base.conf
conf.installroot = root + "/root"; conf.cachedir = root + "/dnf"; conf.reposdir = []
conf.install_weak_deps = False; conf.plugins = False; conf.gpgcheck = False
conf.metadata_expire = -1
for key in ("arch", "basearch"): conf.substitutions[key] = "x86_64"
conf.substitutions["releasever"] = "9"
base.repos.add_new_repo("bench", conf, baseurl=[url])
base.fill_sack(load_system_repo=False)
for name in wanted: base.install(name)
base.resolve()
for p in sorted("%s-%s-%s.%s" % (p.name, p.version, p.release, p.arch) for p in base.transaction.install_set):
    print(p)
"""


def _into(file, command, **options):
    """Runs a command whose output goes into a file."""
    return run(["sh", "-c", 'out=$1; shift; exec "$@" >"$out"', "sh", file, *map(str, command)], **options)


def closure(site, rounds):
    """Goal 5: the same closures by us and by dnf."""
    lines, cache = [], site.folder / "closure"
    for count in COUNTS:
        wanted = [f"pkg{number}" for number in range(count - ASKED, count)]
        shutil.rmtree(cache, ignore_errors=True)
        cache.mkdir()
        with repositories.served(repositories.metadata(count)) as url:
            resolve = [place.PROGRAMS / "bundler", "resolve", "--baseline", "none"]
            resolve += ["--repo", f"bench={url}", *wanted]
            series = Series(rounds)
            ours, theirs = f"closure over {count:,} packages", f"dnf over {count:,}, metadata there"
            fetched, read = f"dnf over {count:,}, nothing cached", f"{ours}, nothing cached"
            environment = {**os.environ, "XDG_CACHE_HOME": str(cache / "kept")}
            dnf = ["/usr/bin/python3", "-c", CLOSURE, cache, url, *wanted]

            def first(dnf=dnf):
                shutil.rmtree(cache / "dnf", ignore_errors=True)
                return _into(cache / "theirs", dnf)

            def closed(resolve=resolve, environment=environment):
                return _into(cache / "ours", resolve, env=environment)

            def unread(closed=closed):
                shutil.rmtree(cache / "kept", ignore_errors=True)
                return closed()

            series.measure({
                read: unread,
                ours: closed,
                fetched: first,
                theirs: lambda dnf=dnf: _into(cache / "theirs", dnf),
            })
        own, other = ((cache / name).read_text() for name in ("ours", "theirs"))
        size = len(own.splitlines())
        lines.append(ratio("5", f"{ours}, to dnf's with its metadata there", series, (ours, theirs), 0.3))
        lines.append(
            Line("5", f"the same packages of {count:,} as dnf", f"{size}", "the same set", own == other)
        )
        lines += [seconds(series, name) for name in series.costs]
    return lines


def packages(site, rounds):
    """Packages with what they need and a list of them, beside dnf and createrepo_c."""
    folder = repositories.load(site.size // 4)
    last = f"load{repositories.PACKAGES - 1}"
    target = site.folder / "downloaded"
    with repositories.served(folder) as url:
        site.spec_of_packages("packages", url, [last])
        download = [
            "dnf", "--quiet", "--assumeyes", f"--repofrompath=load,{url}", "--setopt=reposdir=/nowhere",
            f"--setopt=cachedir={site.folder}/dnf", f"--installroot={site.folder}/root",
            "--releasever=9", "--forcearch=x86_64", "--setopt=load.gpgcheck=0", "--repo=load",
            "download", "--resolve", "--alldeps", f"--destdir={target}", last,
        ]

        def people():
            shutil.rmtree(target, ignore_errors=True)
            target.mkdir()
            script = f"{' '.join(download)}\ncreaterepo_c --quiet {target}"
            return run(["sh", "-ec", script])

        def ours():
            (site.folder / "packages" / "out.tar").unlink(missing_ok=True)
            site.forget()
            command = [place.PROGRAMS / "bundler", "build", "--quiet", "--output", "out.tar"]
            return run(command, cwd=site.folder / "packages", env=site.environment)

        series = Series(rounds)
        names = ("`build` of packages, none cached", "`dnf download`, `createrepo_c`")
        # dnf reads the metadata before, as our lock did.
        people()
        series.measure(dict(zip(names, (ours, people), strict=True)))
    count = len(list(target.glob("*.rpm")))
    if count != repositories.PACKAGES:
        raise SystemExit(f"dnf has downloaded {count} packages")
    middle, least, greatest = series.ratio(*names)
    return [
        Line("", f"`build` of {count} packages, to `dnf download` and `createrepo_c`",
             f"{middle:.2f} × ({least:.2f}–{greatest:.2f})", "", None),
        *(seconds(series, name) for name in names),
    ]
