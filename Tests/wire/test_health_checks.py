"""Active health checks: who is asked what and how often, what makes an endpoint bad and good, and who notices."""
import collections
import ssl
import threading
import time

import pytest

from bank import response_rows
from certificates import server
from client import get
from configs import cluster, http_proxy, tcp_proxy
from flow import wait_until
from load import Load
from nameserver import NameServer
from origin import OK, Origin, answer, chunked
from test_tls import files, secure  # noqa: F401

UNWELL = answer(b"no", "503 Service Unavailable")
PATH = "/healthz"


class App:
    """An origin that counts checks apart from other requests, and answers them as a test says.

    `health` is what a check is answered: bytes, or a function that gets the peer and ends the connection's script by
    returning False.
    """

    def __init__(self, name, health=OK, tls=None, **where):
        self.name, self.health, self.tls = name, health, tls
        self.origin = Origin(self.script, **where)
        self.endpoint = self.origin.endpoint

    def script(self, peer):
        if self.tls:
            peer.socket = self.tls.wrap_socket(peer.socket, server_side=True)
        while request := peer.read_request():
            if request.target != PATH:
                if not peer.send(answer(self.name.encode(), self.status, self.headers)):
                    return
            elif callable(self.health):
                if self.health(peer) is False:
                    return
            elif not peer.send(self.health):
                return

    status, headers = "200 OK", ()

    @property
    def checks(self):
        return [request for request in list(self.origin.requests) if request.target == PATH]

    @property
    def served(self):
        return sum(request.target != PATH for request in list(self.origin.requests))

    def wait_first(self):
        """Waits for the first check."""
        self.origin.wait_for(lambda _: self.checks, what=f"{self.name} was not asked")

    def wait_checks(self, more, seconds=10.0):
        """Waits for so many further checks."""
        enough = len(self.checks) + more
        self.origin.wait_for(lambda _: len(self.checks) >= enough, seconds, f"{self.name} was not asked")


@pytest.fixture
def apps():
    """Starts origins: `a, b = apps(2)`."""
    running = []

    def start(count, **how):
        made = [App(chr(ord("a") + len(running) + number), **how) for number in range(count)]
        running.extend(made)
        return made if count > 1 else made[0]

    yield start
    for one in running:
        one.origin.stop()


def check(http=True, **settings):
    """The settings of a cluster with one check that is quick."""
    kind = {"http": {"path": PATH, **(http if isinstance(http, dict) else {})}} if http else {}
    return {"health_checks": [{**kind, "interval": "20ms", "timeout": "5s", **settings}]}


def config(*endpoints, workers=1, log=None, top=None, **upstream):
    return http_proxy(*endpoints, upstream=upstream, workers=workers, log={"level": "info", **(log or {})}, **(top or {}))


def who(address, count=12):
    """How often each origin answered, and other statuses."""
    def one():
        response = get(address)
        return response.body.decode() if response.status == 200 else response.status
    return collections.Counter(one() for _ in range(count))


# MARK: Bad and good again

def test_an_endpoint_that_answers_503_gets_no_requests_until_it_has_passed_twice(sluice, apps):
    a, b = apps(2)
    proxy = sluice(config(a.endpoint, b.endpoint, **check()))
    b.wait_first()
    assert set(who(proxy.address())) == {"a", "b"}
    b.health = UNWELL
    told = proxy.wait_log("endpoint became unhealthy", cluster="app", endpoint=b.endpoint, check=f"http {PATH}")
    assert told["cause"] == "status 503" and told["failures"] == "1" and told["level"] == "warning"
    before = b.served
    assert who(proxy.address()) == {"a": 12} and b.served == before
    turns = iter([OK, UNWELL])

    # One success and one failure in turns are no recovery.
    def flap(peer):
        return peer.send(next(turns, OK))
    mark, seen = proxy.mark(), len(b.checks)
    b.health = flap
    proxy.wait_log("endpoint became healthy", since=mark, endpoint=b.endpoint)
    assert len(b.checks) - seen >= 4
    assert set(who(proxy.address())) == {"a", "b"}


def vanish(peer):
    peer.reset()
    return False


def stall(peer):
    peer.wait_end()
    return False


