"""Plays pods on one machine: two services, each with a sidecar, that know each other only through these.

A service asks a port of its own host; its sidecar speaks mutual TLS to the sidecar of a pod of the other service, which
speaks plain HTTP to the service beside it. Names are looked up as those of a headless Service are: one address for each
pod that is ready. Meanwhile certificates change, their authority changes, configs are loaded anew, and every pod is
replaced. No request may be lost.
"""
import argparse
import concurrent.futures
import json
import os
import pathlib
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

import sluice as harness
from certificates import Authority
from client import get
from flow import wait_until
from nameserver import NameServer

HERE = pathlib.Path(__file__).resolve().parent
DRAIN_DELAY, REFRESH = 1.0, 0.2
# The time in which others must have heard of the end, and then some for the service's last calls.
LINGER = DRAIN_DELAY + 0.3

CONFIG = """\
workers: 1
drain_timeout: 15s
outlive: {ip}:{app}
admin: {ip}:{admin}
dns: {{ servers: [ {dns} ] }}
listeners:
  inbound:
    bind: {ip}:{inbound}
    drain_delay: {delay}ms
    chain:
      - tls:
          certificate: certificates/server.crt
          key: certificates/server.key
          ca: certificates/ca.pem
          accepted_names: {{ uri: [ "spiffe://example.org/{peer}" ] }}
      - http
      - stats
      - router: {{ to: app, timeout: {timeout}s }}
  health:
    bind: {ip}:{health}
    chain: [ http, router: {{ routes: [ {{ respond: {{ body: "ok\\n" }} }} ] }} ]
  {peer}:
    bind: {ip}:{outbound}
    direction: outbound
    drain_delay: {delay}ms
    chain:
      - http: {{ forwarded_for: off }}
      - stats
      - retry: {{ attempts: 2 }}
      - router: {{ to: {peer}, timeout: {timeout}s }}
clusters:
  app:
    endpoints: [ "{ip}:{app}" ]
    connect_timeout: {timeout}s
  {peer}:
    endpoints: [ "{peer}.internal:{peer_inbound}" ]
    connect_timeout: {timeout}s
    dns: {{ family: v4, refresh: {refresh}ms }}
    chain:
      - tls:
          ca: certificates/ca.pem
          certificate: certificates/client.crt
          key: certificates/client.key
"""


def free_ports(names):
    """Ports that nobody has on any address of this machine."""
    sockets = [socket.create_server(("0.0.0.0", 0)) for _ in names]
    ports = dict(zip(names, (one.getsockname()[1] for one in sockets)))
    for one in sockets:
        one.close()
    return ports


