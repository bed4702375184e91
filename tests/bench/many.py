"""A registry of images with very many tiny layers. It has them in memory: Debian's takes 6 ms of a
processor to find one blob of so many.
"""

import functools
import hashlib
import http.server
import io
import json
import multiprocessing
import tarfile
import zlib

import images

# Docker allows 127 layers.
IMAGES, LAYERS = 1_000, 98
# Each image has a manifest and a configuration, too.
BLOBS = IMAGES * (LAYERS + 2)


def names():
    """The repositories. The tag of each image is 1."""
    return [f"many/{number}" for number in range(IMAGES)]


def start(address):
    """Starts the registry. Gives its process."""
    listens = multiprocessing.Event()
    process = multiprocessing.Process(target=_serve, args=(address, listens), daemon=True)
    process.start()
    if not listens.wait(300):
        raise SystemExit("the registry of many blobs does not answer")
    return process


def _serve(address, listens):
    for name in names():
        _Registry.add(name)
    host, port = address.split(":")
    with http.server.ThreadingHTTPServer((host, int(port)), _Registry) as server:
        listens.set()
        server.serve_forever()


class _Registry(http.server.BaseHTTPRequestHandler):
    """Gives what is asked for by its path."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    # Types and bytes by tags and digests.
    has = {}

    @classmethod
    def add(cls, name):
        """Makes an image."""
        layers, plain = [], []
        for one in range(LAYERS):
            data, digest = layer(f"{name} {one}")
            layers.append({"mediaType": images.LAYER, **cls._put(images.LAYER, data)})
            plain.append(f"sha256:{digest}")
        config = json.dumps(images.config(plain)).encode()
        config = {"mediaType": images.CONFIG, **cls._put(images.CONFIG, config)}
        manifest = json.dumps(images.manifest(config, layers)).encode()
        cls._put(images.MANIFEST, manifest)
        cls.has[f"/v2/{name}/manifests/1"] = (images.MANIFEST, manifest)

    @classmethod
    def _put(cls, media_type, data):
        digest = images.digest(data)
        cls.has[digest] = (media_type, data)
        return {"digest": digest, "size": len(data)}

    def do_GET(self):
        """Answers with a manifest or a blob."""
        found = self.has.get(self.path) or self.has.get(self.path.rpartition("/")[2])
        media_type, data = found or ("text/plain", b"there is no such thing\n")
        self.send_response(200 if found else 404)
        self.send_header("Content-Type", media_type)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        """Says nothing."""


def layer(text):
    """A packed layer with one small file, and the digest of what was packed."""
    plain = bytearray(_empty())
    plain[512:512 + len(text)] = text.encode()
    packer = zlib.compressobj(1, wbits=31)
    return packer.compress(plain) + packer.flush(), hashlib.sha256(plain).hexdigest()


@functools.cache
def _empty():
    """A layer with a file of 32 zeros. The checksum in its header is not over the file."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        entry = tarfile.TarInfo("usr/share/one")
        entry.size = 32
        tar.addfile(entry, io.BytesIO(bytes(32)))
    return out.getvalue()[:2048]
