"""The filter `circuit_breaker`: limits that hold to the request over all workers, and breakers that failures open."""
import json
import os
import re
import socket
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

import sluice as harness
from client import Client, encode, get
from configs import cluster, http_proxy
from flow import wait_until
from origin import OK, answer, chunked
from peek import wait_until_read
from sluice import run_cli
from test_allocations import COUNTED, RELEASE, REQUESTS, counted, counting_library  # noqa: F401

LOG = {"to": "stdout", "format": "%RESPONSE_FLAGS% %RESPONSE_CODE_DETAILS% (%REACHED_LIMIT%)"}
BROKEN = answer(b"broken", "500 Internal Server Error")


class Sight:
    """A script that holds every request until it is let through, and tells how many were there at once."""

    def __init__(self, response=OK):
        self.response = response
        self.now = self.most = self.seen = 0
        self._open = False
        self._change = threading.Condition()

    def script(self, peer):
        while peer.read_request():
            with self._change:
                self.now += 1
                self.seen += 1
                self.most = max(self.most, self.now)
                self._change.notify_all()
                assert self._change.wait_for(lambda: self._open, 20)
                self.now -= 1
            if not peer.send(self.response):
                return

    def wait_for(self, count):
        with self._change:
            assert self._change.wait_for(lambda: self.now >= count, 5), f"only {self.now} requests came"

    def open(self):
        with self._change:
            self._open = True
            self._change.notify_all()


class Health:
    """A script that answers as it is told, and counts requests."""

    def __init__(self, response=OK):
        self.response, self.seen = response, 0

    def script(self, peer):
        while peer.read_request():
            self.seen += 1
            if not peer.send(self.response):
                return


def proxy(*endpoints, breaker, **settings):
    return http_proxy(*endpoints, filters=[{"circuit_breaker": breaker}], **settings)


def statuses(address, count):
    return [get(address).status for _ in range(count)]


# MARK: Requests at once

def test_the_limit_holds_to_the_request_over_all_workers_and_all_of_it_is_used(sluice, origin):
    sight = Sight()
    one = sluice(proxy(origin(sight.script).endpoint, workers=2, breaker={"max_requests": 7}))
    clients = [Client(one.address()) for _ in range(24)]
    for client in clients:
        client.send(encode())
    sight.wait_for(7)
    refused = set()

    def look():
        for client in set(clients) - refused:
            client.socket.setblocking(False)
            try:
                if client.socket.recv(1, 2):
                    refused.add(client)
            except BlockingIOError:
                pass
        return len(refused) == 17
    wait_until(look)
    assert sight.seen == 7
    sight.open()
    for client in clients:
        client.socket.setblocking(True)
        response = client.read_response()
        assert response.status == (503 if client in refused else 200)
        # All places are free again, on the same connection.
        client.close()
    assert sight.most == 7
    assert statuses(one.address(), 10) == [200] * 10


def test_under_load_from_many_connections_the_origin_never_sees_more_than_the_limit(sluice, origin):
    lock, counts = threading.Lock(), {"now": 0, "most": 0}

    def script(peer):
        while peer.read_request():
            with lock:
                counts["now"] += 1
                counts["most"] = max(counts["most"], counts["now"])
            peer.origin.settle()
            with lock:
                counts["now"] -= 1
            if not peer.send(OK):
                return
    one = sluice(proxy(origin(script).endpoint, workers=2, breaker={
        "max_requests": 3, "on_open": "queue", "queue": {"max": 100, "timeout": "30s"}}))

    def client(_):
        with Client(one.address(), patience=30) as connection:
            return [connection.request().status for _ in range(40)]
    with ThreadPoolExecutor(24) as pool:
        results = [status for part in pool.map(client, range(24)) for status in part]
    assert results == [200] * (24 * 40)
    assert counts["most"] == 3


