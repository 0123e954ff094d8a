#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""The main job on real input, inside a booted compute node; see tests/demo/run.sh.

Says each step, shows what an operator would look at, checks what must hold,
and ends with exit status 0 only if all of it did.
"""

import collections
import os
import re
import shutil
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "lib"))
# pylint: disable=wrong-import-position
from vrtest.netns import run
from vrtest.node import BUILD, Node, unload_module
from vrtest.tap import wait_for

FAILED = []
URL = "http://web.default.svc.cluster.local"


def step(text):
    print(f"\n=== {text}", flush=True)


def check(good, text, seen=None):
    print(f"[{'ok' if good else 'FAILED'}] {text}", flush=True)
    if not good:
        FAILED.append(text)
        if seen is not None:
            print(f"       {seen}", flush=True)
    return good


def show(node, *words):
    """An operator's command with its output."""
    print(f"\n# vrctl {' '.join(words)}", flush=True)
    res = node.ns.run([f"{BUILD}/vrctl", *words], check=False)
    print(res.stdout + res.stderr, end="", flush=True)
    return res


def config(path, text):
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    return path


class Servers:
    """The real programs, each in its pod's network namespace."""

    def __init__(self, node):
        self.node = node
        self.procs = []

    def start(self, pod, argv):
        log = open(f"{self.node.dir}/{pod.short}.log", "w", encoding="utf-8")  # pylint: disable=R1732
        self.procs.append(pod.ns.popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log))
        return self.procs[-1]

    def nginx(self, pod):
        conf = config(f"{self.node.dir}/{pod.short}.conf", f"""
daemon off; worker_processes 1; pid {self.node.dir}/{pod.short}.pid;
error_log stderr; user root;
events {{ worker_connections 256; }}
http {{
  access_log off;
  client_body_temp_path {self.node.dir}; proxy_temp_path {self.node.dir};
  fastcgi_temp_path {self.node.dir}; uwsgi_temp_path {self.node.dir}; scgi_temp_path {self.node.dir};
  server {{ listen 8080; return 200 "{pod.short}\\n"; }}
}}
""")
        return self.start(pod, ["nginx", "-c", conf])

    def redis(self, pod):
        return self.start(pod, ["redis-server", "--port", "6379", "--bind", "0.0.0.0", "--save", "",
                                "--protected-mode", "no", "--dir", self.node.dir])

    def dns(self, pod, records):
        return self.start(pod, ["dnsmasq", "--keep-in-foreground", "--no-resolv", "--no-hosts", "--user=root",
                                "--conf-file=/dev/null", "--local=/cluster.local/", f"--pid-file={self.node.dir}/dns.pid",
                                *[f"--host-record={name},{addr}" for name, addr in records]])

    def stop(self):
        for p in self.procs:
            p.kill()
            p.wait()


def service_records(node):
    """What a cluster DNS serves: a name for each service's address."""
    out = set()
    for v in node.vrctl("vip", "show"):
        namespace, name = v["label"].split(":")[0].split("/")
        out.add((f"{name}.{namespace}.svc.cluster.local", v["addr"]))
    return sorted(out)


