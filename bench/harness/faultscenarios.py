"""What bench/faults does to the proxies."""

from .faults import FaultVariant
from .guarded import GuardedJob
from .scenarios import Load, Scenario

ANY = Load(any_answer=True)


def fault(label, fault="", load=ANY, **job):
    job = {"connections": load.connections, "in_flight": load.connections, **job}
    return FaultVariant(label, GuardedJob(**job), load, fault)


BARE = fault("bare", load=Load())
GUARDED = fault("guarded", load=Load(), retry=True, limit=1024, breaker=True, outliers=True)
CROWD = Load(any_answer=True, connections=200)
CHAOS = Load(any_answer=True, connections=32)
SLOW = "all delay 20"

SCENARIOS = (
    Scenario("no_faults", "small GET; through the router alone, and with circuit breaker, retry and outlier detection",
             (BARE, GUARDED)),
    Scenario("instructions", "the same under callgrind: instructions of user space", (BARE, GUARDED),
             kind="instructions", sluice_only=True, once=True),
    Scenario("one_flaky", "one of three endpoints answers half of its requests with 503", (
        fault("retry", "3 fail 50", retry=True), fault("retry, outliers", "3 fail 50", retry=True, outliers=True)),
             kind="faulty"),
    Scenario("all_fail", "all endpoints answer everything with 503: what retries add",
             (fault("retry", "all fail 100", retry=True),), kind="faulty"),
    Scenario("rejected", "all endpoints refuse connections, and the proxy has noticed", (
        fault("", "all refuse", retry=True, limit=1024, breaker=True, window="1s", open_for="60s", outliers=True,
              ejected_percent=100, ejected_ms=300_000),), kind="rejects"),
    Scenario("limit", "at most 50 requests at once, 200 connections, 2 workers, answers after 20 ms",
             (fault("", SLOW, CROWD, limit=50, workers=2),), kind="faulty"),
    Scenario("cluster_limit", "the same by Sluice's cluster",
             (fault("", SLOW, CROWD, limit=50, by_cluster=True, workers=2),), kind="faulty", sluice_only=True),
    Scenario("breaking", "endpoints break and come back under load", (
        fault("", "", CHAOS, retry=True, limit=1024, breaker=True, window="1s", open_for="500ms", outliers=True,
              ejected_ms=500, checks=True, timeout_ms=1000, try_timeout_ms=250),), kind="breaking"),
)
