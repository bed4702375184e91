"""The servers on loopback, and the specs of what is built from them."""

import functools
import json
import multiprocessing
import os
import shutil
import socket
import subprocess
import time
import urllib.request
from pathlib import Path

import images
import slow
from kept import kept

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = ROOT / "target" / "release-static"
REGISTRY = "127.0.0.1:5209"
# The same registry behind a bad link.
SLOW = "127.0.0.1:5210"
# The registry of very many blobs.
MANY = "127.0.0.1:5211"
# Name: seed of its bytes, layers. `spare` takes the place of the last in a changed spec.
FEW_LARGE = {f"app{number}": 4 for number in range(8)}
MANY_SMALL = {"small": 64}


def peer(name):
    """A program that `scripts/tools --peers` has built."""
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
    found = sorted((cache / "kubeferry-tools").glob(f"{name}-*/{name}"))
    if not found:
        raise SystemExit(f"no {name}: run scripts/tools --peers, which says why")
    return found[-1]


class Site:
    """A registry with images, the embedded upstream, and a folder to work in."""

    def __init__(self, folder, megabytes):
        self.folder = folder
        self.cache = folder / "cache"
        self.size = megabytes << 20
        self.environment = {**os.environ, "XDG_CACHE_HOME": str(self.cache)}
        self.processes = []
        self._content = _store(megabytes)
        self._behind = multiprocessing.Process(
            target=slow.serve, args=(5210, ("127.0.0.1", 5209)), daemon=True
        )
        self._behind.start()
        try:
            self._start_registry()
            self._start_upstream()
            self.spec("all", [*FEW_LARGE, *MANY_SMALL])
            self.spec("changed", [*list(FEW_LARGE)[1:], *MANY_SMALL, "spare"])
            self.spec("slow", ["small"], SLOW)
        except BaseException:
            self.close()
            raise

    def close(self):
        """Ends the servers."""
        self._behind.kill()
        for process in self.processes:
            process.terminate()
        for process in self.processes:
            # This registry does not heed a request to end.
            process.kill()
            process.wait()

    def _start_registry(self):
        configuration = {
            "version": "0.1",
            "storage": {"filesystem": {"rootdirectory": str(self._content)}},
            "http": {"addr": REGISTRY},
            "log": {"level": "error", "accesslog": {"disabled": True}},
        }
        file = self.folder / "registry.json"
        file.write_text(json.dumps(configuration))
        self._serve(["docker-registry", "serve", str(file)])
        until = time.monotonic() + 20
        while time.monotonic() < until:
            with socket.socket() as one:
                host, port = REGISTRY.split(":")
                if one.connect_ex((host, int(port))) == 0:
                    return
            time.sleep(0.05)
        raise SystemExit("docker-registry does not answer")

    def _serve(self, command, **options):
        process = subprocess.Popen(command, stderr=subprocess.DEVNULL, **options)
        self.processes.append(process)
        return process

    def _start_upstream(self):
        upstream = self._serve(
            [str(ROOT / "target/debug/upstream")], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self.url = upstream.stdout.readline().decode().strip()

    def spec(self, name, wanted, registry=REGISTRY):
        """Writes a spec of these images, and locks it."""
        text = f'  "{registry}":\n    plainHttp: the registry is on this machine\n'
        text += "installers: []\nimages:\n"
        text += "".join(f"  - {registry}/{image}:1\n" for image in wanted)
        self._lock(name, self._demo() + text)

    def spec_of_packages(self, name, url, wanted):
        """Writes a spec of these packages, which are at the URL, and locks it."""
        off = "{'off': they are made on this machine}"
        repository = (
            f"      - {{id: load, baseUrl: '{url}', gpgcheck: {off}, repoGpgcheck: {off}}}\n"
            f"    packages: [{', '.join(wanted)}]\nmanifests:"
        )
        text = self._demo().replace("manifests:", repository, 1)
        self._lock(name, text + "installers: []\n")

    def _demo(self):
        text = (ROOT / "tests/upstream/bundle.yaml").read_text()
        return text.replace("URL", self.url).replace("HOST", self.url.removeprefix("http://"))

    def _lock(self, name, text):
        folder = self.folder / name
        folder.mkdir()
        (folder / "bundle.yaml").write_text(text)
        self.bundler(folder, "lock")

    def bundler(self, folder, *arguments):
        """Runs the bundler, as a preparation."""
        subprocess.run(
            [PROGRAMS / "bundler", *arguments],
            cwd=folder, env=self.environment, check=True, capture_output=True,
        )

    def forget(self):
        """Empties the bundler's cache, but for what a lock has read."""
        for name in ("blobs", "partial", "layers", "sums"):
            shutil.rmtree(self.cache / "kubeferry" / name, ignore_errors=True)


def blobs(names, host=REGISTRY):
    """The URL of each blob of these images."""
    urls = []
    for name in names:
        place = f"http://{host}/v2/{name}"
        request = urllib.request.Request(f"{place}/manifests/1", headers={"Accept": images.MANIFEST})
        with urllib.request.urlopen(request) as answer:
            manifest = json.load(answer)
        described = [manifest["config"], *manifest["layers"]]
        urls.extend(f"{place}/blobs/{one['digest']}" for one in described)
    return list(dict.fromkeys(urls))


def _store(megabytes):
    """The registry's folder with the images."""
    return kept(f"images-{megabytes}", functools.partial(_make, size=megabytes << 20)) / "registry"


def _make(folder, size):
    each = size // 8 * 15 // 16
    wanted = {name: (layers, each) for name, layers in FEW_LARGE.items()}
    wanted["spare"] = (4, each)
    wanted["small"] = (64, size // 16)
    for name, (layers, size_of) in wanted.items():
        layout = folder / "layout"
        shutil.rmtree(layout, ignore_errors=True)
        layout.mkdir(parents=True)
        images.image(layout, name, layers, size_of)
        _import(folder / "registry", name, layout)
    shutil.rmtree(folder / "layout")


def _import(registry, name, layout):
    """Puts an image into the folder of a registry, as the registry itself would."""
    root = registry / "docker/registry/v2"
    index = json.loads((layout / "index.json").read_text())
    manifest = index["manifests"][0]["digest"]
    repository = root / "repositories" / name

    def link(path, digest):
        path.mkdir(parents=True, exist_ok=True)
        (path / "link").write_text(digest)

    for blob in (layout / "blobs/sha256").iterdir():
        place = root / "blobs/sha256" / blob.name[:2] / blob.name
        place.mkdir(parents=True, exist_ok=True)
        blob.rename(place / "data")
        link(repository / "_layers/sha256" / blob.name, f"sha256:{blob.name}")
    plain = manifest.removeprefix("sha256:")
    link(repository / "_manifests/revisions/sha256" / plain, manifest)
    link(repository / "_manifests/tags/1/current", manifest)
    link(repository / "_manifests/tags/1/index/sha256" / plain, manifest)


def cores():
    """The processors that this run may use."""
    return os.sched_getaffinity(0)
