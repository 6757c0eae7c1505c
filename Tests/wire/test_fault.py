"""The filter `fault`: requests that are delayed, or answered in place of the upstream."""
import os
import socket
import time

import pytest

import sluice as harness
from client import Client, encode, get
from configs import http_proxy
from flow import wait_until
from test_allocations import COUNTED, RELEASE, REQUESTS, counted, counting_library  # noqa: F401

LOG = {"to": "stdout", "format": "%RESPONSE_CODE% %RESPONSE_FLAGS% %RESPONSE_CODE_DETAILS%"}


def proxy(*endpoints, fault, **settings):
    return http_proxy(*endpoints, filters=[{"fault": fault}], **settings)


def timed(*args, **kwargs):
    """An answer, and how long it took in seconds."""
    began = time.monotonic()
    response = get(*args, **kwargs)
    return response, time.monotonic() - began


def is_answered(client):
    client.socket.setblocking(False)
    try:
        return bool(client.socket.recv(1, 2))
    except BlockingIOError:
        return False
    finally:
        client.socket.setblocking(True)


# MARK: Delays and aborts

def test_an_aborted_request_is_answered_and_goes_nowhere(sluice, origin):
    upstream = origin()
    one = sluice(proxy(upstream.endpoint, fault={"abort": {"status": 418}}, listener={"access_log": LOG}))
    with Client(one.address()) as client:
        assert client.request().status == 418
        response = client.request("POST", body=b"x" * 100_000)
        assert (response.status, response.body) == (418, b"fault injected\n")
    assert one.wait_stdout("418") == "418 FI fault.abort"
    assert not upstream.requests


def test_a_delayed_request_goes_on_after_its_time_with_all_of_its_body(sluice, origin):
    upstream = origin()
    one = sluice(proxy(upstream.endpoint, fault={"delay": {"fixed": "300ms"}}, listener={"access_log": LOG}))
    response, took = timed(one.address(), method="POST", body=b"x" * 300_000)
    assert response.status == 200 and took >= 0.3
    assert [len(request.body) for request in upstream.requests] == [300_000]
    assert one.wait_stdout("200") == "200 DI fault.delay"


def test_an_abort_comes_after_the_delay(sluice, origin):
    upstream = origin()
    fault = {"delay": {"fixed": "200ms"}, "abort": {"status": 500}}
    one = sluice(proxy(upstream.endpoint, fault=fault, listener={"access_log": LOG}))
    response, took = timed(one.address())
    assert response.status == 500 and took >= 0.2
    assert one.wait_stdout("500") == "500 DI,FI fault.abort"
    assert not upstream.requests


def test_a_client_of_grpc_gets_the_status_that_is_meant_for_it(sluice, origin):
    one = sluice(proxy(origin().endpoint, fault={"abort": {"status": 503, "grpc_status": 8}}))
    response = get(one.address(), "/pkg.Service/Method", {"Content-Type": "application/grpc"}, method="POST")
    assert (response.status, response.get("grpc-status"), response.get("grpc-message")) == (200, "8", "fault injected")
    assert get(one.address()).status == 503


def test_the_time_of_a_request_runs_while_it_is_delayed(sluice, origin):
    upstream = origin()
    one = sluice(proxy(upstream.endpoint, fault={"delay": {"fixed": "60s"}}, route={"timeout": "200ms"},
                       listener={"access_log": LOG}))
    assert get(one.address()).status == 504
    assert one.wait_stdout("504") == "504 UT,DI upstream.response_timeout"
    assert not upstream.requests


# MARK: Who is picked

def test_only_requests_with_the_fields_are_picked(sluice, origin):
    one = sluice(proxy(origin().endpoint, fault={"abort": {}, "headers": {"x-test": {"prefix": "a"}}}))
    with Client(one.address()) as client:
        seen = [client.request(headers=fields).status for fields in [{"X-Test": "abc"}, {"X-Test": "b"}, {}]]
    assert seen == [503, 200, 200]