def curl(pod, count, *more):
    """`count` requests, a connection each, as a shell user would; a process."""
    return pod.ns.popen(["ip", "netns", "exec", pod.ns.name, "curl", "-sS", "--max-time", "20",
                         "-H", "Connection: close", *more, f"{URL}/?[1-{count}]"],
                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def answers(proc):
    out, err = proc.communicate(timeout=240)
    return collections.Counter(out.split()), err.strip(), proc.returncode


def redis_ping(pod):
    res = pod.ns.run(["ip", "netns", "exec", pod.ns.name, "timeout", "5", "redis-cli", "-h",
                      "db.default.svc.cluster.local", "ping"], check=False)
    return res.stdout.strip() or f"no answer (exit status {res.returncode})"


def bring_up(node):
    step("A compute node: the stock kernel, the module, the manager and the node daemon")
    print(run(["uname", "-srm"]).stdout, end="")
    print(run(["sh", "-c", "lsmod | head -1; lsmod | grep -w ^vrouter"]).stdout, end="")
    for name in sorted(os.listdir(f"{HERE}/manifests")):
        shutil.copy(f"{HERE}/manifests/{name}", node.manifests)
    node.start()
    step("Pods: each a network namespace, attached by the CNI plugin")
    for ns, name in (("default", "web-0"), ("default", "web-1"), ("default", "web-2"), ("default", "db-0"),
                     ("kube-system", "dns-0"), ("default", "api"), ("default", "guest")):
        pod = node.pod(ns, name)
        print(f"  {pod.name:18} {' '.join(pod.addresses)}", flush=True)
    node.sync()


def start_servers(node, servers):
    step("Real servers in them: three nginx, redis, dnsmasq as the cluster DNS")
    for i in range(3):
        servers.nginx(node.pods[f"default/web-{i}"])
    servers.redis(node.pods["default/db-0"])
    records = service_records(node)
    servers.dns(node.pods["kube-system/dns-0"], records)
    for name, addr in records:
        if "mark-" not in name:
            print(f"  {name} {addr}")
    for client in ("api", "guest"):
        pod = node.pods[f"default/{client}"]
        os.makedirs(f"/etc/netns/{pod.ns.name}", exist_ok=True)
        config(f"/etc/netns/{pod.ns.name}/resolv.conf",
               "nameserver 10.96.0.10\nsearch default.svc.cluster.local svc.cluster.local\noptions ndots:5\n")
    for pod, port in (("default/web-0", 8080), ("default/web-1", 8080), ("default/web-2", 8080),
                      ("default/db-0", 6379)):
        wait_for(lambda pod=pod, port=port: f":{port}" in node.pods[pod].ns.run(["ss", "-ltn"]).stdout,
                 f"{pod} to listen on {port}", 60)
    wait_for(lambda: ":53" in node.pods["kube-system/dns-0"].ns.run(["ss", "-lun"]).stdout, "dnsmasq", 60)


def balance(node):
    api = node.pods["default/api"]
    step(f"curl {URL} from the client pod api")
    got, err, code = answers(curl(api, 1))
    check(code == 0 and sum(got.values()) == 1, f"the name resolves through the kube-dns service and {'/'.join(got)} answers", err)
    step("300 requests, a connection each: balanced over three members in the kernel")
    got, err, code = answers(curl(api, 300))
    print("  " + "  ".join(f"{k}: {v}" for k, v in sorted(got.items())))
    check(code == 0 and sum(got.values()) == 300, "all 300 were answered", err)
    check(set(got) == {"web-0", "web-1", "web-2"} and min(got.values()) >= 60, "by all three, none under 60", got)
    for words in (("vif", "show"), ("vip", "show"), ("-s", "nexthop", "show"), ("route", "show", "vrf", "1")):
        show(node, *words)


def member_deleted(node):
    api = node.pods["default/api"]
    step("A member is deleted while requests run")
    load = curl(api, 600)
    def created():
        return node.vrctl("stats", "show")["flows-created"]
    base = created()
    wait_for(lambda: created() > base + 20, "requests to be under way", 60)
    path = f"{node.manifests}/20-web-2.yaml"
    with open(path, encoding="utf-8") as f:
        text = f.read()
    config(path + ".tmp", text.replace("metadata:\n", "metadata:\n  deletionTimestamp: \"2026-01-01T00:00:00Z\"\n", 1))
    os.rename(path + ".tmp", path)
    node.sync()
    print("  web-2 is terminating: it keeps its connections and gets no new ones")
    web2 = node.pods["default/web-2"]
    wait_for(lambda: not [f for f in node.vrctl("flow", "show", "proto", "tcp", "dst", web2.v4)
                          if f["state"] in ("new", "syn-recv", "established", "half-closed")],
             "its last connection to end", 60)
    os.unlink(path)
    node.sync()
    node.pods.pop("default/web-2").delete()
    print("  web-2 is gone: manifest, interface and namespace")
    got, err, code = answers(load)
    print("  " + "  ".join(f"{k}: {v}" for k, v in sorted(got.items())))
    check(code == 0 and sum(got.values()) == 600, "none of the 600 requests failed", err)
    got, err, code = answers(curl(api, 100))
    check(code == 0 and set(got) == {"web-0", "web-1"}, "the two that are left serve all new ones", (got, err))
    show(node, "-s", "nexthop", "show")
    show(node, "vip", "show")


def isolation(node):
    api, guest = node.pods["default/api"], node.pods["default/guest"]
    step("A NetworkPolicy: only role=api may reach the database")
    check(redis_ping(api) == "PONG" and redis_ping(guest) == "PONG", "before it both clients reach redis")
    shutil.copy(f"{HERE}/policy.yaml", f"{node.manifests}/40-policy.yaml.tmp")
    os.rename(f"{node.manifests}/40-policy.yaml.tmp", f"{node.manifests}/40-policy.yaml")
    node.sync()
    before = node.drops("sg-ingress")
    api_said, guest_said = redis_ping(api), redis_ping(guest)
    print(f"  redis-cli ping from api: {api_said}\n  redis-cli ping from guest: {guest_said}")
    check(api_said == "PONG", "api still reaches it")
    check(guest_said.startswith("no answer"), "guest is dropped silently, as the policy demands")
    check(node.drops("sg-ingress") > before, "and the drop is counted with its reason")
    for words in (("sg", "show"), ("drops", "show"), ("flow", "show", "dport", "6379")):
        show(node, *words)
    step("vrctl trace explains it")
    res = show(node, "trace", "vif", "default/guest", "dst", "10.96.0.63", "proto", "tcp", "dport", "6379")
    check(res.returncode != 0 and "sg-ingress" in res.stdout and "db-from-api" in res.stdout,
          "the trace ends at the security group of the policy db-from-api")
    res = show(node, "trace", "vif", "default/api", "dst", "10.96.0.63", "proto", "tcp", "dport", "6379")
    check(res.returncode == 0, "and passes for api")


def main():
    start = time.monotonic()
    node = Node(pod_network="10.32.0.0/12", service_network="10.96.0.0/12")
    servers = Servers(node)
    try:
        bring_up(node)
        start_servers(node, servers)
        balance(node)
        member_deleted(node)
        isolation(node)
    except (AssertionError, subprocess.TimeoutExpired) as err:
        check(False, str(err))
        print(node.logs())
    step("Away again")
    servers.stop()
    for pod in list(node.pods.values()):
        check(pod.detach().returncode == 0, f"CNI DEL of {pod.name}")
    node.stop()
    unload_module()
    check(not os.path.isdir("/sys/module/vrouter"), "the module is unloaded")
    oops = [l for l in run(["dmesg"]).stdout.splitlines() if re.search(r"BUG|WARNING|Oops|Call Trace", l)]
    check(not oops, "the kernel log is clean", oops[:5])
    print(f"\n{'DEMO FAILED: ' + '; '.join(FAILED) if FAILED else 'DEMO OK'} "
          f"({time.monotonic() - start:.0f} s in the guest)", flush=True)
    return 1 if FAILED else 0


sys.exit(main())
