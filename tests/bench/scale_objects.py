#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""A synthetic cluster as a folder of manifests: scale_objects.py FOLDER NODES PODS SERVICES POLICIES.

Each service has PODS*5/3/SERVICES members in an EndpointSlice (some pods are members of two services, as
with canaries and aggregates), each policy selects an app's pods and allows two others'. JSON, because
that is what an API server sends. What is changed while measuring is in files of its own.
"""

import ipaddress
import json
import os
import sys

PER_FILE = 2000
PER_NAMESPACE = 300
BURST = 100          # policies that select what has the label burst


def write(folder, name, objects):
    for part, start in enumerate(range(0, len(objects), PER_FILE)):
        with open(f"{folder}/{name}-{part:03d}.json", "w", encoding="ascii") as file:
            # not json.dump(), which is Python all the way down
            file.write(json.dumps({"apiVersion": "v1", "kind": "List", "items": objects[start:start + PER_FILE]}, separators=(",", ":")))


def node(i):
    return {"apiVersion": "v1", "kind": "Node", "metadata": {"name": f"node-{i}"}, "status": {"addresses": [
        {"type": "InternalIP", "address": str(ipaddress.IPv4Address("172.16.0.1") + i)},
        {"type": "InternalIP", "address": str(ipaddress.IPv6Address("2001:db8:f::1") + i)}]}}


class Cluster:
    """Names and numbers, the same wherever they are used."""

    def __init__(self, nodes, pods, services, policies):
        self.nodes, self.pods, self.services, self.policies = nodes, pods, services, policies
        self.namespaces = max(1, pods // PER_NAMESPACE)
        self.apps = max(1, services // self.namespaces)     # in a namespace
        self.members = max(1, pods * 5 // 3 // services)

    def ns_of(self, pod):
        return f"ns-{pod % self.namespaces}"

    def app_of(self, pod):
        return f"app-{pod // self.namespaces % self.apps}"

    def addresses(self, pod):
        """Of blocks of 64 that its node alone has."""
        at = (pod % self.nodes << max(6, (self.pods // self.nodes + 2).bit_length())) + pod // self.nodes
        return [str(ipaddress.IPv4Address("10.32.0.2") + at), str(ipaddress.IPv6Address("fd00:32::2") + at)]

    def pod(self, i, **labels):
        return {"apiVersion": "v1", "kind": "Pod",
                "metadata": {"name": f"pod-{i}", "namespace": self.ns_of(i), "labels": {"app": self.app_of(i), "pod-template-hash": "7d9c8b6f5", **labels}},
                "spec": {"nodeName": f"node-{i % self.nodes}", "containers": [{"name": "main", "ports": [{"name": "http", "containerPort": 8080}]}]},
                "status": {"phase": "Running", "podIPs": [{"ip": a} for a in self.addresses(i)]}}

    def service(self, i):
        return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": f"svc-{i}", "namespace": f"ns-{i % self.namespaces}"},
                "spec": {"clusterIP": str(ipaddress.IPv4Address("10.96.0.10") + i), "ports": [{"name": "http", "port": 80, "targetPort": 8080}]}}

    def slice(self, i, down=()):
        first = i * self.members
        return {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4",
                "metadata": {"name": f"svc-{i}-x", "namespace": f"ns-{i % self.namespaces}", "labels": {"kubernetes.io/service-name": f"svc-{i}"}},
                "ports": [{"name": "http", "port": 8080, "protocol": "TCP"}],
                "endpoints": [{"addresses": [self.addresses(p % self.pods)[0]], "nodeName": f"node-{p % self.pods % self.nodes}",
                               "conditions": {"ready": p not in down},
                               "targetRef": {"kind": "Pod", "namespace": self.ns_of(p % self.pods), "name": f"pod-{p % self.pods}"}}
                              for p in range(first, first + self.members)]}

    def policy(self, i):
        ns, app = i % self.namespaces, i // self.namespaces % self.apps
        return {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": f"policy-{i}", "namespace": f"ns-{ns}"},
                "spec": {"podSelector": {"matchLabels": {"app": f"app-{app}"}}, "ingress": [
                    {"from": [{"podSelector": {"matchLabels": {"app": f"app-{(app + 1) % self.apps}"}}},
                              {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": f"ns-{(ns + 1) % self.namespaces}"}}}],
                     "ports": [{"port": 8080}]}]}}


    def burst(self, i):
        """One more policy of pod 0's namespace."""
        return {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": f"burst-{i}", "namespace": self.ns_of(0)},
                "spec": {"podSelector": {"matchLabels": {"burst": "on"}}, "ingress": [{"ports": [{"port": 9000 + i}]}]}}


def make(c, folder):
    """Node 0, pod 0 and the members of service 0 are in files of their own, "00-node-0", "31-pod-000" and
    "51-slice-000"."""
    os.makedirs(folder, exist_ok=True)
    write(folder, "00-node-0", [node(0)])
    write(folder, "10-nodes", [node(i) for i in range(1, c.nodes)])
    write(folder, "20-policies", [c.policy(i) for i in range(c.policies)])
    write(folder, "21-policies", [c.burst(i) for i in range(BURST)])
    write(folder, "30-pods", [c.pod(i) for i in range(1, c.pods)])
    write(folder, "31-pod", [c.pod(0)])
    write(folder, "40-services", [c.service(i) for i in range(c.services)])
    write(folder, "50-slices", [c.slice(i) for i in range(1, c.services)])
    write(folder, "51-slice", [c.slice(0)])


def main():
    make(Cluster(*map(int, sys.argv[2:6])), sys.argv[1])


if __name__ == "__main__":
    main()