def test_a_refused_client_is_told_the_limit_and_the_log_too(sluice, origin):
    sight = Sight()
    one = sluice(proxy(origin(sight.script).endpoint, breaker={"max_requests": 1}, access_log=LOG))
    with Client(one.address()) as running:
        running.send(encode())
        sight.wait_for(1)
        response = get(one.address())
        assert response.status == 503 and response.body == b"max_requests (1) of cluster app is reached\n"
        assert response.get("x-envoy-overloaded") == "true" and response.get("retry-after") is None
        line = one.wait_stdout("^UO circuit_breaker.max_requests ")
        text, row = re.search(r"\((.*), set at .*sluice\.yaml:(\d+):\d+\)", line).groups()
        assert text == "max_requests (1) of cluster app is reached"
        assert '"max_requests": 1' in one.config_file.read_text().splitlines()[int(row) - 1]
        sight.open()
        assert running.read_response().status == 200


def test_clients_that_go_away_leave_no_place_taken(sluice, origin):
    sight = Sight()
    one = sluice(proxy(origin(sight.script).endpoint, workers=2, access_log=LOG, breaker={"max_requests": 4}))
    for number in range(3):
        clients = [Client(one.address()) for _ in range(4)]
        for client in clients:
            client.send(encode())
        wait_until(lambda: sight.seen == 4 * (number + 1))
        for client in clients:
            client.reset()
        # Its line is written when a request has ended.
        wait_until(lambda: sum("DC" in line for line in one.stdout.lines) == 4 * (number + 1))
    sight.open()
    assert statuses(one.address(), 5) == [200] * 5


# MARK: Waiting

QUEUE = {"max_requests": 1, "on_open": "queue", "queue": {"max": 2, "timeout": "20s"}}


def test_requests_wait_for_a_place_also_those_with_bodies(sluice, origin):
    sight = Sight()
    upstream = origin(sight.script)
    one = sluice(proxy(upstream.endpoint, workers=2, breaker=QUEUE))
    with Client(one.address()) as running, Client(one.address()) as second, Client(one.address()) as third:
        running.send(encode())
        sight.wait_for(1)
        second.send(encode("POST", body=b"x" * 10_000))
        third.send(encode("POST", body=b"y" * 100))
        assert wait_until_read(second.socket) and wait_until_read(third.socket)
        sight.open()
        assert [client.read_response().status for client in (running, second, third)] == [200] * 3
    assert sight.most == 1
    assert sorted(len(request.body) for request in upstream.requests) == [0, 100, 10_000]


def test_no_more_wait_than_are_allowed_to(sluice, origin):
    sight = Sight()
    one = sluice(proxy(origin(sight.script).endpoint, workers=2, access_log=LOG, breaker=QUEUE))
    clients = [Client(one.address()) for _ in range(9)]
    for client in clients:
        client.send(encode())
    wait_until(lambda: sum("UO circuit_breaker.queue_full" in line for line in one.stdout.lines) == 6)
    sight.open()
    responses = [client.read_response() for client in clients]
    assert sorted(response.status for response in responses) == [200] * 3 + [503] * 6
    assert {response.body for response in responses} == {b"ok", b"queue.max (2) of cluster app is reached\n"}
    for client in clients:
        client.close()
    assert sight.most == 1


def test_who_waits_for_too_long_is_refused(sluice, origin):
    sight = Sight()
    one = sluice(proxy(origin(sight.script).endpoint, breaker={
        "max_requests": 1, "on_open": "queue", "queue": {"timeout": "100ms"}}))
    with Client(one.address()) as running:
        running.send(encode())
        sight.wait_for(1)
        response = get(one.address())
        assert response.status == 503 and response.body == (
            b"max_requests (1) of cluster app is reached, and no place became free within queue.timeout (100ms)\n")
        sight.open()
        assert running.read_response().status == 200
    assert get(one.address()).status == 200


