"""What Prometheus reads: its parser takes it, its linter has nothing to say, and it is what the other formats say."""
import shutil
import subprocess
import threading

import pytest
from prometheus_client.parser import text_string_to_metric_families

from admin import PROTECTED, ask, expect, text
from client import Client, encode, get
from configs import cluster, http_proxy
from flow import wait_until
from origin import answer


def families(proxy, query=""):
    """The families of a scrape; each only once, as the format demands."""
    body = text(proxy, f"/stats/prometheus{query}")
    found = list(text_string_to_metric_families(body))
    names = [line.split()[2] for line in body.splitlines() if line.startswith("# TYPE ")]
    assert len(names) == len(set(names)) == len(found)
    return {family.name: family for family in found}


def samples(proxy, query=""):
    """Values by name and labels."""
    found = {}
    for family in families(proxy, query).values():
        for sample in family.samples:
            key = (sample.name, *sorted(sample.labels.items()))
            assert key not in found, f"twice: {key}"
            found[key] = sample.value
    return found


def value(proxy, name, **labels):
    return samples(proxy).get((name, *sorted(labels.items())))


def wait_value(proxy, wanted, name, **labels):
    wait_until(lambda: value(proxy, name, **labels) == wanted,
               what=f"{name} {labels} is {value(proxy, name, **labels)}, not {wanted}")


def config(*endpoints, filters=("stats",), **more):
    return http_proxy(*endpoints, filters=filters, **{"admin": PROTECTED, "workers": 1, **more})


def busy(sluice, origin, refused, certificates):
    """A proxy of which as much as possible was used once."""
    def script(peer):
        while request := peer.read_request():
            peer.send(answer(b"x" * 300, f"{request.target[1:] or 200} X"))

    app = origin(script)
    checks = {"http": {"path": "/200"}, "interval": "20ms", "no_traffic_interval": "20ms", "timeout": "1s"}
    retry = {"retry": {"on": ["5xx"], "attempts": 1, "backoff": {"base": "1ms", "max": "1ms"}}}
    settings = config(
        app.endpoint, upstream={"health_checks": checks, "outlier_detection": {"consecutive_5xx": 3}, "max_requests": 9},
        filters=["stats", "count", {"rate_limit": {"rules": [{"requests": 1000, "per": "1s"}]}},
                 {"circuit_breaker": {"max_requests": 50}}, retry],
        clusters={"down": cluster(refused)},
        routes=[{"name": "down", "match": {"path": "/down"}, "to": "down"},
                {"name": "here", "match": {"path": "/here"}, "respond": 204}, {"name": "all", "to": "app"}],
        listener={"filter_times": True})
    chain = settings["listeners"]["inbound"]["chain"]
    tls = {"certificate": str(certificates / "server.crt"), "key": str(certificates / "server.key")}
    settings["listeners"]["secure"] = {"bind": "127.0.0.1:0", "chain": [{"tls": tls}, *chain]}
    settings["listeners"]["inbound"]["chain"] = [chain[0], *chain[1:]]
    proxy = sluice(settings)
    for path in ["/200", "/201", "/301", "/404", "/503", "/here", "/down"]:
        get(proxy.address(), path)
    with Client(proxy.address("secure")) as client:
        client.send(encode())
        client.read_response()
    with Client(proxy.address()) as client:
        client.send(b"nonsense\r\n\r\n")
        client.read_response()
    done = subprocess.run(["curl", "-sk", "https://%s:%d/200" % proxy.address("secure")], capture_output=True)
    assert done.returncode == 0
    proxy.reload({**settings, "nonsense": 1}, expect="config refused")
    expect(proxy, {"http.inbound.downstream_rq_total": 8, "listener.secure.ssl.handshake": 1,
                   "http.inbound.downstream_cx_active": 0})
    return proxy


def test_its_parser_takes_it_and_its_linter_has_nothing_to_say(sluice, origin, refused, certificates):
    proxy = busy(sluice, origin, refused, certificates)
    found = families(proxy)
    assert all(family.documentation.endswith(".") for family in found.values()), [
        name for name, family in found.items() if not family.documentation.endswith(".")]
    assert {"sluice_http_downstream_rq_xx", "sluice_cluster_upstream_rq_xx", "http_server_request_duration_seconds",
            "http_client_request_duration_seconds", "sluice_faults", "sluice_filter_duration_seconds",
            "sluice_listener_ssl_versions", "process_cpu_seconds", "process_resident_memory_bytes"} <= set(found)
    if not shutil.which("promtool"):
        pytest.skip("there is no promtool")
    body = text(proxy, "/stats/prometheus")
    done = subprocess.run(["promtool", "check", "metrics"], input=body, capture_output=True, text=True)
    assert done.returncode == 0 and not done.stdout + done.stderr, done.stdout + done.stderr


def test_content_type(sluice, origin):
    response = ask(sluice(config(origin().endpoint)), "/stats/prometheus")
    assert response.get("content-type") == "text/plain; version=0.0.4; charset=utf-8"


def test_a_histogram_has_rising_buckets_and_counts_every_request(sluice, origin):
    proxy = sluice(config(origin().endpoint))
    for _ in range(7):
        get(proxy.address())
    labels = {"filter": "stats", "listener": "inbound", "http_request_method": "GET", "http_response_status_code": "200",
              "http_route": "all", "url_scheme": "http", "network_protocol_version": "1.1"}
    name = "http_server_request_duration_seconds"
    wait_value(proxy, 7, name + "_count", **labels)
    all_of_it = samples(proxy)
    assert 0 < all_of_it[(name + "_sum", *sorted(labels.items()))] < 5
    family = families(proxy)[name]
    buckets = [(float(one.labels["le"]), one.value) for one in family.samples if one.name.endswith("_bucket")]
    assert buckets == sorted(buckets) and [count for _, count in buckets] == sorted(count for _, count in buckets)
    assert buckets[-1] == (float("inf"), 7)
    bounds = [bound for bound, _ in buckets]
    assert {0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10} <= set(bounds)


