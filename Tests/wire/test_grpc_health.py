"""Health checks over HTTP/2: by gRPC's own health service, and by requests."""
import threading

import grpc
import pytest
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from calls import Service, channel
from certificates import Authority
from configs import http_proxy
from flow import wait_until
from sluice import run_cli

Status = health_pb2.HealthCheckResponse


class Watched(health.HealthServicer):
    """The real health service, which counts what it is asked."""

    def __init__(self):
        super().__init__()
        self.asked = []

    def Check(self, request, context):
        self.asked.append((request.service, context.peer(), dict(context.invocation_metadata()), context.time_remaining()))
        return super().Check(request, context)


class Backend:
    """A service with its health."""

    def __init__(self, name, credentials=None, with_health=True, options=()):
        self.name, self.health = name, Watched()
        self.service = Service(credentials, options=options, before_start=self.register if with_health else None)
        self.endpoint = self.service.endpoint

    def register(self, server):
        health_pb2_grpc.add_HealthServicer_to_server(self.health, server)

    @property
    def served(self):
        return len(self.service.calls)


@pytest.fixture
def backend():
    running = []

    def start(*args, **kwargs):
        one = Backend(*args, **kwargs)
        running.append(one)
        return one

    yield start
    for one in running:
        one.service.stop()


def check(**settings):
    return {"interval": "20ms", "timeout": "5s", **settings}


def config(*endpoints, checks=None, **upstream):
    return http_proxy(*endpoints, workers=1, log={"level": "info"},
                      upstream={"http": {"protocol": "http2"}, "health_checks": [checks or check(grpc={})], **upstream})


def ask(proxy, count=12):
    with channel(proxy.address()) as made:
        for _ in range(count):
            assert made.unary(b"x", timeout=10) == b"x"


def test_an_endpoint_that_does_not_serve_gets_no_calls_until_it_does(sluice, backend):
    a, b = backend("a"), backend("b")
    proxy = sluice(config(a.endpoint, b.endpoint))
    wait_until(lambda: b.health.asked and a.health.asked, what="nobody was asked")
    ask(proxy)
    assert a.served and b.served
    b.health.set("", Status.NOT_SERVING)
    told = proxy.wait_log("endpoint became unhealthy", endpoint=b.endpoint, check="grpc")
    assert told["cause"] == "NOT_SERVING" and told["failures"] == "1"
    before = b.served
    ask(proxy)
    assert b.served == before
    b.health.set("", Status.SERVING)
    proxy.wait_log("endpoint became healthy", endpoint=b.endpoint)
    ask(proxy)
    assert b.served > before


def test_what_is_asked(sluice, backend):
    one = backend("a")
    one.health.set("my.Service", Status.SERVING)
    proxy = sluice(config(one.endpoint, checks=check(grpc={"service": "my.Service", "authority": "own.test"})))
    wait_until(lambda: len(one.health.asked) > 10, what="nobody was asked")
    asked = list(one.health.asked)
    assert {service for service, *_ in asked} == {"my.Service"}
    # One connection for all of them.
    assert len({peer for _, peer, *_ in asked}) == 1
    assert asked[0][2]["user-agent"] == "sluice-health-check" and 0 < asked[0][3] <= 5
    ask(proxy, 2)


def test_a_connection_of_its_own_for_each_check(sluice, backend):
    one = backend("a")
    sluice(config(one.endpoint, checks=check(grpc={}, reuse_connection=False)))
    wait_until(lambda: len(one.health.asked) > 5, what="nobody was asked")
    peers = [peer for _, peer, *_ in list(one.health.asked)]
    assert len(set(peers)) == len(peers)


@pytest.mark.parametrize("how, cause", [
    ("unknown service", "grpc-status 5"), ("no health service", "grpc-status 12"), ("unknown", "UNKNOWN"),
    ("service unknown", "SERVICE_UNKNOWN")])
def test_anything_but_serving_fails(sluice, backend, how, cause):
    one = backend("a", with_health=how != "no health service")
    service = "none" if how == "unknown service" else ""
    if how == "unknown":
        one.health.set("", Status.UNKNOWN)
    if how == "service unknown":
        one.health.set("", Status.SERVICE_UNKNOWN)
    proxy = sluice(config(one.endpoint, checks=check(grpc={"service": service})))
    told = proxy.wait_log("first check of an endpoint failed", endpoint=one.endpoint)
    assert told["cause"] == cause


