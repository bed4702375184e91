"""Repositories of packages: metadata as large as a distribution's, and packages of some megabytes.

The metadata has what packages of CentOS 7.9 have in the mean: nine
provides, eleven requires and four files each, which is 2.6 kB.
"""

import contextlib
import functools
import gzip
import hashlib
import http.server
import multiprocessing
import random
import shutil
import subprocess

from kept import kept

PROVIDES, REQUIRES, FILES = 9, 11, 4
# The packages that most others need.
CORE = 250
PACKAGES = 40
HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'
SPACE = "http://linux.duke.edu/metadata"


def metadata(count):
    """A repository of so many packages, without the packages."""
    return kept(f"repodata-{count}-1", functools.partial(_write_metadata, count=count))


def _write_metadata(folder, count):
    numbers = random.Random(count)
    primary, filelists = [], []
    for number in range(count):
        own, listed = _package(number, numbers)
        primary.append(own)
        filelists.append(listed)
    repodata = folder / "repodata"
    repodata.mkdir()
    records = "".join(
        _record(repodata, kind, f'{HEAD}<{root} packages="{count}">\n{"".join(parts)}</{end}>\n')
        for kind, root, end, parts in (
            ("primary", f'metadata xmlns="{SPACE}/common" xmlns:rpm="{SPACE}/rpm"', "metadata", primary),
            ("filelists", f'filelists xmlns="{SPACE}/filelists"', "filelists", filelists),
        )
    )
    (repodata / "repomd.xml").write_text(
        f'{HEAD}<repomd xmlns="{SPACE}/repo"><revision>1</revision>{records}</repomd>\n'
    )


def _package(number, numbers):
    """A package's parts of primary and filelists. It needs earlier ones, mostly of the core."""
    digest = hashlib.sha256(str(number).encode()).hexdigest()
    version = f'flags="EQ" epoch="0" ver="1.{number % 40}" rel="1.el9"'
    provides = f'<rpm:entry name="pkg{number}" {version}/>' + "".join(
        f'<rpm:entry name="lib{number}-{one}.so.1()(64bit)"/>' for one in range(PROVIDES - 1)
    )
    needed = set()
    for _ in range(REQUIRES if number else 0):
        is_of_core = numbers.random() < 0.95
        other = numbers.randrange(min(number, CORE) if is_of_core else number)
        needed.add(f"lib{other}-{numbers.randrange(PROVIDES - 1)}.so.1()(64bit)")
    requires = "".join(f'<rpm:entry name="{name}"/>' for name in sorted(needed))
    files = "".join(f"<file>/usr/bin/pkg{number}-{one}</file>" for one in range(FILES))
    more = "".join(f"<file>/usr/share/doc/pkg{number}/page-{one}.html</file>" for one in range(20))
    plain = f'epoch="0" ver="1.{number % 40}" rel="1.el9"'
    own = (
        f'<package type="rpm"><name>pkg{number}</name><arch>x86_64</arch><version {plain}/>'
        f'<checksum type="sha256" pkgid="YES">{digest}</checksum>'
        f"<summary>Package {number} of a distribution</summary><description>It is one of many, and "
        f"has a description of two lines, as most packages have.</description><packager/>"
        f'<url>https://example.com/pkg{number}</url><time file="1700000000" build="1700000000"/>'
        f'<size package="123456" installed="456789" archive="460000"/>'
        f'<location href="Packages/pkg{number}-1.{number % 40}-1.el9.x86_64.rpm"/><format>'
        f"<rpm:license>MIT</rpm:license><rpm:vendor>Nobody</rpm:vendor><rpm:group>Unspecified"
        f"</rpm:group><rpm:buildhost>example.com</rpm:buildhost><rpm:sourcerpm>pkg{number}.src.rpm"
        f'</rpm:sourcerpm><rpm:header-range start="1" end="2"/><rpm:provides>{provides}'
        f"</rpm:provides><rpm:requires>{requires}</rpm:requires>{files}</format></package>\n"
    )
    listed = (
        f'<package pkgid="{digest}" name="pkg{number}" arch="x86_64"><version {plain}/>'
        f"{files}{more}</package>\n"
    )
    return own, listed


def _record(repodata, kind, text):
    """Writes a file of the metadata; returns what repomd.xml says of it."""
    packed = gzip.compress(text.encode(), 6, mtime=0)
    (repodata / f"{kind}.xml.gz").write_bytes(packed)
    return (
        f'<data type="{kind}"><checksum type="sha256">{hashlib.sha256(packed).hexdigest()}</checksum>'
        f'<open-checksum type="sha256">{hashlib.sha256(text.encode()).hexdigest()}</open-checksum>'
        f'<location href="repodata/{kind}.xml.gz"/><timestamp>1</timestamp>'
        f"<size>{len(packed)}</size><open-size>{len(text.encode())}</open-size></data>"
    )


def load(size):
    """A repository of packages that have so many bytes together. Each needs the one before."""
    return kept(f"rpms-{size}-1", functools.partial(_build_load, size=size))


def _build_load(folder, size):
    parts = [
        "%global debug_package %{nil}\n%global __os_install_post %{nil}\n%global _build_id_links none",
        "Name: load\nVersion: 1\nRelease: 1\nSummary: Some bytes\nLicense: MIT\nBuildArch: noarch",
        "AutoReqProv: no\n%description\nSome bytes.\n%install\nmkdir %{buildroot}/load",
    ]
    for one in range(PACKAGES):
        parts.append(f"head -c {size // PACKAGES} /dev/urandom >%{{buildroot}}/load/{one}")
    for one in range(PACKAGES):
        needs = f"Requires: load{one - 1}\n" if one else ""
        parts.append(f"%package -n load{one}\nSummary: Some bytes\nAutoReqProv: no\n{needs}")
        parts.append(f"%description -n load{one}\nSome bytes.\n%files -n load{one}\n/load/{one}")
    work = folder / "work"
    work.mkdir()
    (work / "load.spec").write_text("\n".join(parts) + "\n")
    packing = ["--define", "_binary_payload w1.gzdio", "--define", f"_topdir {work}"]
    subprocess.run(["rpmbuild", "-bb", *packing, "load.spec"], cwd=work, check=True, capture_output=True)
    for package in (work / "RPMS").rglob("*.rpm"):
        package.rename(folder / package.name)
    shutil.rmtree(work)
    subprocess.run(["createrepo_c", "--quiet", folder], check=True)


class _Quiet(http.server.SimpleHTTPRequestHandler):
    """Serves files, and logs nothing."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        """Says nothing."""


@contextlib.contextmanager
def served(folder):
    """The folder's URL, for as long as it is served."""
    handler = functools.partial(_Quiet, directory=folder)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    process = multiprocessing.Process(target=server.serve_forever, daemon=True)
    process.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        process.kill()
        process.join()
        server.server_close()