def test_a_whole_listener_may_wait(sluice, origin):
    sight = Sight()
    one = sluice(proxy(origin(sight.script).endpoint, workers=2, breaker={**QUEUE, "scope": "listener"}))
    with Client(one.address()) as running, Client(one.address()) as second:
        running.send(encode())
        sight.wait_for(1)
        second.send(encode("POST", body=b"x" * 1000))
        sight.open()
        assert running.read_response().status == 200 and second.read_response().status == 200
    assert sight.most == 1


# MARK: Failures

def test_failures_open_it_and_probes_close_it(sluice, origin):
    health = Health(BROKEN)
    one = sluice(proxy(origin(health.script).endpoint, workers=2, breaker={
        "errors": {"consecutive": 5, "open_for": "300ms", "probes": 2}}))
    assert statuses(one.address(), 5) == [500] * 5
    line = one.wait_log("circuit breaker opened")
    assert line["breaker"] == "cluster app" and line["why"] == "5 failures in a row" and line["for"] == "300ms"
    response = get(one.address())
    assert response.status == 503 and response.body == b"the circuit breaker of cluster app is open\n"
    assert response.get("x-envoy-overloaded") == "true" and response.get("retry-after") == "1"
    assert health.seen == 5
    health.response = OK
    wait_until(lambda: get(one.address()).status == 200)
    wait_until(lambda: get(one.address()).status == 200)
    one.wait_log("circuit breaker closed", breaker="cluster app")
    assert statuses(one.address(), 10) == [200] * 10


def test_an_upstream_that_refuses_connections_is_left_alone(sluice, refused):
    one = sluice(proxy(refused, breaker={"errors": {"consecutive": 3}}))
    bodies = [get(one.address()).body for _ in range(4)]
    assert bodies[:3] == [b"the upstream refused the connection\n"] * 3
    assert bodies[3] == b"the circuit breaker of cluster app is open\n"


def test_an_upstream_that_does_not_answer_in_time_is_left_alone(sluice, origin):
    sight = Sight()
    one = sluice(proxy(origin(sight.script).endpoint, route={"timeout": "50ms"}, breaker={"errors": {"consecutive": 2}}))
    assert statuses(one.address(), 3) == [504, 504, 503]
    sight.open()


