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
    tls: bool = False
    resume: bool = False   # with reconnect: takes up the session of the connection before
    any_answer: bool = False  # counts statuses and broken connections; otherwise they are errors
    plain: int = 0         # bytes of an answer before it is compressed; 0 where it is not
    most: int = 0          # requests after which it ends before its time; 0: no limit
    streams: int = 0       # over HTTP/2, by h2load, so many at once on each connection; 0: over HTTP/1

    def arguments(self, port, seconds):
        options = ["-p", port, "-s", seconds, "-c", self.connections, "-m", self.method, "-t", self.target,
                   "-b", self.body, "-e", self.expect, "-n", self.most, *(["-a"] if self.any_answer else []),
                   *(["-r"] if self.reconnect else []), *(["-R"] if self.resume else ["-S"] if self.tls else [])]
        return [*map(str, options), "--", *self.fields]

    def compressed_as_meant(self, result):
        """Whether answers were compressed, where they are to be."""
        return not self.plain or result["response_body_bytes"] < result["requests"] * self.plain / 2

    def shook_hands_as_meant(self, result):
        """Whether the handshakes were as many and of the kind that is to be measured."""
        if self.streams:
            return True
        full, resumed = result["full_handshakes"], result["resumed_handshakes"]
        if not self.tls:
            return full + resumed == 0
        wanted = result["requests"] if self.reconnect else self.connections
        # A connection's first handshake has nothing to resume.
        return full + resumed == wanted and (full <= self.connections if self.resume else resumed == 0)


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
    kind: str = "load"          # or "idle_connections", "h2_idle_connections", "idle_process", "parser"
    sluice_only: bool = False
    without: tuple = ()         # proxies that cannot do it
    once: bool = False          # not in each round: what it measures is the same each time
    per_gib: bool = False       # also print CPU per GiB of bodies
    # (measure, peer, at most): what the ratio Sluice / peer is held to
    bars: tuple = field(default=())
    # (name, key, at most): what Sluice's own figure is held to; keys as in report.OWN
    limits: tuple = field(default=())


def one(load=Load(), **job):
    job = {"connections": load.connections, "in_flight": load.connections * max(1, load.streams), "tls": load.tls,
           "h2": load.streams > 0, **job}
    return (Variant("", Job(**job), load),)


def chain(filters):
    return Variant(f"{filters} filter{'s' * (filters > 1)}", Job(filters=filters), Load())


def table(routes):
    return Variant(f"{routes} routes", Job(routes=routes), Load(target=f"/{routes - 1:05}/x"))


def telemetry(label, **job):
    return Variant(label, Job(filters=0, **job), Load())


def timed(label, on):
    return Variant(label, Job(filters=10, filter_times=on), Load())


def workers(count):
    load = Load(reconnect=True, tls=True)
    return Variant(f"{count} worker{'s' * (count > 1)}", Job(tls=True, workers=count), load)


def text(size, connections):
    fields = (*SMALL_FIELDS, "Accept-Encoding: gzip")
    return one(Load(target=f"/text/{size}", fields=fields, expect=-1, plain=size, connections=connections),
               gzip_level=1, filters=0)


GZIP_BARS = (("cpu", "nginx", 1.0),)
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
    Scenario("gzip_64k", "GET of 64 KiB of JSON, compressed at level 1, 16 connections", text(64 << 10, 16),
             per_gib=True, bars=GZIP_BARS),
    Scenario("gzip_1m", "GET of 1 MiB of JSON, compressed at level 1, 16 connections", text(MIB, 16), per_gib=True,
             bars=GZIP_BARS),
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
    Scenario("telemetry", "small GET through the router alone, with statistics, and with an access log as well", (
        telemetry("bare"), telemetry("stats", stats=True), telemetry("stats, access log", stats=True, access_log=True)),
             sluice_only=True, limits=(("user µs more", "telemetry_us", 0.6),)),
    Scenario("filter_times", "small GET through 10 filters, without and with a measure of each",
             (timed("off", False), timed("on", True)), sluice_only=True,
             limits=(("ns for each filter and direction", "timing_ns", 40),)),
    Scenario("scrape", "1,000 clusters, all of them in use, scraped while others make requests",
             (Variant("", Job(filters=0, clusters=1000), Load(connections=4)),), kind="scrape", sluice_only=True,
             limits=(("CPU ms of a scrape", "scrape_cpu_ms", 50), ("ms that a request waits longer", "delay_ms", 2))),
    Scenario("parser", "a browser's request through the parser, without sockets", one(), kind="parser",
             sluice_only=True, limits=(("ns per request", "parse_ns", 400),)),
    Scenario("tls_small_get", "small GET over TLS 1.3, 64 keep-alive connections", one(Load(tls=True)),
             bars=(("cpu", "nginx", 0.90),)),
    Scenario("tls_full_handshake", "small GET over TLS 1.3, a new connection with a full handshake for every request",
             one(Load(reconnect=True, tls=True)), bars=(("cpu", "nginx", 1.0),)),
    Scenario("tls_resumed_handshake", "small GET over TLS 1.3, a new connection with a resumed session for every request",
             one(Load(reconnect=True, tls=True, resume=True)), bars=(("cpu", "nginx", 1.0),)),
    Scenario("tls_response_1m", "GET of 1 MiB over TLS 1.3, 16 connections",
             one(Load(target=f"/bytes/{MIB}", expect=MIB, connections=16, tls=True)), per_gib=True,
             bars=(("cpu", "nginx", 1.0),)),
    Scenario("tls_two_workers", "small GET over TLS 1.3 with a full handshake for every request, by 1 and 2 workers",
             (workers(1), workers(2)), sluice_only=True,
             limits=(("CPU per handshake, 2 workers to 1", "workers_ratio", 1.15),)),
    Scenario("tls_idle_connections", "2,000 idle keep-alive connections over TLS 1.3, each of which has served one request",
             one(Load(connections=2_000, tls=True), in_flight=64), kind="idle_connections",
             limits=(("bytes per connection", "bytes_per_connection", 30 * 1024),)),
    Scenario("h2_small_get", "small GET over HTTP/2, 32 connections with 16 streams each, HTTP/1 to the origin",
             one(Load(connections=32, streams=16)), bars=(("cpu", "nginx", 0.71), ("cpu", "envoy", 0.40))),
    Scenario("h2_to_h2", "the same with HTTP/2 to the origin", one(Load(connections=32, streams=16), h2_upstream=True),
             without=("nginx",), bars=(("cpu", "envoy", 0.50),)),
    Scenario("h2_idle_connections", "2,000 idle connections over HTTP/2, each of which has served one request",
             one(Load(connections=2_000, streams=1), in_flight=64), kind="h2_idle_connections",
             limits=(("bytes per connection", "bytes_per_connection", 24 * 1024),)),
)


def select(names, idle_connections):
    """The named scenarios (all when none is named), with that many idle connections without TLS."""
    known = {scenario.name: scenario for scenario in SCENARIOS}
    for name in names:
        if name not in known:
            raise SystemExit(f"no scenario {name!r}; there are: {', '.join(known)}")
    chosen = [known[name] for name in names] or list(SCENARIOS)
    return [with_connections(s, idle_connections) if s.name == "idle_connections" else s for s in chosen]


def with_connections(scenario, count):
    load = replace(scenario.variants[0].load, connections=count)
    return replace(scenario, title=f"{count:,} {scenario.title}", variants=one(load, in_flight=64))