def test_requests_ask_for_faults_by_fields_that_no_upstream_sees(sluice, origin):
    upstream = origin()
    one = sluice(proxy(upstream.endpoint, fault={"by_header": True}, http={"trusted_hops": 1}))
    fields = {"X-Envoy-Fault-Delay-Request": "200", "X-Envoy-Fault-Delay-Request-Percentage": "100"}
    response, took = timed(one.address(), headers={**fields, "X-Other": "1"})
    assert response.status == 200 and took >= 0.2
    [request] = upstream.requests
    assert request.get("x-other") == "1"
    assert not [name for name, _ in request.headers if "fault" in name.lower()]
    assert get(one.address(), headers={"X-Envoy-Fault-Abort-Request": "404"}).status == 404
    assert get(one.address(), headers={"X-Envoy-Fault-Abort-Request": "404",
                                       "X-Envoy-Fault-Abort-Request-Percentage": "0"}).status == 200
    assert get(one.address(), headers={"X-Envoy-Fault-Abort-Request": "teapot"}).status == 200


def test_what_requests_ask_for_is_bounded_by_the_settings(sluice, origin):
    fault = {"by_header": True, "abort": {"percentage": "0%"}, "max_delay": "100ms"}
    one = sluice(proxy(origin().endpoint, fault=fault, http={"trusted_hops": 1}))
    assert get(one.address(), headers={"X-Envoy-Fault-Abort-Request": "404"}).status == 200
    response, took = timed(one.address(), headers={"X-Envoy-Fault-Delay-Request": "3600000"})
    assert response.status == 200 and took >= 0.1


def test_clients_that_no_proxy_speaks_for_cannot_ask_for_faults(sluice, origin):
    one = sluice(proxy(origin().endpoint, fault={"by_header": True}))
    assert get(one.address(), headers={"X-Envoy-Fault-Abort-Request": "404"}).status == 200


def test_routes_have_faults_of_their_own_or_none(sluice, origin):
    routes = [{"match": {"path": "/health"}, "to": "app", "filters": {"fault": {"enabled": False}}},
              {"match": {"path": "/late"}, "to": "app", "filters": {"fault": {"abort": {"status": 504}}}},
              {"to": "app"}]
    one = sluice(proxy(origin().endpoint, fault={"abort": {}}, routes=routes))
    assert [get(one.address(), path).status for path in ["/health", "/late", "/"]] == [200, 504, 503]


# MARK: Bounds

def test_no_more_requests_are_delayed_at_once_than_may(sluice, origin):
    upstream = origin()
    one = sluice(proxy(upstream.endpoint, fault={"delay": {"fixed": "60s"}, "max_active": 3}, workers=2))
    clients = [Client(one.address()) for _ in range(10)]
    for client in clients:
        client.send(encode())
    wait_until(lambda: sum(is_answered(client) for client in clients) == 7)
    assert len(upstream.requests) == 7
    for client in clients:
        client.close()


def test_a_client_that_goes_away_makes_room_for_another_delay(sluice, origin):
    upstream = origin()
    fault = {"delay": {"fixed": "60s"}, "max_active": 1}
    one = sluice(proxy(upstream.endpoint, fault=fault, workers=1))
    first = Client(one.address())
    first.send(encode())
    # Once the first one is held, others are not.
    wait_until(lambda: get(one.address()).status == 200)
    before = one.fds()
    first.reset()
    one.wait_fds(lambda count: count < before)
    second = Client(one.address())
    second.send(encode())
    assert get(one.address()).status == 200
    assert not is_answered(second)
    second.close()


# MARK: What it costs

@pytest.mark.skipif(not os.access(RELEASE, os.X_OK), reason="counts the release build, which is not there")
def test_a_request_that_is_not_picked_allocates_nothing(sluice, origin, counting_library, tmp_path, monkeypatch):
    monkeypatch.setattr(harness, "BINARY", RELEASE)
    counter_file = tmp_path / "count"
    fault = {"delay": {"fixed": "1s", "percentage": "0%"}, "abort": {"percentage": "0%"}, "by_header": True,
             "headers": {"host": {"present": True}}}
    one = sluice(proxy(origin().endpoint, workers=1, fault=fault),
                 env={"LD_PRELOAD": str(counting_library), "MALLOC_COUNT_FILE": str(counter_file)})
    with socket.create_connection(one.address()) as connection:
        after, before = counted(connection, REQUESTS["get"], counter_file)
    assert after - before <= COUNTED * 0.01, f"{(after - before) / COUNTED:.3f} allocations a request"
