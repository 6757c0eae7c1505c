"""Measuring proxies while their upstreams fail."""

import copy
import json
import os
import re
import signal
import subprocess
import time
from dataclasses import dataclass, replace

from .measure import Bench
from .processes import RunFailed
from .scenarios import Variant

UPSTREAMS = 3
SLICE = 0.2         # seconds of load after which it is looked whether a proxy has noticed
NOTICE_LIMIT = 20   # seconds that it may take
FEW, MANY = 2_000, 8_000  # requests under callgrind: what start and end cost is in both

# What breaks and comes back, one after the other: title, what the upstreams are told.
STEPS = (
    ("one refuses", "1 refuse"), ("one resets", "2 reset"), ("one stalls", "3 stall"),
    ("one answers garbage", "1 garbage"), ("one dies in the body", "2 cut"), ("all refuse", "all refuse"))
AFTER = "all are back"


@dataclass(frozen=True)
class FaultVariant(Variant):
    """A job whose upstreams have been told something: commands of bench/upstreams.c, with commas."""

    fault: str = ""


class FaultBench(Bench):
    """Three upstreams that can be broken, in place of the origin."""

    def start_origin(self, tools):
        self.origin = self.children.start(
            [os.path.join(tools, "upstreams"), str(UPSTREAMS)], self.directory.name, {self.load_core},
            stdout=subprocess.PIPE)
        self.origin_port = tuple(map(int, self.origin.process.stdout.readline().split()))

    def tell(self, commands):
        """Has the upstreams obey; when this returns they have."""
        for command in filter(None, commands.split(", ")):
            if self.ask(command) != "done":
                raise RuntimeError(f"the upstreams did not understand {command!r}")

    def ask(self, command):
        self.origin.process.stdin.write(f"{command}\n".encode())
        self.origin.process.stdin.flush()
        return self.origin.process.stdout.readline().decode().strip()

    def counts(self):
        """What the upstreams have seen since this was asked last."""
        return json.loads(self.ask("count"))

    def measure(self, scenario, proxy, variant, seconds):
        try:
            return super().measure(scenario, proxy, variant, seconds)
        finally:
            self.tell("all ok, all delay 0")
            self.counts()

    def observe(self, child, load, port, seconds):
        """Load, what it cost the proxy, and what clients and upstreams saw."""
        self.counts()
        before = child.cpu()
        result = self.generate(load, port, seconds)
        user, system = child.cpu().since(before)
        return summarised(result, user, system, self.counts())

    def faulty(self, proxy, variant, seconds):
        """The upstreams fail from before the first request on."""
        child, port, _ = self.start(proxy, variant.job)
        self.tell(variant.fault)
        self.generate(variant.load, port, min(1.0, seconds / 2))
        return self.observe(child, variant.load, port, seconds)

    def rejects(self, proxy, variant, seconds):
        """Requests that are passed on, and then, with the upstreams dead, those that are answered without a try."""
        load = variant.load
        child, port, _ = self.start(proxy, variant.job)
        self.generate(load, port, min(1.0, seconds / 2))
        passed = self.observe(child, load, port, seconds)
        if passed["answers_2xx"] != passed["offered"]:
            return {"problem": f"before: only {passed['answers_2xx']} of {passed['offered']} were answered well"}
        self.tell(variant.fault)
        self.until(load, port, proxy.gives_up)
        result = self.observe(child, load, port, seconds)
        if not proxy.gives_up(result):
            result["problem"] = f"of {result['offered']} some were tried, or answered otherwise than with 503"
        result["passed_cpu_us"] = passed["cpu_us"]
        result["rejected_to_passed"] = result["cpu_us"] / passed["cpu_us"]
        return result

    def breaking(self, proxy, variant, seconds):
        """Under load one after the other breaks and comes back."""
        load = variant.load
        child, port, _ = self.start(proxy, variant.job)
        self.tell("all delay 2")
        steps = {}
        for title, fault in STEPS:
            self.until(load, port, self.all_used)
            steps[title] = self.break_and_mend(child, load, port, seconds, fault)
        back = time.monotonic()
        self.until(load, port, all_good)
        result = total([*steps.values()]) | {"all_good_s": time.monotonic() - back}
        self.until(load, port, self.all_used)
        result["all_used_s"] = time.monotonic() - back
        result["steps"] = steps | {AFTER: self.observe(child, load, port, seconds)}
        problems = [f"{title}: {step['problem']}" for title, step in result["steps"].items() if "problem" in step]
        return result | ({"problem": "; ".join(problems)} if problems else {})

    def break_and_mend(self, child, load, port, seconds, fault):
        """Load, in the middle half of which something is broken."""
        self.counts()
        before = child.cpu()
        generator = self.begin_load(load, port, seconds)
        time.sleep(seconds / 4)
        self.tell(fault)
        time.sleep(seconds / 2)
        self.tell("all ok")
        result = self.result_of(generator, load, seconds)
        user, system = child.cpu().since(before)
        return summarised(result, user, system, self.counts())

    def all_used(self, _seen):
        """Whether every upstream has had requests since it was last asked for its counts."""
        return all(self.counts()["each"])

    def until(self, load, port, is_so):
        """Loads until all that clients saw in a short while is as `is_so` has it."""
        deadline = time.monotonic() + NOTICE_LIMIT
        self.counts()
        while time.monotonic() < deadline:
            seen = self.generate(load, port, SLICE)
            if is_so(seen):
                return
        raise RunFailed(f"it did not notice within {NOTICE_LIMIT} s; at last: {seen}")

    def instructions(self, proxy, variant, _seconds):
        """Instructions for each request, by callgrind: the difference between many requests and few."""
        few, many = (self.count_instructions(proxy, variant, requests) for requests in (FEW, MANY))
        return {"instructions": (many - few) / (MANY - FEW)}

    def count_instructions(self, proxy, variant, requests):
        child, port, _ = self.start(UnderCallgrind(proxy, self.directory.name), variant.job)
        result = self.generate(replace(variant.load, most=requests), port, 60)
        child.process.send_signal(signal.SIGTERM)
        try:
            child.process.wait(30)
        except subprocess.TimeoutExpired:
            raise RunFailed("it did not end under callgrind") from None
        found = re.search(r"Collected : (\d+)", child.log())
        if found is None or result["requests"] != requests:
            raise RunFailed(f"{result['requests']} of {requests} requests under callgrind; {result.get('problem', '')}")
        return int(found.group(1))


