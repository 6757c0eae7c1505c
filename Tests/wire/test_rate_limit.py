"""The filter `rate_limit`: so many requests in so much time, exactly, over all workers and over reloads."""
import json
import os
import socket
from concurrent.futures import ThreadPoolExecutor

import pytest

import sluice as harness
from client import Client, get
from configs import http_proxy
from flow import wait_until
from sluice import run_cli
from test_allocations import COUNTED, RELEASE, REQUESTS, counted, counting_library  # noqa: F401

LOG = {"to": "stdout", "format": "%RESPONSE_CODE% %RESPONSE_FLAGS% %RESPONSE_CODE_DETAILS% %REACHED_LIMIT%"}


def proxy(*endpoints, limit, **settings):
    return http_proxy(*endpoints, filters=[{"rate_limit": limit}], **settings)


def statuses(address, count, *args, **kwargs):
    return [get(address, *args, **kwargs).status for _ in range(count)]


# MARK: The limit

def test_just_as_many_requests_pass_as_may_whichever_workers_they_come_to(sluice, origin):
    upstream = origin()
    one = sluice(proxy(upstream.endpoint, limit={"requests": 37, "per": "1h"}, workers=3))

    def ask(_):
        # Each connection goes to the worker that the kernel picks.
        with Client(one.address()) as client:
            return [client.request().status for _ in range(5)]
    with ThreadPoolExecutor(12) as pool:
        seen = [status for some in pool.map(ask, range(24)) for status in some]
    assert (seen.count(200), seen.count(429)) == (37, 120 - 37)
    assert len(upstream.requests) == 37


def test_tokens_grow_again_one_by_one(sluice, origin):
    one = sluice(proxy(origin().endpoint, limit={"requests": 5, "per": "500ms", "burst": 1}))
    with Client(one.address()) as client:
        for _ in range(3):
            wait_until(lambda: client.request().status == 200, what="no token came")
            assert client.request().status == 429


def test_buckets_are_kept_over_a_reload_unless_the_numbers_change(sluice, origin):
    endpoint = origin().endpoint
    limit = {"rules": [{"requests": 2, "per": "1h"}, {"requests": 90, "per": "1h", "by": "client_address"}]}
    one = sluice(proxy(endpoint, limit=limit))
    assert statuses(one.address(), 3) == [200, 200, 429]
    one.reload(proxy(endpoint, limit={**limit, "status": 420}))
    assert statuses(one.address(), 2) == [420, 420]
    limit["rules"][0]["requests"] = 3
    one.reload(proxy(endpoint, limit=limit))
    assert statuses(one.address(), 4) == [200, 200, 200, 429]


# MARK: What clients and operators are told

def test_clients_and_logs_are_told_which_limit_it_was(sluice, origin):
    one = sluice(proxy(origin().endpoint, limit={"requests": 2, "per": "1h"}, listener={"access_log": LOG}))
    with Client(one.address()) as client:
        assert not client.request().has("ratelimit-limit")
        client.request()
        response = client.request("POST", body=b"x" * 100_000)
        assert response.status == 429
        assert response.body == b"the limit of 2 requests in 60m for this listener is reached\n"
        told = {name: response.get(name) for name in [
            "retry-after", "ratelimit-limit", "ratelimit-remaining", "ratelimit-reset"]}
        assert told == {"retry-after": "1800", "ratelimit-limit": "2", "ratelimit-remaining": "0",
                        "ratelimit-reset": "3600"}
    line = one.wait_stdout("^429 ")
    limit = "the limit of 2 requests in 60m for this listener is reached, set at "
    assert line.startswith(f"429 RL rate_limit.over_limit {limit}")
    number = int(line.rsplit(":", 2)[1])
    assert '"requests": 2' in one.config_file.read_text().splitlines()[number - 1]


def test_a_connection_goes_on_after_a_refusal(sluice, origin):
    one = sluice(proxy(origin().endpoint, limit={"requests": 1, "per": "1h", "by": {"header": "x-key"}}))
    with Client(one.address()) as client:
        seen = [client.request(headers={"X-Key": key}).status for key in ["a", "a", "b", "a", "b", "c"]]
        assert seen == [200, 429, 200, 429, 429, 200]
        assert [client.request().status for _ in range(3)] == [200] * 3


def test_each_answer_tells_what_is_left_where_it_is_asked_to(sluice, origin):
    one = sluice(proxy(origin().endpoint, limit={
        "requests": 3, "per": "1h", "headers": "always", "header_prefix": "x-ratelimit"}))
    with Client(one.address()) as client:
        seen = [client.request() for _ in range(4)]
    assert [(response.status, response.get("x-ratelimit-remaining")) for response in seen] == [
        (200, "2"), (200, "1"), (200, "0"), (429, "0")]
    assert {response.get("x-ratelimit-limit") for response in seen} == {"3"}


