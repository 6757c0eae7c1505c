"""What bench/compare and bench/faults share: their options, their rounds, and where results go."""

import json
import os
import platform
import sys
import time

from . import install
from .proxies import BENCH


def add_options(parser):
    """The options that all of these scripts have."""
    parser.add_argument("--rounds", type=int, help="rounds of each scenario; the median counts (5)")
    parser.add_argument("--seconds", type=float, help="measured seconds of each run, after a warm-up (5)")
    parser.add_argument("--sluice", default=install.default_sluice(), help="Sluice's binary (%(default)s)")
    parser.add_argument("--proxy-core", type=int, help="the core that a proxy runs on (the last one)")
    parser.add_argument("--load-core", type=int, help="the core of the load generator and the origin (the first one)")
    parser.add_argument("--check", action="store_true", help="exit with 1 when a bar is missed or a run failed")


def fill_in(parser, arguments, proxies):
    """Checks the options, and sets those that were left out."""
    arguments.rounds = arguments.rounds or (1 if arguments.quick else 5)
    arguments.seconds = arguments.seconds or (2.0 if arguments.quick else 5.0)
    arguments.only = [name for name in arguments.only.split(",") if name]
    for name in arguments.only:
        if name not in proxies:
            parser.error(f"no proxy {name!r}; there are: {', '.join(proxies)}")
    pick_cores(parser, arguments)


def pick_cores(parser, arguments):
    cores = sorted(os.sched_getaffinity(0))
    if arguments.load_core is None:
        arguments.load_core = cores[0]
    if arguments.proxy_core is None:
        arguments.proxy_core = cores[-1]
    if arguments.load_core == arguments.proxy_core:
        parser.error("the proxy and the load need a core each")


def machine(arguments, proxies):
    with open("/proc/cpuinfo") as file:
        models = [line.partition(":")[2].strip() for line in file if line.startswith("model name")]
    return {
        "time": time.strftime("%Y-%m-%dT%H:%M:%S%z"), "cpu": models[0] if models else platform.machine(),
        "cores": os.cpu_count(), "kernel": platform.release(), "proxy_core": arguments.proxy_core,
        "load_core": arguments.load_core, "rounds": arguments.rounds, "seconds": arguments.seconds,
        "load_average": os.getloadavg()[0], "versions": {name: p.version() for name, p in proxies.items()}}


def introduce(arguments, facts):
    """Says what is measured, where and how."""
    versions = ", ".join(f"{name} {version}" for name, version in facts["versions"].items())
    print(f"{versions}\n{facts['cpu']}, {facts['cores']} cores, Linux {facts['kernel']}; proxy on core "
          f"{facts['proxy_core']}, load and origin on core {facts['load_core']}\n"
          f"median of {arguments.rounds} rounds of {arguments.seconds:g} s; load average {facts['load_average']:.2f}\n")


def measure_scenario(bench, scenario, proxies, arguments, runs):
    subjects = [(proxy, variant) for proxy in proxies.values() for variant in scenario.variants
                if proxy.name not in scenario.without and (proxy.name == "sluice" or not scenario.sluice_only)]
    rounds = 1 if scenario.once else arguments.rounds
    for number in range(rounds):
        # Each round begins with another one, so that no proxy always comes first.
        turn = number % len(subjects)
        for proxy, variant in subjects[turn:] + subjects[:turn]:
            progress(f"{scenario.name} round {number + 1}/{rounds}: {proxy.name} {variant.label}")
            result = bench.measure(scenario, proxy, variant, arguments.seconds)
            runs.append({"scenario": scenario.name, "proxy": proxy.name, "variant": variant.label,
                         "round": number + 1, **result})
    progress("")


def progress(text):
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)


def write_results(name, result):
    """Writes bench/results/NAME.json; returns its path."""
    folder = os.path.join(BENCH, "results")
    os.makedirs(folder, exist_ok=True)
    path = os.path.join(folder, f"{name}.json")
    with open(path, "w") as file:
        json.dump(result, file, indent=1)
    return path