class UnderCallgrind:
    """A proxy in valgrind, without the debug information, which valgrind may be too old to read."""

    def __init__(self, proxy, directory):
        self.proxy = copy.copy(proxy)
        self.proxy.program = os.path.join(directory, f"{proxy.name}-stripped")
        subprocess.run(["strip", "--strip-debug", "-o", self.proxy.program, proxy.program], check=True)

    def prepare(self, *arguments):
        return ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", *self.proxy.prepare(*arguments)]


def all_good(seen):
    return seen["answers_2xx"] == seen["requests"] and not seen["cut"]


def total(steps):
    """Figures for each request, over all of these."""
    offered = sum(step["offered"] for step in steps)
    keys = ("user_us", "system_us", "cpu_us", "success", "amplification")
    return {"offered": offered, **{key: sum(step[key] * step["offered"] for step in steps) / offered for key in keys}}


def summarised(result, user, system, upstreams):
    """A load generator's result with figures for each request that clients began."""
    offered = result["requests"] + result["cut"]
    result |= {"offered": offered, "upstreams": upstreams, "peak": upstreams["peak"]}
    if offered:
        result |= {
            "rps": offered / result["seconds"], "user_us": user / 1e3 / offered, "system_us": system / 1e3 / offered,
            "cpu_us": (user + system) / 1e3 / offered, "success": result["answers_2xx"] / offered,
            "amplification": upstreams["requests"] / offered}
    return result