def test_a_client_of_grpc_is_told_in_its_own_way(sluice, origin):
    one = sluice(proxy(origin().endpoint, limit={"requests": 1, "per": "1h"}))
    assert get(one.address()).status == 200
    response = get(one.address(), "/pkg.Service/Method", {"Content-Type": "application/grpc"}, method="POST")
    assert (response.status, response.get("grpc-status"), response.body) == (200, "14", b"")
    assert response.get("grpc-message") == "the limit of 1 request in 60m for this listener is reached"
    assert response.get("retry-after") == "3600"


# MARK: Whom it is for

def test_a_client_is_who_the_trusted_proxy_in_front_says_it_is(sluice, origin):
    one = sluice(proxy(origin().endpoint, http={"trusted_hops": 1}, limit={
        "requests": 1, "per": "1h", "by": "client_address"}))
    seen = [get(one.address(), headers={"X-Forwarded-For": address}).status for address in [
        "192.0.2.1", "192.0.2.2", "198.51.100.7, 192.0.2.1", "2001:db8::1", "2001:0DB8:0::2", "2001:db8:0:1::1"]]
    assert seen == [200, 200, 429, 200, 429, 200]


def test_each_route_has_its_own_limit_and_some_have_none(sluice, origin):
    upstream = origin()
    routes = [
        {"name": "health", "match": {"path": "/health"}, "to": "app", "filters": {"rate_limit": {"enabled": False}}},
        {"name": "pay", "match": {"path": "/pay"}, "to": "app",
         "filters": {"rate_limit": {"requests": 2, "per": "1h"}}},
        {"name": "hello", "match": {"path": "/hello"}, "respond": {"status": 200, "body": "hello"}},
        {"to": "app"},
    ]
    one = sluice(proxy(upstream.endpoint, limit={"requests": 1, "per": "1h"}, routes=routes))
    assert statuses(one.address(), 3, "/health") == [200] * 3
    assert statuses(one.address(), 3, "/pay") == [200, 200, 429]
    # What the router answers itself goes nowhere.
    assert statuses(one.address(), 3, "/hello") == [200] * 3
    assert statuses(one.address(), 2) == [200, 429]
    response = get(one.address(), "/pay")
    assert response.body == b"the limit of 2 requests in 60m for this route is reached\n"


def test_where_it_is_decided_at_the_head_all_requests_count(sluice, origin):
    routes = [{"match": {"path": "/hello"}, "respond": {"status": 200, "body": "hello"}},
              {"match": {"path": "/app"}, "to": "app"}]
    one = sluice(proxy(origin().endpoint, limit={"requests": 3, "per": "1h", "decide": "head"}, routes=routes))
    assert [get(one.address(), path).status for path in ["/hello", "/app", "/none", "/app", "/hello"]] == [
        200, 200, 404, 429, 429]


def test_further_tries_are_no_further_requests_below_which_they_are_made(sluice, origin, refused):
    retry = {"retry": {"on": ["connect-failure"], "attempts": 3, "backoff": {"base": "1ms", "max": "1ms"}}}
    limit = {"rate_limit": {"requests": 2, "per": "1h"}}
    above = sluice(http_proxy(refused, filters=[limit, retry]))
    assert statuses(above.address(), 3) == [503, 503, 429]
    below = sluice(http_proxy(refused, filters=[retry, limit]))
    # The third try of the first request is over the limit.
    assert statuses(below.address(), 1) == [429]


def test_what_cannot_work_is_refused_with_a_hint(tmp_path):
    for limit, message, hint in [
            ({"per": "1s"}, "is missing", "requests: 100"),
            ({"requests": 1, "by": "x-api-key"}, "expected `listener`", "by: { header: x-api-key }"),
            ({"rules": [{"requests": 1}, {"requests": 1}]}, "is the same as `rules[0]`", "")]:
        file = tmp_path / "sluice.yaml"
        file.write_text(json.dumps(proxy("127.0.0.1:1", limit=limit), indent=1))
        done = run_cli("check", str(file))
        assert done.returncode == 1
        assert message in done.stdout and hint in done.stdout


# MARK: What it costs

@pytest.mark.skipif(not os.access(RELEASE, os.X_OK), reason="counts the release build, which is not there")
@pytest.mark.parametrize("by", ["listener", "route", "client_address", {"header": "host"}], ids=str)
@pytest.mark.parametrize("is_refused", [False, True], ids=["passed", "refused"])
def test_a_request_allocates_nothing_passed_or_refused(by, is_refused, sluice, origin, counting_library, tmp_path,
                                                       monkeypatch):
    monkeypatch.setattr(harness, "BINARY", RELEASE)
    counter_file = tmp_path / "count"
    rules = [{"requests": 1_000_000, "per": "1m"}, {"requests": 1 if is_refused else 100_000, "per": "1h", "by": by}]
    one = sluice(proxy(origin().endpoint, workers=1, limit={"rules": rules}),
                 env={"LD_PRELOAD": str(counting_library), "MALLOC_COUNT_FILE": str(counter_file)})
    assert get(one.address()).status == 200
    with socket.create_connection(one.address()) as connection:
        after, before = counted(connection, REQUESTS["get"], counter_file)
    assert get(one.address()).status == (429 if is_refused else 200)
    assert after - before <= COUNTED * 0.01, f"{(after - before) / COUNTED:.3f} allocations a request"