def test_sizes_of_bodies(sluice, origin):
    proxy = sluice(config(origin(lambda peer: [peer.send(answer(b"x" * 500)) for _ in iter(peer.read_request, None)])
                          .endpoint))
    get(proxy.address(), method="POST", body=b"y" * 40)
    get(proxy.address())
    labels = {"filter": "stats", "listener": "inbound"}
    wait_value(proxy, 2, "http_server_request_body_size_bytes_count", **labels)
    assert value(proxy, "http_server_request_body_size_bytes_sum", **labels) == 40
    assert value(proxy, "http_server_response_body_size_bytes_sum", **labels) == 1000


def test_labels_are_bounded(sluice, origin):
    script = lambda peer: [peer.send(answer(b"", f"{one.target[1:]} X")) for one in iter(peer.read_request, None)]  # noqa: E731
    proxy = sluice(config(origin(script).endpoint, filters=[{"stats": {"labels": ["status"], "max_series": 3}}]))
    with Client(proxy.address()) as client:
        for status in [200, 201, 202, 203, 206, 403, 200]:
            assert client.request(target=f"/{status}").status == status
    name = "http_server_request_duration_seconds_count"
    labels = {"filter": "stats", "listener": "inbound"}
    wait_value(proxy, 3, name, otel_metric_overflow="true", **labels)
    assert value(proxy, name, http_response_status_code="200", **labels) == 2
    series = [key for key in samples(proxy) if key[0] == name]
    assert len(series) == 4


def test_methods_that_nobody_knows_are_one_series(sluice, origin):
    proxy = sluice(config(origin().endpoint, filters=[{"stats": {"labels": ["method"]}}]))
    for method in ["GET", "BREW", "SPILL", "M-SEARCH"]:
        assert get(proxy.address(), method=method).status == 200
    labels = {"filter": "stats", "listener": "inbound"}
    wait_value(proxy, 3, "http_server_request_duration_seconds_count", http_request_method="_OTHER", **labels)
    assert len([key for key in samples(proxy) if key[0].endswith("request_duration_seconds_count")
                and key[0].startswith("http_server")]) == 2


def test_what_nobody_uses_costs_no_series(sluice, origin):
    names = {f"c{number}": cluster("127.0.0.1:1") for number in range(50)}
    routes = [{"match": {"path": f"/{name}"}, "to": name} for name in names]
    proxy = sluice(config(origin().endpoint, clusters=names, routes=[*routes, {"to": "app"}], filters=[]))
    get(proxy.address())
    expect(proxy, {"cluster.app.upstream_rq_completed": 1})
    idle = [key for key in samples(proxy) if ("cluster", "c7") in key]
    assert len(idle) <= 8, idle
    assert not [key for key in idle if "endpoint" in dict(key[1:])]


def test_names_may_hold_anything(sluice, origin):
    name = 'a"b\\c\nd<script>{e="f"} é'
    settings = config(origin().endpoint, filters=[{"stats": {}}], routes=[{"name": name, "to": "app"}])
    settings["clusters"][name] = settings["clusters"].pop("app")
    settings["listeners"]["inbound"]["chain"][-1]["router"]["routes"][0]["to"] = name
    proxy = sluice(settings)
    get(proxy.address())
    wait_value(proxy, 1, "sluice_cluster_upstream_rq_total", cluster=name)
    assert any(("http_route", name) in key for key in samples(proxy))


def test_times_of_filters(sluice, origin):
    delay = {"fault": {"delay": {"fixed": "30ms"}}}
    proxy = sluice(config(origin().endpoint, filters=[delay, "stats"], listener={"filter_times": True}))
    for _ in range(3):
        get(proxy.address())
    labels = {"listener": "inbound", "direction": "request"}
    wait_value(proxy, 3, "sluice_filter_duration_seconds_count", filter="fault", **labels)
    total = value(proxy, "sluice_filter_duration_seconds_sum", filter="fault", **labels)
    assert 0.09 <= total < 5
    assert value(proxy, "sluice_filter_duration_seconds_sum", filter="router", **labels) < 0.09
    off = sluice(config(origin().endpoint))
    get(off.address())
    assert "sluice_filter_duration_seconds" not in families(off)


def test_faults_by_their_reason(sluice, refused):
    proxy = sluice(config(refused))
    for _ in range(2):
        assert get(proxy.address()).status == 503
    found = {dict(key[1:])["reason"]: number for key, number in samples(proxy).items() if key[0] == "sluice_faults_total"}
    assert list(found.values()) == [2], found


def test_scrapes_while_requests_run_never_go_backwards(sluice, origin):
    proxy = sluice(config(origin().endpoint, workers=2))
    stop = threading.Event()

    def ask():
        with Client(proxy.address()) as client:
            while not stop.is_set():
                assert client.request().status == 200

    threads = [threading.Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        before = {}
        for _ in range(20):
            now = samples(proxy)
            for key, number in before.items():
                if key[0].endswith(("_total", "_count", "_sum", "_bucket")):
                    assert now[key] >= number, key
            before = now
    finally:
        stop.set()
        for thread in threads:
            thread.join()
