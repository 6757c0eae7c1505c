"""The retry filter against upstreams that refuse, reset, stall, answer late, answer garbage, or die in the middle."""
import threading

import pytest

from client import Client, Closed, encode, get
from configs import http_proxy
from origin import OK, answer, chunked


def retrying(*endpoints, retry=None, filters=(), log=None, **settings):
    """A proxy with a retry filter that hardly waits between its tries."""
    retry = {"on": ["5xx"], "attempts": 2, "backoff": {"base": "1ms", "max": "1ms"}, **(retry or {})}
    listener = {"access_log": {"to": str(log), "format": LOGGED}} if log else None
    return http_proxy(*endpoints, filters=[*filters, {"retry": retry}], listener=listener, workers=1, **settings)


LOGGED = "%RESPONSE_CODE% %RESPONSE_FLAGS% %UPSTREAM_REQUEST_ATTEMPT_COUNT%"


def refuse_first(count, then=OK, failure=answer(b"no", "503 Service Unavailable")):
    """A script that answers the first `count` requests of all its connections with a failure."""
    lock = threading.Lock()
    seen = [0]

    def script(peer):
        while peer.read_request():
            with lock:
                seen[0] += 1
                failing = seen[0] <= count
            if not peer.send(failure if failing else then):
                return
    return script


# MARK: What is tried again

def test_an_answer_with_503_is_not_seen_by_the_client(sluice, origin):
    one = origin(refuse_first(2))
    response = get(sluice(retrying(one.endpoint)).address())
    assert (response.status, response.body) == (200, b"ok")
    assert len(one.requests) == 3


def test_when_all_tries_fail_the_client_gets_the_last_answer(sluice, origin):
    one = origin(refuse_first(99))
    response = get(sluice(retrying(one.endpoint)).address())
    assert (response.status, response.body) == (503, b"no")
    assert len(one.requests) == 3


def test_a_refused_connection_leads_to_another_endpoint(sluice, origin, refused):
    one = origin()
    address = sluice(retrying(refused, one.endpoint, retry={"on": ["connect-failure"], "attempts": 1})).address()
    with Client(address) as client:
        assert [client.request().status for _ in range(20)] == [200] * 20


def test_each_further_try_goes_to_an_endpoint_that_has_not_failed_yet(sluice, origin):
    bad = [origin(refuse_first(999)) for _ in range(2)]
    good = origin()
    address = sluice(retrying(*(one.endpoint for one in bad), good.endpoint)).address()
    with Client(address) as client:
        assert [client.request().status for _ in range(12)] == [200] * 12
    assert all(one.requests for one in bad)


def first_peer_only(fail):
    """A script that treats its first connection badly, and serves all others."""
    def script(peer):
        if peer.number == 0:
            fail(peer)
        else:
            while peer.read_request():
                peer.send(OK)
    return script


def reset_after_request(peer):
    peer.read_request()
    peer.reset()


def close_after_request(peer):
    peer.read_request()
    peer.close()


def garbage(peer):
    peer.read_request()
    peer.send(b"\x16\x03\x01 what is this\r\n\r\n")
    peer.wait_end()


def half_a_head(peer):
    peer.read_request()
    peer.send(b"HTTP/1.1 200 OK\r\nContent-")
    peer.close()


@pytest.mark.parametrize("fail", [reset_after_request, close_after_request, garbage, half_a_head])
def test_an_upstream_without_a_valid_answer_is_tried_again(sluice, origin, fail):
    one = origin(first_peer_only(fail))
    assert get(sluice(retrying(one.endpoint, retry={"on": ["reset"]})).address()).status == 200
    assert len(one.peers) == 2


def test_an_upstream_that_stalls_is_given_up_after_the_time_of_a_try(sluice, origin):
    one = origin(first_peer_only(lambda peer: peer.wait_end()))
    proxy = sluice(retrying(one.endpoint, retry={"on": ["reset"], "per_try_timeout": "200ms"}))
    assert get(proxy.address()).status == 200
    one.wait_for(lambda one: one.peers[0].ended, what="the first connection was kept")


