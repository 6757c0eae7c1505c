"""What is asked of the proxies."""

from dataclasses import dataclass, field, replace

from .proxies import Job

MIB = 1 << 20

# What a small request carries in every scenario.
SMALL_FIELDS = ("Host: 127.0.0.1", "User-Agent: loadgen", "Accept: */*")
# Ten fields, as a browser might send them.
TEN_FIELDS = (
    "Host: 127.0.0.1", "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "Accept-Language: en-GB,en;q=0.5",
    "Accept-Encoding: gzip, deflate, br", "Cookie: session=0123456789abcdef0123456789abcdef",
    "Referer: http://127.0.0.1/index.html", "Cache-Control: no-cache", "Pragma: no-cache", "Sec-Fetch-Mode: navigate")


@dataclass(frozen=True)
class Load:
    """What the load generator sends."""

    target: str = "/"
    method: str = "GET"
    fields: tuple = SMALL_FIELDS
    connections: int = 64
    body: int = 0
    expect: int = 13
    reconnect: bool = False

    def arguments(self, port, seconds):
        options = ["-p", port, "-s", seconds, "-c", self.connections, "-m", self.method, "-t", self.target,
                   "-b", self.body, "-e", self.expect, *(["-r"] if self.reconnect else [])]
        return [*map(str, options), "--", *self.fields]


@dataclass(frozen=True)
class Variant:
    """One job of a scenario; most scenarios have a single one."""

    label: str
    job: Job
    load: Load


@dataclass(frozen=True)
class Scenario:
    name: str
    title: str
    variants: tuple
    kind: str = "load"          # or "idle_connections", "idle_process"
    sluice_only: bool = False
    per_gib: bool = False       # also print CPU per GiB of bodies
    # (measure, peer, at most): what the ratio Sluice / peer is held to
    bars: tuple = field(default=())
    # (name, key, at most): what Sluice's own figure is held to; keys as in report.OWN
    limits: tuple = field(default=())


def one(load=Load(), **job):
    return (Variant("", Job(**{"connections": load.connections, "in_flight": load.connections, **job}), load),)


def chain(filters):
    return Variant(f"{filters} filter{'s' * (filters > 1)}", Job(filters=filters), Load())


def table(routes):
    return Variant(f"{routes} routes", Job(routes=routes), Load(target=f"/{routes - 1:05}/x"))


BULK_BARS = (("cpu", "nginx", 1.0), ("cpu", "haproxy", 1.0))

SCENARIOS = (
    Scenario("small_get", "small GET, 64 keep-alive connections", one(), bars=(
        ("cpu", "nginx", 0.85), ("cpu", "haproxy", 0.85), ("cpu", "envoy", 0.30), ("user", "nginx", 0.6))),
    Scenario("forwarded_get", "small GET, with x-forwarded-for, x-forwarded-proto and x-request-id added",
             one(forwarded=True)),
    Scenario("headers_10", "GET with 10 header fields each way",
             one(Load(target="/headers/10", fields=TEN_FIELDS))),
    Scenario("post_1k", "POST of 1 KiB", one(Load(method="POST", body=1024))),
    Scenario("response_64k", "GET of 64 KiB, 32 connections",
             one(Load(target=f"/bytes/{64 << 10}", expect=64 << 10, connections=32)), per_gib=True),
    Scenario("response_1m", "GET of 1 MiB, 16 connections",
             one(Load(target=f"/bytes/{MIB}", expect=MIB, connections=16)), per_gib=True, bars=BULK_BARS),
    Scenario("upload_1m", "POST of 1 MiB, 16 connections",
             one(Load(method="POST", body=MIB, connections=16)), per_gib=True, bars=BULK_BARS),
    Scenario("connections_1000", "small GET, 1,000 keep-alive connections", one(Load(connections=1000))),
    Scenario("new_connection", "small GET, a new client connection for every request", one(Load(reconnect=True))),
    Scenario("idle_connections", "idle keep-alive connections, each of which has served one request",
             one(Load(connections=10_000), in_flight=64), kind="idle_connections",
             limits=(("bytes per connection", "bytes_per_connection", 3 * 1024),)),
    Scenario("idle_process", "a process with one listener and one cluster, from its start", one(),
             kind="idle_process", limits=(("PSS MiB", "pss_mib", 10), ("start ms", "start_ms", 100))),
    Scenario("chain", "small GET through pass-through filters", (chain(1), chain(5), chain(10)), sluice_only=True,
             limits=(("user ns of one more filter", "filter_ns", 60),)),
    Scenario("routes", "small GET, the last of so many routes", (table(10), table(10_000)), sluice_only=True,
             limits=(("user time, 10,000 to 10", "routes_ratio", 1.5),)),
)


def select(names, idle_connections):
    """The named scenarios (all when none is named), with that many idle connections."""
    known = {scenario.name: scenario for scenario in SCENARIOS}
    for name in names:
        if name not in known:
            raise SystemExit(f"no scenario {name!r}; there are: {', '.join(known)}")
    chosen = [known[name] for name in names] or list(SCENARIOS)
    return [with_connections(s, idle_connections) if s.kind == "idle_connections" else s for s in chosen]


def with_connections(scenario, count):
    load = replace(scenario.variants[0].load, connections=count)
    return replace(scenario, title=f"{count:,} {scenario.title}", variants=one(load, in_flight=64))