def test_an_endpoint_that_is_no_grpc_server_fails(sluice, origin, refused):
    proxy = sluice(config(origin().endpoint, refused))
    proxy.wait_log("first check of an endpoint failed", endpoint=refused)
    proxy.wait_log("first check of an endpoint failed")


def test_a_check_that_is_not_answered_in_time(sluice, backend):
    one = backend("a")
    hold = threading.Event()
    answer = one.health.Check
    one.health.Check = lambda request, context: hold.wait(5) and answer(request, context)
    one.service.stop()
    one = Backend("b")
    real = one.health.Check
    try:
        proxy = sluice(config(one.endpoint, checks=check(grpc={"service": ""}, timeout="100ms")))
        wait_until(lambda: one.health.asked, what="nobody was asked")
        one.health._lock.acquire()
        try:
            proxy.wait_log("endpoint became unhealthy", endpoint=one.endpoint, cause="timeout")
        finally:
            one.health._lock.release()
        proxy.wait_log("endpoint became healthy", endpoint=one.endpoint)
    finally:
        one.service.stop()
    assert real


def test_a_server_that_takes_leave_between_checks_has_not_failed(sluice, backend):
    one = backend("a", options=[("grpc.max_connection_age_ms", 100), ("grpc.max_connection_age_grace_ms", 100)])
    proxy = sluice(config(one.endpoint, checks=check(grpc={}, always_log_failures=True)))
    wait_until(lambda: len({peer for _, peer, *_ in list(one.health.asked)}) > 5, what="no connection ended")
    assert not [entry for entry in proxy.log if "check" in entry.get("message", "")], proxy.log_text()
    ask(proxy, 3)


def test_over_tls(sluice, backend, tmp_path):
    authority = Authority()
    pair = authority.issue("app.test")
    (tmp_path / "ca.crt").write_bytes(authority.pem)
    one = backend("a", grpc.ssl_server_credentials([(pair.pem_key(), pair.crt)]))
    chain = [{"tls": {"server_name": "app.test", "ca": str(tmp_path / "ca.crt")}}]
    for protocol in ("http2", "auto"):
        before = len(one.health.asked)
        proxy = sluice(config(one.endpoint, http={"protocol": protocol}, chain=chain))
        wait_until(lambda: len(one.health.asked) > before + 3, what="nobody was asked")
        ask(proxy, 2)
        proxy.stop()


@pytest.mark.parametrize("http", [{}, {"protocol": "http1"}, {"protocol": "auto"}])
def test_a_cluster_that_does_not_speak_http2_is_refused(tmp_path, http):
    (tmp_path / "sluice.yaml").write_text(f"""
listeners:
  front: {{ bind: "127.0.0.1:0", chain: [ http, router: app ] }}
clusters:
  app:
    endpoints: 127.0.0.1:1
    http: {http or "{}"}
    health_checks:
      - tcp: {{}}
      - grpc: {{ service: a.B }}
""".replace("'", ""))
    done = run_cli("check", "-c", str(tmp_path / "sluice.yaml"))
    assert done.returncode != 0
    assert "a health check by gRPC needs HTTP/2" in done.stderr and "protocol: http2" in done.stderr
    assert "sluice.yaml:10:9" in done.stderr, done.stderr


# MARK: Requests over HTTP/2

class Web:
    """An h2 server that answers each request with what `status` says."""

    def __init__(self, peers):
        self.status, self.peers = 200, peers


def test_requests_over_http2(sluice, http2_origin):
    one = http2_origin()
    proxy = sluice(config(one.endpoint, checks=check(http={"path": "/healthz", "body": "well", "headers": {"x-a": "b"}})))
    one.body = b"all is well"
    one.wait(lambda: one.count("/healthz") > 5)
    head = next(head for head in one.requests if head[":path"] == "/healthz")
    assert head[":method"] == "GET" and head[":authority"] == one.endpoint and head["x-a"] == "b"
    assert one.connections == 1
    one.status = 503
    told = proxy.wait_log("endpoint became unhealthy", endpoint=one.endpoint)
    assert told["cause"] == "status 503"
    one.status = 200
    proxy.wait_log("endpoint became healthy", endpoint=one.endpoint)
    one.body = b"something else"
    assert proxy.wait_log("endpoint became unhealthy", endpoint=one.endpoint, cause="body")