def endless(peer):
    """A status that says all, and a body that never ends."""
    peer.send(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 10\r\n\r\n12345")
    peer.wait_end()
    return False


@pytest.mark.parametrize("health, how, cause, failures", [
    (UNWELL, {}, "status 503", 1),
    (UNWELL, {"http": {"retriable_statuses": ["500-599"]}}, "status 503", 3),
    (answer(status="302 Found"), {"http": {"expected_statuses": ["200-299", 404]}}, "status 302", 1),
    (answer(b"good bye"), {"http": {"body": "ok"}}, "body", 1),
    (vanish, {}, "upstream.reset", 3),
    (stall, {"timeout": "250ms"}, "timeout", 3),
    (endless, {"timeout": "250ms"}, "status 503", 1),
    (b"SSH-2.0-OpenSSH_9.6\r\n", {}, None, 3),
    (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n", {"timeout": "250ms"}, "timeout", 3),
], ids=["status", "retriable", "range", "body", "reset", "stall", "endless", "garbage", "cut"])
def test_what_makes_an_endpoint_bad(sluice, apps, health, how, cause, failures):
    a, b = apps(2)
    proxy = sluice(config(a.endpoint, b.endpoint, **check(**how)))
    # OK is a good answer to all of them: the body has the text, the status is expected.
    b.wait_checks(2)
    b.health = health
    told = proxy.wait_log("endpoint became unhealthy", endpoint=b.endpoint)
    assert (cause is None or told["cause"] == cause) and told["failures"] == str(failures)
    assert who(proxy.address()) == {"a": 12}
    b.health = OK
    proxy.wait_log("endpoint became healthy", endpoint=b.endpoint)
    assert set(who(proxy.address())) == {"a", "b"}


def test_an_endpoint_that_refuses_is_bad_from_its_first_check_on(sluice, apps, refused):
    a = apps(1)
    proxy = sluice(config(a.endpoint, refused, **check()))
    told = proxy.wait_log("first check of an endpoint failed", endpoint=refused)
    assert told["cause"] == "upstream.connect_refused" and told["failures"] == "1"
    assert who(proxy.address()) == {"a": 12}


def test_one_success_is_enough_at_first(sluice, apps):
    """With a threshold that is never reached otherwise."""
    a = apps(1)
    proxy = sluice(config(a.endpoint, panic_threshold=0, **check(healthy_threshold=1000)))
    a.wait_checks(3)
    assert who(proxy.address()) == {"a": 12}
    assert not [entry for entry in proxy.log if "endpoint" in entry]


def test_all_bad_means_that_all_are_used(sluice, apps):
    a, b = apps(2, health=UNWELL)
    proxy = sluice(config(a.endpoint, b.endpoint, **check()))
    proxy.wait_log("too few endpoints are good, all are used", cluster="app")
    for one in (a, b):
        proxy.wait_log("first check of an endpoint failed", endpoint=one.endpoint)
    assert who(proxy.address()) == {"a": 6, "b": 6}


def test_without_panic_a_cluster_that_is_all_bad_answers_503(sluice, apps):
    a = apps(1, health=UNWELL)
    proxy = sluice(config(a.endpoint, panic_threshold=0, **check()))
    proxy.wait_log("first check of an endpoint failed")
    assert who(proxy.address(), 3) == {503: 3}
    a.health = OK
    proxy.wait_log("endpoint became healthy")
    assert who(proxy.address(), 3) == {"a": 3}


def test_an_endpoint_must_pass_all_checks(sluice, apps):
    a, b = apps(2)
    other = apps(1, health=UNWELL)
    port = other.origin.bound[1]
    checks = check()["health_checks"] + check(port=port)["health_checks"]
    proxy = sluice(config(a.endpoint, panic_threshold=0, health_checks=checks))
    told = proxy.wait_log("first check of an endpoint failed", endpoint=a.endpoint)
    assert told["check"] == f"http:{port} {PATH}"
    a.wait_checks(3)
    assert who(proxy.address(), 3) == {503: 3}
    other.health = OK
    proxy.wait_log("endpoint became healthy", endpoint=a.endpoint)
    assert who(proxy.address(), 3) == {"a": 3}
    assert not b.checks


def test_failures_that_change_nothing_are_told_on_demand(sluice, apps):
    a, b = apps(2)
    b.health = UNWELL
    proxy = sluice(config(a.endpoint, b.endpoint, **check(always_log_failures=True)))
    proxy.wait_log("first check of an endpoint failed", endpoint=b.endpoint)
    assert proxy.wait_log("health check failed", endpoint=b.endpoint)["cause"] == "status 503"
    proxy.wait_log("health check failed", endpoint=b.endpoint, failures="4")
    quiet = sluice(config(a.endpoint, b.endpoint, **check()))
    quiet.wait_log("first check of an endpoint failed")
    b.wait_checks(5)
    assert sum("check" in entry for entry in quiet.log) == 1


def test_flapping_under_load_loses_no_request(sluice, apps):
    a, b = apps(2)
    proxy = sluice(config(a.endpoint, b.endpoint, workers=2, **check(healthy_threshold=1)))
    b.wait_checks(2)
    with Load(proxy.address()) as load:
        for turn in range(10):
            mark = proxy.mark()
            b.health = OK if turn % 2 else UNWELL
            proxy.wait_log(f"endpoint became {'' if turn % 2 else 'un'}healthy", since=mark, endpoint=b.endpoint)
            load.wait_for(10)
    load.check()
    assert a.served and b.served


def test_an_answer_may_say_that_its_endpoint_must_not_be_used(sluice, apps):
    a, b = apps(2)
    proxy = sluice(config(a.endpoint, b.endpoint, **check(interval="1h")))
    a.wait_first()
    b.wait_first()
    b.headers = [("x-envoy-immediate-health-check-fail", "true")]
    who(proxy.address(), 2)
    told = proxy.wait_log("endpoint became unhealthy", endpoint=b.endpoint)
    assert told["cause"] == "x-envoy-immediate-health-check-fail"
    assert who(proxy.address()) == {"a": 12}


def test_an_endpoint_that_says_so_comes_back_by_its_checks(sluice, apps):
    a, b = apps(2)
    proxy = sluice(config(a.endpoint, b.endpoint, **check()))
    b.wait_first()
    b.headers = [("x-envoy-immediate-health-check-fail", "true")]
    who(proxy.address(), 2)
    proxy.wait_log("endpoint became unhealthy", endpoint=b.endpoint)
    b.headers = ()
    proxy.wait_log("endpoint became healthy", endpoint=b.endpoint)
    assert set(who(proxy.address())) == {"a", "b"}


def test_a_check_that_passes_brings_back_what_outlier_detection_put_aside(sluice, apps):
    a, b = apps(2)
    outliers = {"consecutive_5xx": 2, "base_ejection_time": "1h", "max_ejection_time": "1h"}
    proxy = sluice(config(a.endpoint, b.endpoint, outlier_detection=outliers, **check(interval="100ms")))
    b.wait_first()
    b.status = "500 Internal Server Error"
    wait_until(lambda: get(proxy.address()) and any(entry["message"] == "endpoint ejected" for entry in proxy.log))
    b.status = "200 OK"
    proxy.wait_log("endpoint returned", endpoint=b.endpoint)
    assert set(who(proxy.address())) == {"a", "b"}


# MARK: What is asked, and how often

def test_the_request_is_what_the_settings_say(sluice, apps):
    a = apps(1)
    settings = {"method": "POST", "host": "app.internal", "headers": {"X-Probe": "yes", "User-Agent": "me"}}
    sluice(config(a.endpoint, **check(http=settings)))
    a.wait_first()
    request = a.checks[0]
    assert (request.method, request.target) == ("POST", PATH)
    assert (request.get("host"), request.get("x-probe"), request.get("user-agent")) == ("app.internal", "yes", "me")


def test_a_check_in_short_and_its_host(sluice, apps, tmp_path):
    a, b = apps(1), apps(1, path=str(tmp_path / "b.sock"))
    sluice(config(a.endpoint, b.endpoint, health_checks={"http": PATH}))
    for one, host in ((a, a.endpoint), (b, "app")):
        one.wait_first()
        request = one.checks[0]
        assert (request.method, request.get("host")) == ("GET", host)
        assert request.get("user-agent") == "sluice-health-check"
        assert not request.has("x-forwarded-for") and not request.has("x-request-id")


def test_the_connection_is_kept_from_check_to_check(sluice, apps):
    a = apps(1)
    proxy = sluice(config(a.endpoint, **check()))
    a.wait_checks(10)
    assert len({request.peer for request in a.checks}) == 1
    # Nobody waits for it at the end, either.
    proxy.stop()


def test_each_check_may_have_a_connection_of_its_own(sluice, apps):
    a = apps(1)
    sluice(config(a.endpoint, **check(reuse_connection=False)))
    a.wait_checks(5)
    checks = a.checks
    assert len({request.peer for request in checks}) == len(checks)


def test_a_kept_connection_that_ends_says_nothing_of_the_endpoint(sluice, apps):
    """The upstream gives each connection one answer, and takes the next question before it ends."""
    a = apps(1)

    def once(peer):
        peer.send(OK)
        peer.read_request()
        peer.reset()
        return False
    a.health = once
    proxy = sluice(config(a.endpoint, panic_threshold=0, **check(unhealthy_threshold=1)))
    a.wait_checks(12)
    assert not [entry for entry in proxy.log if "check" in entry]


def test_no_more_of_a_body_is_read_than_64_kib(sluice, apps):
    a, b = apps(2)
    a.health = lambda peer: peer.send(chunked([b"x" * 1000] * 60 + [b"word"]))
    b.health = lambda peer: peer.send(chunked([b"x" * 1000] * 70 + [b"word"]))
    proxy = sluice(config(a.endpoint, b.endpoint, **check(http={"body": "word"})))
    told = proxy.wait_log("first check of an endpoint failed", endpoint=b.endpoint)
    assert told["cause"] == "body"
    a.wait_checks(2)
    assert who(proxy.address()) == {"a": 12}


def test_several_workers_ask_once(sluice, apps):
    a = apps(1)
    proxy = sluice(config(a.endpoint, workers=2, **check(interval="200ms")))
    a.wait_first()
    begin = time.monotonic()
    a.wait_checks(5)
    # Each check is an interval after the one before: from two askers five would have come in half the time.
    assert time.monotonic() - begin > 0.2 * 4.5
    assert who(proxy.address()) == {"a": 12}
    assert len({request.peer for request in a.checks}) == 1


def test_checks_wait_for_traffic_where_they_are_told_to(sluice, apps):
    a, clock = apps(2)
    settings = config(a.endpoint, **check(no_traffic_interval="1h"))
    settings["clusters"]["clock"] = cluster(clock.endpoint, **check())
    proxy = sluice(settings)
    a.wait_first()
    clock.wait_checks(10)
    assert len(a.checks) == 1
    assert get(proxy.address()).status == 200
    a.wait_checks(3)


def test_another_port_is_asked(sluice, apps):
    a, b = apps(2)
    proxy = sluice(config(a.endpoint, **check(port=b.origin.bound[1])))
    b.wait_checks(2)
    assert not a.checks and who(proxy.address()) == {"a": 12}
    assert b.checks[0].get("host") == b.endpoint


def test_a_check_counts_against_no_limit(sluice, apps):
    """While a check is under way, the one connection and the one request that the cluster may have are free."""
    a = apps(1)
    begun, go_on = threading.Event(), threading.Event()

    def slow(peer):
        begun.set()
        go_on.wait(10)
        return peer.send(OK)
    a.health = slow
    limits = {"max_connections": 1, "max_pending": 1, "max_requests": 1}
    proxy = sluice(config(a.endpoint, **check(), **limits))
    assert begun.wait(5)
    assert who(proxy.address()) == {"a": 12}
    go_on.set()


def test_no_answer_is_too_bad_for_the_next_check(sluice, apps):
    """Every answer of the bank of hostile ones, each as the answer to a check."""
    a = apps(1)
    rows = response_rows()

    def play(peer):
        if not rows:
            return peer.send(OK)
        for data in rows.pop(0).writes:
            peer.send(data)
        return False
    a.health = play
    proxy = sluice(config(a.endpoint, panic_threshold=0, **check(interval="10ms", always_log_failures=True)))
    a.origin.wait_for(lambda _: not rows, 30)
    a.wait_checks(3)
    assert not [entry for entry in proxy.log if entry.get("cause") == "timeout"]
    assert who(proxy.address()) == {"a": 12}


@pytest.mark.parametrize("call, errno, cause", [
    ("connect", "ENETUNREACH", "upstream.unreachable"), ("connect", "EMFILE", "upstream.no_descriptors"),
    ("send", "EPIPE", "upstream.reset"), ("recv", "ECONNRESET", "upstream.reset"),
])
def test_calls_that_fail_are_failures_of_the_check(sluice, apps, call, errno, cause):
    a = apps(1)
    proxy = sluice(config(a.endpoint, **check()), env={"SLUICE_FAULTS": f"{call}:1:{errno}"})
    assert proxy.wait_log("first check of an endpoint failed")["cause"] == cause
    proxy.wait_log("endpoint became healthy")
    assert who(proxy.address()) == {"a": 12}


# MARK: TCP

def pong(peer):
    peer.fill()
    peer.send(b"-- +PO")
    peer.send(b"NG 1 +PONG 2")
    peer.wait_end()


def greet(peer):
    peer.send(b"220 ready\r\n")
    peer.wait_end()


def hang_up(peer):
    peer.fill()


@pytest.mark.parametrize("script, settings, cause", [
    (pong, {"send": "PING\r\n", "receive": ["+PONG", "2"]}, None),
    (pong, {"send": {"hex": "50 49 4e47"}, "receive": "+PONG"}, None),
    (greet, {"receive": [{"hex": "323230"}]}, None),
    (greet, {}, None),
    (pong, {"send": "PING\r\n", "receive": ["2", "+PONG"]}, "timeout"),
    (hang_up, {"send": "PING\r\n", "receive": "+PONG"}, "upstream.closed"),
    (lambda peer: peer.send(b"x" * 70_000), {"receive": "y"}, "no match"),
], ids=["blocks", "hex", "greeting", "connect", "order", "closed", "flood"])
def test_an_endpoint_is_sent_bytes_and_sends_others(sluice, origin, script, settings, cause):
    one = origin(script)
    upstream = check(http=None, tcp=settings, timeout="200ms" if cause == "timeout" else "5s")
    proxy = sluice({**tcp_proxy(), "workers": 1, "clusters": {
        "app": {"endpoints": [one.endpoint], **upstream}}})
    one.wait_for(lambda o: len(o.peers) >= 4)
    failed = [entry for entry in proxy.log if "check" in entry]
    assert [entry["cause"] for entry in failed] == ([cause] if cause else [])
    if "send" in settings:
        assert bytes(one.peers[0].received).startswith(b"PING")


def test_nobody_there_is_a_failure_of_a_connection_only(sluice, origin, refused):
    one = origin(greet)
    proxy = sluice({**tcp_proxy(), "clusters": {
        "app": {"endpoints": [one.endpoint, refused], **check(http=None, tcp={})}}})
    assert proxy.wait_log("first check", endpoint=refused)["check"] == "tcp"


# MARK: TLS

def test_checks_go_through_the_cluster_s_tls(sluice, secure, files):
    one = secure()
    tls = {"ca": str(files / "ca.pem"), "server_name": "a.test"}
    proxy = sluice(config(one.endpoint, panic_threshold=0, chain=[{"tls": tls}], **check(http={"body": "secret"})))
    wait_until(lambda: one.peers)
    assert one.names == ["a.test"]
    assert get(proxy.address()).body == b"secret"


def test_a_secured_connection_is_kept_from_check_to_check(sluice, apps, files, tmp_path):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*server().write(tmp_path, "upstream"))
    a = apps(1, tls=context)
    tls = {"ca": str(files / "ca.pem"), "server_name": "a.test"}
    proxy = sluice(config(a.endpoint, panic_threshold=0, chain=[{"tls": tls}], **check()))
    a.wait_checks(10)
    assert len({request.peer for request in a.checks}) == 1
    assert who(proxy.address(), 3) == {"a": 3}


def test_an_endpoint_whose_certificate_is_not_trusted_fails_its_check(sluice, secure, files):
    one = secure(server())
    tls = {"ca": str(files / "ca.pem"), "server_name": "elsewhere.test"}
    proxy = sluice(config(one.endpoint, chain=[{"tls": tls}], **check()))
    assert proxy.wait_log("first check of an endpoint failed")["cause"].startswith("tls.")


def test_a_connection_is_enough_for_tcp_only_when_it_is_secured(sluice, secure, origin, files):
    good, plain = secure(), origin(greet)
    tls = {"ca": str(files / "ca.pem"), "server_name": "a.test"}
    proxy = sluice(config(good.endpoint, plain.endpoint, chain=[{"tls": tls}], **check(http=None, tcp={})))
    assert proxy.wait_log("first check", endpoint=plain.endpoint)["cause"].startswith("tls.")
    wait_until(lambda: len(good.peers) > 3)
    assert not [entry for entry in proxy.log if "check" in entry and entry["endpoint"] == good.endpoint]


# MARK: Endpoints that come, and reloads

def test_an_endpoint_that_comes_later_is_used_when_it_has_passed(sluice, apps):
    """That most are not good is no reason to panic, either: they have not shown yet that they serve."""
    a, b, c = apps(3)
    b.health = c.health = UNWELL
    proxy = sluice(config(a.endpoint, **check()))
    a.wait_first()
    proxy.reload(config(a.endpoint, b.endpoint, c.endpoint, **check()))
    assert who(proxy.address()) == {"a": 12}
    for one in (b, c):
        proxy.wait_log("first check of an endpoint failed", endpoint=one.endpoint)
    proxy.reload(config(a.endpoint, b.endpoint, c.endpoint, **check(timeout="4s")))
    assert who(proxy.address()) == {"a": 12} and not b.served and not c.served
    b.health = OK
    proxy.wait_log("endpoint became healthy", endpoint=b.endpoint)
    assert set(who(proxy.address())) == {"a", "b"}
    a.health = UNWELL
    proxy.wait_log("endpoint became unhealthy", endpoint=a.endpoint)
    assert who(proxy.address()) == {"b": 12}
    assert not [entry for entry in proxy.log if "priority" in entry]


def test_an_address_that_a_name_gets_is_used_when_it_has_passed(sluice, apps):
    for _ in range(20):
        a = apps(1, host="127.0.0.1")
        try:
            b = apps(1, host="127.0.0.2", port=a.origin.bound[1])
            break
        except OSError:
            continue
    begun, go_on = threading.Event(), threading.Event()

    def slow(peer):
        begun.set()
        go_on.wait(10)
        return peer.send(OK)
    b.health = slow
    names = NameServer({"app.test": ["127.0.0.1"]})
    try:
        endpoint = f"app.test:{a.origin.bound[1]}"
        settings = {**check(), "dns": {"refresh": "100ms", "family": "v4"}}
        proxy = sluice(config(endpoint, top=names.config, **settings))
        a.wait_first()
        assert a.checks[0].get("host") == endpoint
        names.names["app.test"] = ["127.0.0.1", "127.0.0.2"]
        assert begun.wait(10)
        assert who(proxy.address()) == {a.name: 12}
        go_on.set()
        proxy.wait_log("endpoint became healthy", endpoint=b.endpoint)
        assert set(who(proxy.address())) == {a.name, b.name}
    finally:
        go_on.set()
        names.stop()


@pytest.mark.parametrize("change", [
    {}, {"idle_timeout": "30s"}, check(healthy_threshold=5), check(http={"method": "HEAD"}),
], ids=["nothing", "the cluster", "the thresholds", "the check"])
def test_a_reload_keeps_what_is_known(sluice, apps, change):
    """Whether an endpoint is good does not change by a reload: a bad one is not tried out on requests."""
    a, b = apps(2)
    b.health = UNWELL
    proxy = sluice(config(a.endpoint, b.endpoint, **check()))
    proxy.wait_log("first check of an endpoint failed", endpoint=b.endpoint)
    mark, before = proxy.mark(), b.served
    proxy.reload(config(a.endpoint, b.endpoint, **{**check(), **change}))
    assert who(proxy.address()) == {"a": 12} and b.served == before
    b.wait_checks(2)
    assert not [entry for entry in proxy.log[mark:] if "check" in entry]


def test_checks_that_a_reload_takes_away_end_and_all_are_used_again(sluice, apps):
    a, b = apps(2)
    b.health = UNWELL
    proxy = sluice(config(a.endpoint, b.endpoint, **check()))
    proxy.wait_log("first check of an endpoint failed", endpoint=b.endpoint)
    proxy.reload(config(a.endpoint, b.endpoint))
    peers = {request.peer for request in a.checks + b.checks}
    wait_until(lambda: all(peer.ended for peer in peers), what="connections of checks are kept")
    assert set(who(proxy.address())) == {"a", "b"}
