"""Images as large as real ones, in a registry's own format: the same bytes each time."""

import hashlib
import io
import json
import random
import tarfile
import zlib

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"


def layer(seed, size):
    """A layer of about `size` packed bytes. Half of its files are text, half are packed already."""
    rng = random.Random(seed)
    # Text shrinks to almost nothing here, so the other half is what remains.
    block = max(size // 16, 1)
    text = b"".join(b"line %d of a text as there are many\n" % n for n in range(block // 36 + 1))
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for number in range(16):
            for name, data in ((f"bin/{number}", rng.randbytes(block)), (f"doc/{number}", text[:block])):
                entry = tarfile.TarInfo(f"usr/{name}")
                entry.size = len(data)
                tar.addfile(entry, io.BytesIO(data))
    plain = out.getvalue()
    packer = zlib.compressobj(1, wbits=31)
    return packer.compress(plain) + packer.flush(), hashlib.sha256(plain).hexdigest()


def digest(data):
    """The name of a blob."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def put(folder, data):
    """Stores a blob in an image layout. Gives what describes it."""
    name = digest(data)
    path = folder / "blobs" / "sha256" / name.removeprefix("sha256:")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return {"digest": name, "size": len(data)}


def config(names):
    """A configuration. `names` are the digests of the layers before they were packed."""
    return {
        "architecture": "amd64",
        "os": "linux",
        "config": {},
        "rootfs": {"type": "layers", "diff_ids": names},
    }


def manifest(of_config, layers):
    """The manifest of an image, by what describes its blobs."""
    return {"schemaVersion": 2, "mediaType": MANIFEST, "config": of_config, "layers": layers}


def image(folder, seed, layers, size):
    """Writes an image of `layers` layers, of `size` bytes together, as an image layout."""
    described, names = [], []
    for number in range(layers):
        data, plain = layer(f"{seed}-{number}", size // layers)
        described.append({"mediaType": LAYER, **put(folder, data)})
        names.append(f"sha256:{plain}")
    own = {"mediaType": CONFIG, **put(folder, json.dumps(config(names)).encode())}
    document = manifest(own, described)
    root = {"mediaType": MANIFEST, **put(folder, json.dumps(document).encode())}
    index = {"schemaVersion": 2, "manifests": [root]}
    (folder / "index.json").write_text(json.dumps(index))
    (folder / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')