def test_a_late_answer_after_the_time_of_a_try_is_nobodys(sluice, origin):
    released = threading.Event()

    def late(peer):
        peer.read_request()
        assert released.wait(10)
        peer.send(answer(b"late"))
        peer.wait_end()

    one = origin(first_peer_only(late))
    proxy = sluice(retrying(one.endpoint, retry={"on": ["reset"], "per_try_timeout": "100ms"}))
    with Client(proxy.address()) as client:
        assert client.request().body == b"ok"
        released.set()
        assert [client.request().body for _ in range(3)] == [b"ok"] * 3


def test_tries_that_all_stall_end_in_504(sluice, origin):
    one = origin(lambda peer: peer.wait_end())
    proxy = sluice(retrying(one.endpoint, retry={"on": ["reset"], "attempts": 1, "per_try_timeout": "100ms"}))
    assert get(proxy.address()).status == 504
    assert len(one.peers) == 2


def test_the_routes_time_holds_for_all_tries_together(sluice, origin):
    one = origin(lambda peer: peer.wait_end())
    retry = {"on": ["reset"], "attempts": 50, "per_try_timeout": "100ms"}
    assert get(sluice(retrying(one.endpoint, retry=retry, route={"timeout": "350ms"})).address()).status == 504
    assert 3 <= len(one.peers) <= 5


# MARK: What is not

def test_an_answer_that_dies_in_its_body_is_cut_and_not_tried_again(sluice, origin):
    def script(peer):
        peer.read_request()
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this")
        peer.close()

    one = origin(script)
    with pytest.raises(Closed):
        get(sluice(retrying(one.endpoint)).address())
    assert len(one.requests) == 1


def test_a_post_is_sent_once_unless_the_settings_ask_for_more(sluice, origin):
    for asked, requests in [(False, 1), (True, 3)]:
        one = origin(refuse_first(99))
        proxy = sluice(retrying(one.endpoint, retry={"non_idempotent": asked}))
        assert get(proxy.address(), method="POST", body=b"pay 5").status == 503
        assert [request.body for request in one.requests] == [b"pay 5"] * requests


def test_a_post_is_tried_again_where_no_byte_of_it_went_out(sluice, origin, refused):
    one = origin()
    address = sluice(retrying(refused, one.endpoint)).address()
    for _ in range(6):
        assert get(address, method="POST", body=b"pay 5").status == 200
    assert [request.body for request in one.requests] == [b"pay 5"] * 6


def test_a_body_is_sent_again_whole(sluice, origin):
    one = origin(refuse_first(1))
    proxy = sluice(retrying(one.endpoint))
    body = bytes(range(256)) * 200
    assert get(proxy.address(), method="PUT", body=body).status == 200
    assert [request.body for request in one.requests] == [body, body]


def test_a_body_over_the_limit_goes_through_and_is_not_sent_again(sluice, origin):
    one = origin(refuse_first(1))
    proxy = sluice(retrying(one.endpoint, retry={"max_body": "16KiB"}))
    body = b"x" * 100_000
    assert get(proxy.address(), method="PUT", body=body).status == 503
    assert [request.body for request in one.requests] == [body]


def test_an_answer_before_the_end_of_the_body_is_followed_by_a_whole_second_request(sluice, origin):
    def early(peer):
        peer.read_head()
        peer.send(answer(b"no", "503 Service Unavailable"))
        peer.wait_end()

    one = origin(first_peer_only(early))
    with Client(sluice(retrying(one.endpoint)).address()) as client:
        client.send(encode("PUT", headers={"Content-Length": "8"}) + b"half")
        one.wait_for(lambda one: len(one.peers) == 2, what="no second try")
        client.send(b"half")
        assert client.read_response("PUT").status == 200
    assert [request.body for request in one.requests] == [b"halfhalf"]


# MARK: Around it

def test_the_connection_of_an_answer_that_was_not_wanted_is_used_again(sluice, origin):
    for failure in [answer(b"x" * 20_000, "503 Service Unavailable"),
                    chunked([b"no", b"no"], trailers=[("X-T", "1")]).replace(b"200 OK", b"503 No")]:
        one = origin(refuse_first(10, failure=failure))
        with Client(sluice(retrying(one.endpoint, retry={"budget": {"min_concurrent": 9}})).address()) as client:
            # Ten failures: three whole requests, and one try of the fourth.
            assert [client.request().status for _ in range(6)] == [503, 503, 503, 200, 200, 200]
        # A try may overlap with the reading of the answer before, so a second connection may have been made.
        assert len(one.peers) <= 2


