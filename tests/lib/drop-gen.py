#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Prints kmod/obs/drop_gen.h, made from the drop reasons of a netlink spec.

usage: drop-gen.py uapi/vrouter.yaml
"""

import sys

import yaml

HEAD = """\
/* SPDX-License-Identifier: GPL-2.0-only */
/* Do not edit: made by tests/lib/drop-gen.py from uapi/vrouter.yaml */
#ifndef VR_DROP_GEN_H
#define VR_DROP_GEN_H

/* X(NAME, "name", "explanation"), in order of value from 0 */
#define VR_DROP_REASONS(X)"""


def reasons(path):
    """The entries of the spec's "drop-reason"."""
    with open(path, encoding="utf-8") as stream:
        spec = yaml.safe_load(stream)
    for definition in spec["definitions"]:
        if definition["name"] == "drop-reason":
            return definition["entries"]
    raise SystemExit(f"{path}: no definition of drop-reason")


def literal(text):
    """C string literal of a text."""
    text = " ".join(text.split())
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def main():
    """Prints the header."""
    if len(sys.argv) != 2:
        raise SystemExit("usage: drop-gen.py uapi/vrouter.yaml")
    lines = [HEAD]
    for entry in reasons(sys.argv[1]):
        name = entry["name"]
        if "value" in entry or not entry.get("doc"):
            raise SystemExit(f"{sys.argv[1]}: drop reason {name}: needs a doc, takes no value")
        symbol = name.upper().replace("-", "_")
        lines.append(f"\tX({symbol}, {literal(name)},\n\t  {literal(entry['doc'])})")
    print(" \\\n".join(line.replace(",\n", ", \\\n") for line in lines))
    print("\n#endif")


if __name__ == "__main__":
    main()
