"""Health checks over HTTP/2: by gRPC's own health service, and by requests."""
import grpc
import pytest

from calls import channel
from certificates import Authority
from configs import http_proxy
from flow import wait_until
from h2peer import H2Server
from healthy import Backend, Status
from sluice import run_cli

@pytest.fixture
def backend():
    running = []

    def start(*args, **kwargs):
        one = Backend(*args, **kwargs)
        running.append(one)
        return one

    yield start
    for one in running:
        one.stop()


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
    a, b = backend(), backend()
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
    one = backend()
    one.health.set("my.Service", Status.SERVING)
    proxy = sluice(config(one.endpoint, checks=check(grpc={"service": "my.Service", "authority": "own.test"})))
    wait_until(lambda: len(one.health.asked) > 10, what="nobody was asked")
    asked = list(one.health.asked)
    assert {service for service, _, _ in asked} == {"my.Service"}
    # One connection for all of them.
    assert len({peer for _, peer, _ in asked}) == 1
    assert asked[0][2]["user-agent"] == "sluice-health-check"
    ask(proxy, 2)


def test_a_connection_of_its_own_for_each_check(sluice, backend):
    one = backend()
    sluice(config(one.endpoint, checks=check(grpc={}, reuse_connection=False)))
    wait_until(lambda: len(one.health.asked) > 5, what="nobody was asked")
    peers = [peer for _, peer, _ in list(one.health.asked)]
    assert len(set(peers)) == len(peers)


@pytest.mark.parametrize("how, cause", [
    ("unknown service", "grpc-status 5"), ("no health service", "grpc-status 12"), ("unknown", "UNKNOWN"),
    ("service unknown", "SERVICE_UNKNOWN")])
def test_anything_but_serving_fails(sluice, backend, how, cause):
    one = backend(with_health=how != "no health service")
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
    one = backend()
    proxy = sluice(config(one.endpoint, checks=check(grpc={}, timeout="100ms")))
    wait_until(lambda: one.health.asked, what="nobody was asked")
    one.health.open.clear()
    proxy.wait_log("endpoint became unhealthy", endpoint=one.endpoint, cause="timeout")
    one.health.open.set()
    proxy.wait_log("endpoint became healthy", endpoint=one.endpoint)


def test_a_server_that_takes_leave_between_checks_has_not_failed(sluice, backend):
    one = backend(options=[("grpc.max_connection_age_ms", 100), ("grpc.max_connection_age_grace_ms", 100)])
    proxy = sluice(config(one.endpoint, checks=check(grpc={}, always_log_failures=True)))
    wait_until(lambda: len({peer for _, peer, _ in list(one.health.asked)}) > 5, what="no connection ended")
    assert not [entry for entry in proxy.log if "check" in entry.get("message", "")], proxy.log_text()
    ask(proxy, 3)


def test_over_tls(sluice, backend, tmp_path):
    authority = Authority()
    pair = authority.issue("app.test")
    (tmp_path / "ca.crt").write_bytes(authority.pem)
    one = backend(grpc.ssl_server_credentials([(pair.pem_key(), pair.crt)]))
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
    assert "a health check by gRPC needs HTTP/2" in done.stdout and "protocol: http2" in done.stdout
    assert "sluice.yaml:10:" in done.stdout, done.stdout


# MARK: Requests over HTTP/2

def test_requests_over_http2(sluice):
    answer = {"status": 200, "body": b"all is well"}
    one = H2Server(script=lambda connection, stream, head, body: connection.respond(stream, **answer))
    try:
        proxy = sluice(config(
            one.endpoint, checks=check(http={"path": "/healthz", "body": "well", "headers": {"x-a": "b"}})))
        wait_until(lambda: len(one.seen) > 5, what="nobody was asked")
        head = dict(one.seen[0][2])
        assert (head[":method"], head[":path"], head[":authority"]) == ("GET", "/healthz", one.endpoint)
        assert head["x-a"] == "b" and {number for number, *_ in one.seen} == {one.seen[0][0]}
        answer["status"] = 503
        told = proxy.wait_log("endpoint became unhealthy", endpoint=one.endpoint)
        assert told["cause"] == "status 503"
        answer["status"] = 200
        proxy.wait_log("endpoint became healthy", endpoint=one.endpoint)
        answer["body"] = b"something else"
        proxy.wait_log("endpoint became unhealthy", endpoint=one.endpoint, cause="body")
    finally:
        one.stop()