def test_upstream_and_client_are_told_which_try_it_is(sluice, origin):
    one = origin(refuse_first(1))
    response = get(sluice(retrying(one.endpoint, retry={"attempt_count": "both"})).address())
    assert response.get("x-envoy-attempt-count") == "2"
    assert [request.get("x-envoy-attempt-count") for request in one.requests] == ["1", "2"]


def test_retry_after_is_obeyed(sluice, origin):
    one = origin(refuse_first(1, failure=answer(b"", "503 No", [("Retry-After", "1")])))
    proxy = sluice(retrying(one.endpoint))
    with Client(proxy.address()) as client:
        client.send(encode())
        one.wait_for(lambda one: len(one.requests) == 1)
        client.patience = 0.7
        with pytest.raises(AssertionError):
            client.fill()
        client.patience = 5
        assert client.read_response().status == 200


def test_changes_by_filters_below_are_made_once_for_each_try(sluice, origin):
    one = origin(refuse_first(2))
    route = {"request_headers": {"add": {"x-added": "1"}}, "rewrite": {"prefix": "/v2"}, "match": {"prefix": "/"}}
    proxy = sluice(retrying(one.endpoint, route=route))
    assert get(proxy.address(), "/items").status == 200
    assert [request.target for request in one.requests] == ["/v2items"] * 3
    assert [request.get("x-added") for request in one.requests] == ["1"] * 3


def test_the_log_tells_the_tries_and_that_they_were_used_up(sluice, origin, tmp_path):
    log = tmp_path / "access.log"
    one = origin(refuse_first(99))
    proxy = sluice(retrying(one.endpoint, log=log))
    assert get(proxy.address()).status == 503
    proxy.stop()
    assert log.read_text().splitlines()[0] == "503 URX 3"


def test_a_client_that_leaves_during_a_pause_leaves_nothing_behind(sluice, origin):
    one = origin(refuse_first(1, failure=answer(b"", "503 No", [("Retry-After", "60")])))
    proxy = sluice(retrying(one.endpoint, route={"timeout": "300s"}))
    before = proxy.fds()
    client = Client(proxy.address())
    client.send(encode())
    one.wait_for(lambda one: len(one.requests) == 1)
    client.reset()
    # The upstream connection was read to its end, and stays for the next request.
    proxy.wait_fds(lambda count: count <= before + 1)
    assert get(proxy.address()).status == 200


def test_a_grpc_client_is_told_in_its_own_way(sluice, refused):
    proxy = sluice(http_proxy(refused))
    response = get(proxy.address(), "/pkg.Service/Method", {"Content-Type": "application/grpc"}, method="POST")
    assert (response.status, response.get("grpc-status"), response.body) == (200, "14", b"")
    assert response.get("content-type") == "application/grpc"
    assert "refused" in response.get("grpc-message")


def test_a_grpc_call_that_failed_in_its_trailers_is_tried_again_where_answers_are_held_back(sluice, origin):
    def call(status):
        return chunked([b"message"], [("grpc-status", status)], [("Content-Type", "application/grpc")])

    one = origin(refuse_first(1, then=call("0"), failure=call("14")))
    retry = {"on": ["unavailable"], "grpc_hold_back": "64KiB"}
    response = get(sluice(retrying(one.endpoint, retry=retry)).address(), method="POST", body=b"call",
                   headers={"Content-Type": "application/grpc", "TE": "trailers"})
    assert (response.body, dict(response.trailers)) == (b"message", {"grpc-status": "0"})
    assert [request.body for request in one.requests] == [b"call", b"call"]


def test_a_body_that_goes_on_during_the_pause_is_sent_whole(sluice, origin):
    def early(peer):
        peer.read_head()
        peer.send(answer(b"", "503 No", [("Retry-After", "1")]))
        peer.wait_end()

    one = origin(first_peer_only(early))
    body = b"0123456789abcdef" * 8192
    with Client(sluice(retrying(one.endpoint, retry={"max_body": "1MiB"})).address()) as client:
        client.send(encode("PUT", headers={"Content-Length": str(len(body))}) + body[:10])
        one.wait_for(lambda one: one.peers and one.peers[0].ended, what="the first try was not given up")
        client.send(body[10:])
        assert client.read_response("PUT").status == 200
    assert [request.body for request in one.requests] == [body]