class Pod:
    """One service with its sidecar, at an address of its own."""

    def __init__(self, play, service, number):
        self.play, self.service, self.name = play, service, f"{service}-{number}"
        self.peer = "b" if service == "a" else "a"
        self.ip = play.address()
        self.folder = play.folder / self.name
        (self.folder / "certificates").mkdir(parents=True)
        self.timeout = 10
        self.certify(play.authority)
        self.trust(play.authority)
        self.write()
        ports = play.ports[service]
        self.process = subprocess.Popen(
            [*harness._TIED, sys.executable, "-B", HERE / "pod_service.py", "--name", self.name,
             "--listen", f"{self.ip}:{ports['app']}", "--peer", f"{self.ip}:{ports['outbound']}",
             "--callers", str(play.callers), "--linger", str(LINGER)], stdout=subprocess.PIPE, text=True)
        self.output = harness.Lines(self.process.stdout)
        self.sidecar = harness.Sluice(command=["run", "-c", str(self.folder / "sluice.yaml"), "--log-format", "json"])
        assert self.output.wait(lambda line: line == "serving", 20), f"{self.name} does not begin"
        wait_until(self.is_ready, 20, f"{self.name} does not become ready")

    def address(self, port):
        return self.ip, self.play.ports[self.service][port]

    def is_ready(self):
        """As the kubelet finds out."""
        try:
            return get(self.address("health")).status == 200
        except OSError:
            return False

    def begin(self):
        """Lets the service ask the other one."""
        self.process.send_signal(signal.SIGUSR1)

    # MARK: What operators change

    def put(self, path, data):
        fresh = self.folder / "fresh"
        fresh.write_bytes(data)
        os.replace(fresh, self.folder / path)

    def certify(self, authority):
        """New certificates for both directions."""
        made = self.folder / "made"
        made.mkdir()
        identity = f"spiffe://example.org/{self.service}"
        authority.issue(f"{self.service}.internal", identity).write(made, "server")
        authority.issue(identity, usage="client").write(made, "client")
        for file in sorted(made.iterdir()):
            os.replace(file, self.folder / "certificates" / file.name)
        made.rmdir()

    def trust(self, *authorities):
        self.put("certificates/ca.pem", b"".join(authority.pem for authority in authorities))

    def write(self):
        ports, peer = self.play.ports[self.service], self.play.ports[self.peer]
        self.put("sluice.yaml", CONFIG.format(
            ip=self.ip, peer=self.peer, dns=self.play.names.address, timeout=self.timeout, peer_inbound=peer["inbound"],
            delay=int(DRAIN_DELAY * 1000), refresh=int(REFRESH * 1000), **ports).encode())

    def change(self, what, *files):
        """Does what `what` does, and waits until the sidecar has read all of `files` again."""
        since = self.sidecar.mark()
        what()
        for file in files:
            self.sidecar.wait_log("certificate files read again", 20, since=since,
                                  file=str(self.folder / "certificates" / file))

    def reload(self):
        """Another value in each listener and cluster: all of them are put in place anew."""
        self.timeout += 1
        self.write()
        self.sidecar.reload()

    # MARK: The end

    def stop(self, with_hook):
        """Ends the pod as Kubernetes does: its address goes, and the containers are told at the same time; a native
        sidecar by a hook, and by TERM when the service has ended."""
        self.play.withdraw(self)
        if with_hook:
            done = subprocess.run([harness.BINARY, "drain", str(self.sidecar.pid)], capture_output=True, text=True)
            assert done.returncode == 0, done.stderr
        else:
            self.sidecar.signal(signal.SIGTERM)
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(30)
        self.output.join()
        assert status == 0, f"{self.name} has ended with {status}"
        if with_hook and self.sidecar.process.poll() is None:
            self.sidecar.signal(signal.SIGTERM)
        assert self.sidecar.wait_exit(30) == 0, self.sidecar.log_text()
        self.count = json.loads(self.output.lines[-1])
        late = [entry["message"] for entry in self.sidecar.log if "drain timeout" in entry["message"]]
        assert not late, f"the sidecar of {self.name} was cut off"

    def counted(self):
        """What has become of the calls so far."""
        return json.loads(get(self.address("app"), "/count").body)

    def kill(self):
        for process in (self.process, self.sidecar.process if hasattr(self, "sidecar") else None):
            if process and process.poll() is None:
                process.kill()
                process.wait()
        self.output.join()
        if hasattr(self, "sidecar"):
            self.sidecar.stopped_by_test = True
            self.sidecar.finish()


