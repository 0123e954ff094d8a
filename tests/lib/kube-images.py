#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""kube-images.py ARCHIVE NAME="PROGRAM [ARGUMENT...]"...: an archive of images in the OCI image
layout 1.0, each of one static program, which it runs as user 65534 ("nobody")."""

import hashlib
import io
import json
import os
import sys
import tarfile

KIND = "application/vnd.oci.image"


def add(tar, name, data, mode=0o644):
    """A file without a date or an owner: the same content makes the same archive."""
    info = tarfile.TarInfo(name)
    info.size, info.mode = len(data), mode
    tar.addfile(info, io.BytesIO(data))


class Layout:
    """An image layout that grows in a tar file."""

    def __init__(self, tar):
        self.tar, self.seen, self.images = tar, set(), []

    def blob(self, data, kind):
        """The descriptor of the data, which is written once."""
        digest = hashlib.sha256(data).hexdigest()
        if digest not in self.seen:
            self.seen.add(digest)
            add(self.tar, f"blobs/sha256/{digest}", data)
        return {"mediaType": f"{KIND}.{kind}", "digest": f"sha256:{digest}", "size": len(data)}

    def image(self, name, program, args):
        base = os.path.basename(program)
        with open(program, "rb") as file, io.BytesIO() as out:
            with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as tar:
                add(tar, base, file.read(), 0o755)
            layer = self.blob(out.getvalue(), "layer.v1.tar")
        config = {"architecture": "amd64", "os": "linux",
                  "config": {"User": "65534:65534", "Entrypoint": [f"/{base}"], "Cmd": args},
                  "rootfs": {"type": "layers", "diff_ids": [layer["digest"]]}}
        manifest = {"schemaVersion": 2, "mediaType": f"{KIND}.manifest.v1+json",
                    "config": self.blob(json.dumps(config).encode(), "config.v1+json"),
                    "layers": [layer]}
        self.images.append({**self.blob(json.dumps(manifest).encode(), "manifest.v1+json"),
                            "annotations": {"io.containerd.image.name": name}})

    def close(self):
        add(self.tar, "oci-layout", b'{"imageLayoutVersion": "1.0.0"}')
        add(self.tar, "index.json", json.dumps(
            {"schemaVersion": 2, "manifests": self.images}).encode())


def main():
    archive, images = sys.argv[1], sys.argv[2:]
    with tarfile.open(archive, "w", format=tarfile.USTAR_FORMAT) as tar:
        layout = Layout(tar)
        for image in images:
            name, command = image.split("=", 1)
            program, *args = command.split()
            layout.image(name, program, args)
        layout.close()


main()
