"""A bundle that is larger than the disk: the layers of one image are holes in the file.

It is made of a bundle of ours. All that follows from the new layers is written again, as
docs/bundle-format.md has it: the image's documents, the lock, the number of the bill of
materials, the bundle manifest, the index, and the archive's headers.
"""

import hashlib
import json
import tarfile
import uuid

import images

LAYER = "application/vnd.oci.image.layer.v1.tar"
LAYERS = 12
BLOCK = 512
PIECE = 1 << 20


def write(small, name, target, total):
    """Writes `target`: the bundle `small`, but its image `name` has layers of `total` bytes."""
    layers = list(zeros(sizes(total)))
    with tarfile.open(small) as tar, open(target, "wb") as out:
        def read(path):
            return tar.extractfile(path).read()

        new, old = documents(read, name, layers)
        for entry in tar:
            if entry.name == old[0]:
                for layer in layers:
                    out.write(header(path_of(layer["digest"]), layer["size"]))
                    out.seek(layer["size"], 1)
            elif entry.name not in old:
                path, data = new.get(entry.name) or (entry.name, read(entry.name))
                out.write(header(path, len(data)) + data + bytes(-len(data) % BLOCK))
        out.write(bytes(2 * BLOCK))


def sizes(total):
    """The sizes of the layers, in MiB each: together `total` bytes or a little more."""
    least = -(-total // (LAYERS * (LAYERS + 1) // 2) // PIECE) * PIECE
    return [least * number for number in range(1, LAYERS + 1)]


def zeros(lengths):
    """What describes layers of zeros, the shortest first: so each byte is hashed once."""
    hasher, done, piece = hashlib.sha256(), 0, bytes(PIECE)
    for length in lengths:
        for _ in range((length - done) // PIECE):
            hasher.update(piece)
        done = length
        yield {"mediaType": LAYER, "digest": f"sha256:{hasher.hexdigest()}", "size": length}


def documents(read, name, layers):
    """The new names and bytes of entries, by their old names, and the names of the old layers."""
    new = {}

    def put(described, data):
        """Notes a blob's new bytes. `described` is what names it."""
        digest = images.digest(data)
        new[path_of(described["digest"])] = (path_of(digest), data)
        described.update(digest=digest, size=len(data))

    index = json.loads(read("index.json"))
    manifest = json.loads(read(path_of(index["manifests"][-1]["digest"])))
    lock = json.loads(read(path_of(manifest["config"]["digest"])))
    image = next(one for one in lock["images"] if one["name"] == name)
    root, platform = image["root"], image["platforms"][0]
    old_root, old_layers = root["digest"], [path_of(one["digest"]) for one in platform["layers"]]
    put(platform["config"], json.dumps(images.config([one["digest"] for one in layers])).encode())
    put(root, json.dumps(images.manifest(platform["config"], layers)).encode())
    platform.update(manifest=root, layers=layers)

    put(manifest["config"], f"{pretty(lock)}\n".encode())
    bill = next(one for one in manifest["layers"] if "sbom.cdx.json" in one["annotations"].values())
    told = json.loads(read(path_of(bill["digest"])))
    told["serialNumber"] = serial_number(manifest["config"]["digest"])
    put(bill, json.dumps(told).encode())
    put(index["manifests"][-1], pretty(manifest).encode())

    for one in index["manifests"]:
        if one["digest"] == old_root:
            one.update(digest=root["digest"], size=root["size"])
            names = one["annotations"]
            names.update({key: names[key].replace(old_root, root["digest"]) for key in names})
    new["index.json"] = ("index.json", pretty(index).encode())
    return new, old_layers


def serial_number(lock):
    """The number of the bill of a bundle with this lock: a UUID of version 8."""
    plain = lock.removeprefix("sha256:")
    return uuid.UUID(f"{plain[:12]}8{plain[13:16]}8{plain[17:32]}").urn


def pretty(document):
    """JSON as a bundle has it."""
    return json.dumps(document, indent=2, ensure_ascii=False)


def path_of(digest):
    """The name of a blob in the archive."""
    return f"blobs/{digest.replace(':', '/')}"


def header(name, size):
    """The header of an entry. A size of 8 GiB or more does not fit into octal digits."""
    block = bytearray(BLOCK)

    def put(offset, data):
        block[offset:offset + len(data)] = data

    put(0, name.encode())
    put(100, b"0000644\0" + b"0000000\0" * 2)
    put(124, b"%011o\0" % size if size < 8 << 30 else b"\x80" + size.to_bytes(11, "big"))
    put(136, b"00000000000\0" + b" " * 8 + b"0")
    put(257, b"ustar\0" + b"00")
    put(148, b"%07o\0" % sum(block))
    return bytes(block)