class Play:
    """All pods, and what happens to them."""

    def __init__(self, callers=2, replicas=2, say=print):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="sluice-pods-"))
        self.callers, self.replicas, self.say = callers, replicas, say
        self.net, self.last = f"127.{random.randint(16, 250)}.{random.randint(1, 250)}", 0
        self.ports = {service: free_ports(["inbound", "health", "outbound", "app", "admin"]) for service in "ab"}
        self.names = NameServer({"a.internal": [], "b.internal": []})
        self.authority = Authority()
        self.pods, self.gone, self.numbers = [], [], {"a": 0, "b": 0}
        self.begun = time.monotonic()

    def address(self):
        self.last += 1
        return f"{self.net}.{self.last}"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for pod in self.pods:
            pod.kill()
        self.names.stop()
        shutil.rmtree(self.folder)

    # MARK: Endpoints

    def announce(self, pod):
        name = f"{pod.service}.internal"
        self.names.names[name] = [*self.names.names[name], pod.ip]

    def withdraw(self, pod):
        name = f"{pod.service}.internal"
        self.names.names[name] = [ip for ip in self.names.names[name] if ip != pod.ip]

    def add(self, service):
        self.numbers[service] += 1
        pod = Pod(self, service, self.numbers[service])
        self.pods.append(pod)
        self.announce(pod)
        return pod

    # MARK: Counting

    def counts(self):
        return [*(pod.count for pod in self.gone), *(pod.counted() for pod in self.pods)]

    def wait_for_calls(self, count):
        """Lets the services go on until each pod has been answered so many more times."""
        before = {pod.name: pod.counted()["asked"] for pod in self.pods}
        wait_until(lambda: all(pod.counted()["asked"] >= before[pod.name] + count for pod in self.pods), 30,
                   "requests do not go on")

    def tell(self, what):
        counts = self.counts()
        asked, lost = sum(one["asked"] for one in counts), sum(len(one["lost"]) for one in counts)
        self.say(f"{time.monotonic() - self.begun:6.1f} s  {what:<58}{asked:8} requests, {lost} lost")

    # MARK: Acts

    def raise_curtain(self):
        for service in "ab":
            for _ in range(self.replicas):
                self.add(service)
        # The first ones have found no name of the other service; from then on nobody may notice anything.
        for pod in self.pods:
            wait_until(lambda: get(pod.address("outbound")).status == 200, 20, f"{pod.name} finds nobody")
        for pod in self.pods:
            pod.begin()
        self.tell(f"{len(self.pods)} pods of 2 services")

    def renew(self):
        """New certificates of the same authority."""
        for pod in self.pods:
            pod.change(lambda: pod.certify(self.authority), "server.crt", "client.crt")

    def change_authority(self):
        """Trusted beside the old one first; then everybody gets certificates of the new one; then the old one goes."""
        old, self.authority = self.authority, Authority("next authority")
        for pod in self.pods:
            pod.change(lambda: pod.trust(old, self.authority), "server.crt", "client.crt")
        self.renew()
        for pod in self.pods:
            pod.change(lambda: pod.trust(self.authority), "server.crt", "client.crt")

    def reload(self):
        for pod in self.pods:
            pod.reload()

    def restart(self):
        """Every pod is replaced: a new one first, and the old one is told to end when that is ready. One pod of each
        service at a time; the sidecar of `a` is told by a hook, that of `b` by TERM."""
        for old in zip([pod for pod in self.pods if pod.service == "a"], [pod for pod in self.pods if pod.service == "b"]):
            # The kernel ends with a thread what the thread has started: this is not for those below.
            for service in "ab":
                self.add(service).begin()
            with concurrent.futures.ThreadPoolExecutor() as both:
                list(both.map(lambda pod: pod.stop(with_hook=pod.service == "a"), old))
            for pod in old:
                self.pods.remove(pod)
                self.gone.append(pod)
                pod.kill()

    def perform(self, calls, rounds=1):
        """Everything, so many times. `calls`: how many each pod makes after each act."""
        self.raise_curtain()
        self.wait_for_calls(calls)
        for _ in range(rounds):
            for what, act in (("new certificates", self.renew), ("another authority", self.change_authority),
                              ("configs loaded anew", self.reload), ("every pod replaced", self.restart)):
                act()
                self.wait_for_calls(calls)
                self.tell(what)


def main():
    parser = argparse.ArgumentParser(
        prog="scripts/pod", description="Plays pods on this machine: two services that know each other only through "
        "their sidecars, over mutual TLS. Under load their certificates change, and the authority of these, their configs, "
        "and all pods are replaced. Ends with 1 where a request is lost.")
    parser.add_argument("--rounds", type=int, default=1, metavar="N", help="how often everything happens (1)")
    parser.add_argument("--calls", type=int, default=500, metavar="N", help="calls of each pod between acts (500)")
    parser.add_argument("--callers", type=int, default=2, metavar="N", help="calls of each pod at once (2)")
    parser.add_argument("--replicas", type=int, default=2, metavar="N", help="pods of each service (2)")
    options = parser.parse_args()
    with Play(options.callers, options.replicas) as play:
        play.perform(options.calls, options.rounds)
        counts = play.counts()
    asked = sum(one["asked"] for one in counts)
    lost = [failure for one in counts for failure in one["lost"]]
    print(f"\n{asked} requests, {len(lost)} lost")
    for failure in sorted(lost, key=lambda failure: failure["at"])[:20]:
        print(f"lost {failure['at'] - time.time():+.1f} s ago: {failure['why']}")
    sys.exit(1 if lost else 0)


if __name__ == "__main__":
    main()