def test_answers_that_break_off_open_it(sluice, origin):
    half = Health(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")

    def script(peer):
        if peer.read_request():
            peer.send(half.response)
    one = sluice(proxy(origin(script).endpoint, breaker={"errors": {"consecutive": 2}}))
    for _ in range(2):
        with Client(one.address()) as client:
            client.send(encode())
            assert client.read_response(partial=True).status == 200
    one.wait_log("circuit breaker opened")
    assert get(one.address()).status == 503


def test_calls_of_grpc_fail_by_their_trailers(sluice, origin):
    health = Health(chunked([b"x"], [("grpc-status", "14")], [("Content-Type", "application/grpc"),
                                                              ("Trailer", "grpc-status")]))
    one = sluice(proxy(origin(health.script).endpoint, breaker={"errors": {"consecutive": 2}}))
    assert statuses(one.address(), 3) == [200, 200, 503]


def test_what_other_filters_answer_opens_nothing(sluice):
    config = proxy(breaker={"errors": {"consecutive": 1}, "scope": "listener"},
                   routes=[{"respond": {"status": 500, "body": "no"}}])
    one = sluice(config)
    assert statuses(one.address(), 5) == [500] * 5


def test_an_open_breaker_stays_open_over_a_reload(sluice, origin):
    health = Health(BROKEN)
    endpoint = origin(health.script).endpoint
    one = sluice(proxy(endpoint, breaker={"errors": {"consecutive": 2, "open_for": "60s"}}))
    assert statuses(one.address(), 3) == [500, 500, 503]
    one.reload(proxy(endpoint, breaker={"errors": {"consecutive": 20, "open_for": "60s"}, "max_requests": 10}))
    assert statuses(one.address(), 3) == [503] * 3


# MARK: Scopes

def test_an_endpoint_that_fails_is_left_out(sluice, origin):
    good, bad = Health(), Health(BROKEN)
    one = sluice(proxy(origin(good.script).endpoint, origin(bad.script).endpoint, workers=1, breaker={
        "scope": "endpoint", "errors": {"consecutive": 2, "open_for": "60s"}}))
    results = statuses(one.address(), 20)
    assert results.count(500) == 2 and results.count(200) == 18 and bad.seen == 2


def test_where_all_endpoints_are_full_the_client_is_told(sluice, origin):
    sight = Sight()
    one = sluice(proxy(origin(sight.script).endpoint, origin(sight.script).endpoint, workers=2, breaker={
        "scope": "endpoint", "max_requests": 2}, access_log=LOG))
    clients = [Client(one.address()) for _ in range(4)]
    for count, client in enumerate(clients):
        client.send(encode())
        sight.wait_for(count + 1)
    response = get(one.address())
    assert response.status == 503 and response.body == b"max_requests (2) of each endpoint of cluster app is reached\n"
    assert response.get("x-envoy-overloaded") == "true"
    one.wait_stdout(r"^UO circuit_breaker.max_requests \(max_requests \(2\) of each endpoint of cluster app is reached")
    sight.open()
    for client in clients:
        assert client.read_response().status == 200
        client.close()
    assert statuses(one.address(), 6) == [200] * 6


def test_a_route_may_have_numbers_of_its_own_or_none(sluice, origin):
    bad = Health(BROKEN)
    routes = [
        {"name": "free", "match": {"prefix": "/free"}, "to": "bad", "filters": {"circuit_breaker": {"enabled": False}}},
        {"name": "strict", "match": {"prefix": "/strict"}, "to": "bad",
         "filters": {"circuit_breaker": {"errors": {"consecutive": 1}}}},
        {"name": "all", "to": "bad"},
    ]
    one = sluice(proxy(routes=routes, clusters={"bad": cluster(origin(bad.script).endpoint)}, breaker={
        "scope": "cluster", "errors": {"consecutive": 3}}))

    def ask(target, count):
        return [get(one.address(), target).status for _ in range(count)]
    assert ask("/free", 5) == [500] * 5
    assert ask("/strict", 2) == [500, 503]
    assert get(one.address(), "/strict").body == b"the circuit breaker of cluster bad on route strict is open\n"
    assert ask("/", 4) == [500, 500, 500, 503]
    assert ask("/free", 1) == [500]


def test_routes_break_apart_from_each_other(sluice, origin):
    def script(peer):
        while request := peer.read_request():
            peer.send(BROKEN if request.target == "/bad" else OK)
    endpoint = origin(script).endpoint
    routes = [{"name": "bad", "match": {"path": "/bad"}, "to": "app"}, {"name": "good", "to": "app"}]
    config = proxy(endpoint, routes=routes, breaker={"scope": "route", "errors": {"consecutive": 2}})
    one = sluice(config)
    assert [get(one.address(), "/bad").status for _ in range(3)] == [500, 500, 503]
    assert get(one.address(), "/bad").body == b"the circuit breaker of route bad is open\n"
    assert get(one.address(), "/good").status == 200


def test_a_filter_without_a_limit_is_refused_with_a_hint(tmp_path):
    file = tmp_path / "sluice.yaml"
    file.write_text(json.dumps(proxy("127.0.0.1:1", breaker={}), indent=1))
    done = run_cli("check", str(file))
    assert done.returncode == 1
    assert "there is no limit" in done.stdout and re.search(r"circuit_breaker: \{ max_requests: \d+ \}", done.stdout)


# MARK: Beside the limits of a cluster

@pytest.mark.parametrize("scope", ["cluster", "endpoint"])
@pytest.mark.parametrize("count", [1, 2])
def test_requests_that_wait_for_a_connection_get_one(sluice, origin, scope, count):
    sight = Sight()
    endpoints = [origin(sight.script).endpoint for _ in range(count)]
    one = sluice(proxy(*endpoints, workers=1, upstream={"max_connections": count}, breaker={
        "scope": scope, "max_requests": 10}))
    clients = [Client(one.address()) for _ in range(6)]
    for client in clients:
        client.send(encode())
    sight.wait_for(count)
    sight.open()
    for client in clients:
        assert client.read_response().status == 200
        client.close()
    assert sight.most == count


def test_requests_that_wait_for_a_connection_are_refused_where_their_only_endpoint_has_failed(sluice, origin):
    sight = Sight(BROKEN)
    one = sluice(proxy(origin(sight.script).endpoint, workers=1, upstream={"max_connections": 1}, breaker={
        "scope": "endpoint", "errors": {"consecutive": 1, "open_for": "60s"}}))
    clients = [Client(one.address()) for _ in range(4)]
    for client in clients:
        client.send(encode())
    sight.wait_for(1)
    for client in clients:
        assert wait_until_read(client.socket)
    sight.open()
    assert sorted(client.read_response().status for client in clients) == [500, 503, 503, 503]
    for client in clients:
        client.close()
    assert sight.seen == 1


# MARK: Beside retries

def with_retry(endpoint, breaker, retry, is_above):
    filters = [{"circuit_breaker": breaker}, {"retry": {"on": ["5xx"], "attempts": 2, "backoff": {"base": "1ms"}, **retry}}]
    return http_proxy(endpoint, filters=filters if is_above else filters[::-1], workers=1)


def test_below_retry_each_try_counts_and_its_refusal_is_the_answer(sluice, origin):
    health = Health(BROKEN)
    one = sluice(with_retry(origin(health.script).endpoint, {"errors": {"consecutive": 2}}, {}, is_above=False))
    response = get(one.address())
    assert response.status == 503 and response.body == b"the circuit breaker of cluster app is open\n"
    assert health.seen == 2


def test_above_retry_only_the_last_answer_counts(sluice, origin):
    health = Health(BROKEN)
    one = sluice(with_retry(origin(health.script).endpoint, {"errors": {"consecutive": 2}, "max_requests": 1}, {},
                            is_above=True))
    assert statuses(one.address(), 3) == [500, 500, 503]
    assert health.seen == 6


def test_below_retry_a_try_that_took_too_long_is_a_failure(sluice, origin):
    sight = Sight()
    one = sluice(with_retry(origin(sight.script).endpoint, {"errors": {"consecutive": 2}, "max_requests": 1},
                            {"per_try_timeout": "50ms"}, is_above=False))
    assert get(one.address()).body == b"the circuit breaker of cluster app is open\n"
    assert sight.seen == 2
    sight.open()


# MARK: What it costs

@pytest.mark.skipif(not os.access(RELEASE, os.X_OK), reason="counts the release build, which is not there")
@pytest.mark.parametrize("scope", ["listener", "route", "cluster", "endpoint"])
@pytest.mark.parametrize("is_refused", [False, True], ids=["passed", "refused"])
def test_what_a_request_allocates_passed_or_refused(scope, is_refused, sluice, origin, counting_library, tmp_path,
                                                    monkeypatch):
    monkeypatch.setattr(harness, "BINARY", RELEASE)
    counter_file = tmp_path / "count"
    upstream = origin(Health(BROKEN if is_refused else OK).script)
    one = sluice(proxy(upstream.endpoint, workers=1, breaker={
        "scope": scope, "max_requests": 10, "errors": {"consecutive": 1, "open_for": "60s"}}),
        env={"LD_PRELOAD": str(counting_library), "MALLOC_COUNT_FILE": str(counter_file)})
    assert get(one.address()).status == (500 if is_refused else 200)
    with socket.create_connection(one.address()) as connection:
        after, before = counted(connection, REQUESTS["get"], counter_file)
    assert (get(one.address()).status == 503) == is_refused
    # Where an endpoint is refused, the pool makes a list of those that it must not pick again.
    allowed = COUNTED * (1.01 if is_refused and scope == "endpoint" else 0.01)
    assert after - before <= allowed, f"{(after - before) / COUNTED:.3f} allocations a request"
