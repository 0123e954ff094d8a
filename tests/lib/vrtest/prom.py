# SPDX-License-Identifier: GPL-2.0-only
"""Prometheus' text format 0.0.4, read strictly: what is not exactly right is a ValueError."""

import re

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
HEAD = re.compile(rf"# (HELP|TYPE) ({NAME}) (.+)")
SAMPLE = re.compile(rf"({NAME})(?:\{{(.*)\}})? (NaN|[+-]Inf|-?[0-9]+(?:\.[0-9]+)?(?:e[+-]?[0-9]+)?)")
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"(,(?!$)|$)')
TYPES = ("counter", "gauge", "histogram")


def _labels(text, line):
    labels, at = {}, 0
    while at < len(text):
        m = LABEL.match(text, at)
        if not m or m[1] in labels:
            raise ValueError(f"labels: {line!r}")
        labels[m[1]] = m[2].replace('\\"', '"').replace("\\n", "\n").replace("\\\\", "\\")
        at = m.end()
    return labels


class Metrics:
    """All of a scrape. Samples of a family are together, behind its HELP and its TYPE, and none is there twice."""

    def __init__(self, text):
        self.types, self.samples = {}, {}
        family, helped = None, None
        if not text.endswith("\n"):
            raise ValueError("the last line has no end")
        for line in text.split("\n")[:-1]:
            head = HEAD.fullmatch(line)
            if head and head[1] == "HELP":
                helped, family = head[2], None
            elif head:
                if head[2] != helped or head[2] in self.types or head[3] not in TYPES:
                    raise ValueError(f"head: {line!r}")
                family, self.types[head[2]] = head[2], head[3]
            else:
                self._sample(family, line)
        for name, kind in self.types.items():
            if kind == "counter" and not name.endswith("_total"):
                raise ValueError(f"{name} is a counter and does not end in _total")
            if kind == "histogram":
                self._check_histogram(name)

    def _sample(self, family, line):
        m = SAMPLE.fullmatch(line)
        if not m or not family:
            raise ValueError(f"line: {line!r}")
        allowed = [family + s for s in ("_bucket", "_sum", "_count")] if self.types[family] == "histogram" else [family]
        key = (m[1], frozenset(_labels(m[2] or "", line).items()))
        if m[1] not in allowed or key in self.samples:
            raise ValueError(f"sample: {line!r}")
        self.samples[key] = float(m[3].replace("Inf", "inf"))

    def _check_histogram(self, name):
        buckets = [(dict(labels)["le"], v) for (n, labels), v in self.samples.items() if n == f"{name}_bucket"]
        values = [v for _, v in sorted(buckets, key=lambda b: float(b[0].replace("Inf", "inf")))]
        if values != sorted(values) or buckets[-1][0] != "+Inf" or values[-1] != self.get(f"{name}_count"):
            raise ValueError(f"histogram {name}: {buckets}")

    def get(self, name, **labels):
        """A sample's value, or None."""
        return self.samples.get((name, frozenset(labels.items())))

    def sum(self, name, **labels):
        """Of all samples that have these labels."""
        return sum(v for (n, have), v in self.samples.items() if n == name and set(labels.items()) <= have)
