"""Outlier detection: endpoints that fail are put aside, come back, and are never all put aside."""
import collections
import json
import re

import pytest

from client import Client, Closed, encode, get
from configs import http_proxy, tcp_proxy
from flow import wait_until
from origin import OK, answer, refused_port, serve
from sluice import run_cli

BAD = answer(b"bad", "500 Internal Server Error")


class Moody:
    """The script of an origin that answers as it is told to at the moment, and says who it is."""

    def __init__(self, response=None):
        self.response = response

    def __call__(self, peer):
        name = peer.origin.endpoint.encode()
        while peer.read_request():
            if not peer.send(self.response or answer(name)):
                return


@pytest.fixture
def moody(origin):
    """Starts origins that answer well until they are told otherwise: `first, second = moody(2)`."""
    def start(count):
        origins = []
        for _ in range(count):
            script = Moody()
            one = origin(script)
            one.mood = script
            origins.append(one)
        return origins
    return start


def proxy_to(origins, outliers, **top):
    return http_proxy(*(one.endpoint for one in origins), upstream={"outlier_detection": outliers}, **top)


def asked(origins):
    """How many requests each origin has had."""
    return [len(one.requests) for one in origins]


def ask(address, count):
    """So many requests, each on a connection of its own, so that all workers get some; their statuses."""
    return collections.Counter(get(address).status for _ in range(count))


def wait_left_alone(address, one, count=10):
    """Waits until an origin gets nothing of so many requests: workers hear a moment later than the log does."""
    def is_left_alone():
        before = len(one.requests)
        ask(address, count)
        return len(one.requests) == before
    wait_until(is_left_alone, what="the origin is still asked")


@pytest.mark.parametrize("workers", [1, 2])
def test_one_of_three_that_answers_500_is_put_aside_after_five_and_comes_back(sluice, moody, workers):
    origins = moody(3)
    bad = origins[1]
    bad.mood.response = BAD
    proxy = sluice(proxy_to(origins, {"base_ejection_time": "1s"}, workers=workers))
    address = proxy.address()
    wait_until(lambda: get(address).status and len(bad.requests) == 5)
    line = proxy.wait_log("endpoint ejected")
    assert line["cluster"] == "app" and line["endpoint"] == bad.endpoint and line["level"] == "warning"
    assert line["why"] == "consecutive_5xx" and line["measured"] == line["limit"] == "5"
    assert line["for"] == "1s" and line["times"] == "1" and line["ejected"] == "1 of 3"
    wait_left_alone(address, bad)
    before = len(bad.requests)
    assert 5 <= before <= 8
    assert ask(address, 30) == {200: 30} and len(bad.requests) == before
    bad.mood.response = None
    line = proxy.wait_log("endpoint returned", endpoint=bad.endpoint)
    assert line["because"] == "time is over" and line["ejected"] == "0 of 3"
    assert ask(address, 30) == {200: 30}
    wait_until(lambda: ask(address, 6) and len(bad.requests) > before, what="it came back, and is not asked")


def test_the_second_time_is_twice_as_long(sluice, moody):
    origins = moody(2)
    origins[0].mood.response = BAD
    proxy = sluice(proxy_to(origins, {"base_ejection_time": "200ms"}, workers=1))
    address = proxy.address()
    wait_until(lambda: ask(address, 2) and any(e["message"] == "endpoint returned" for e in proxy.log))
    wait_until(lambda: ask(address, 2) and sum(e["message"] == "endpoint ejected" for e in proxy.log) == 2)
    assert [e["for"] for e in proxy.log if e["message"] == "endpoint ejected"] == ["200ms", "400ms"]


def test_of_two_that_fail_one_is_put_aside_and_the_other_goes_on(sluice, moody):
    origins = moody(2)
    for one in origins:
        one.mood.response = BAD
    proxy = sluice(proxy_to(origins, {}, workers=1))
    assert ask(proxy.address(), 20) == {500: 20}
    ejected = proxy.wait_log("endpoint ejected")
    kept = proxy.wait_log("endpoint not ejected")
    assert {ejected["endpoint"], kept["endpoint"]} == {one.endpoint for one in origins}
    assert kept["kept_by"] == "max_ejection_percent" and kept["ejected"] == "1 of 2" and kept["level"] == "warning"
    gone, left = (next(one for one in origins if one.endpoint == line["endpoint"]) for line in (ejected, kept))
    wait_left_alone(proxy.address(), gone)
    before = len(left.requests)
    assert ask(proxy.address(), 20) == {500: 20} and len(left.requests) == before + 20


def test_the_only_one_is_never_put_aside(sluice, moody):
    origins = moody(1)
    origins[0].mood.response = BAD
    proxy = sluice(proxy_to(origins, {"max_ejection_percent": "100%"}, workers=2))
    assert ask(proxy.address(), 20) == {500: 20}
    assert proxy.wait_log("endpoint not ejected")["kept_by"] == "floor"
    assert asked(origins) == [20]
    assert not [entry for entry in proxy.log if entry["message"] == "endpoint ejected"]
    assert sum(entry["message"] == "endpoint not ejected" for entry in proxy.log) == 1, "it is said once"


def test_as_many_serve_as_the_floor_says(sluice, moody):
    origins = moody(4)
    for one in origins:
        one.mood.response = BAD
    config = proxy_to(origins, {"max_ejection_percent": "100%"}, workers=1)
    config["clusters"]["app"]["min_serving"] = "75%"
    proxy = sluice(config)
    assert ask(proxy.address(), 40) == {500: 40}
    proxy.wait_log("endpoint not ejected", kept_by="floor")
    [line] = [entry for entry in proxy.log if entry["message"] == "endpoint ejected"]
    wait_left_alone(proxy.address(), next(one for one in origins if one.endpoint == line["endpoint"]))
    before = asked(origins)
    assert ask(proxy.address(), 30) == {500: 30}
    assert sorted(now - then for now, then in zip(asked(origins), before)) == [0, 10, 10, 10]


def test_requests_that_run_on_an_endpoint_that_is_put_aside_are_finished(sluice, origin):
    def script(peer):
        while request := peer.read_request():
            if request.target == "/slow":
                peer.origin.slow = peer
                peer.wait_end()
            peer.send(BAD)
    bad, good = origin(script), origin()
    bad.slow = None
    proxy = sluice(http_proxy(bad.endpoint, good.endpoint, upstream={"outlier_detection": True}, workers=1))
    clients = [Client(proxy.address()) for _ in range(2)]
    for client in clients:
        client.send(encode(target="/slow"))
    wait_until(lambda: bad.slow)
    ask(proxy.address(), 10)
    proxy.wait_log("endpoint ejected")
    wait_left_alone(proxy.address(), bad)
    bad.slow.send(answer(b"late"))
    bodies = {client.read_response().body for client in clients}
    for client in clients:
        client.close()
    assert bodies == {b"late", b"ok"}


def test_nothing_is_put_aside_where_it_is_not_asked_for(sluice, moody):
    origins = moody(2)
    origins[0].mood.response = BAD
    proxy = sluice(http_proxy(*(one.endpoint for one in origins), workers=1))
    assert ask(proxy.address(), 40) == {500: 20, 200: 20}
    assert not [entry for entry in proxy.log if "eject" in entry["message"]]


@pytest.mark.parametrize("split, why", [(False, "consecutive_5xx"), (True, "consecutive_local_origin_failure")])
def test_one_that_refuses_connections_is_put_aside(sluice, origin, split, why):
    holder, endpoint = refused_port()
    with holder:
        proxy = sluice(http_proxy(endpoint, origin().endpoint, workers=1, upstream={
            "outlier_detection": {"split_external_local_origin_errors": split}}))
        wait_until(lambda: ask(proxy.address(), 10) == {200: 10})
        assert proxy.wait_log("endpoint ejected", endpoint=endpoint)["why"] == why


def broken_head(peer):
    peer.read_request()
    peer.send(b"HTTP/1.1 nonsense\r\n\r\n")


def reset_after_request(peer):
    peer.read_request()
    peer.reset()


def silence(peer):
    peer.read_request()
    peer.wait_end()


@pytest.mark.parametrize("script, status", [(broken_head, 502), (reset_after_request, 503), (silence, 504)])
def test_one_that_does_not_answer_as_it_should_is_put_aside(sluice, origin, script, status):
    bad, good = origin(script), origin()
    proxy = sluice(http_proxy(bad.endpoint, good.endpoint, workers=1, route={"timeout": "100ms"},
                              upstream={"outlier_detection": True}))
    assert ask(proxy.address(), 8) == {status: 4, 200: 4}
    wait_left_alone(proxy.address(), bad)
    proxy.wait_log("endpoint ejected", endpoint=bad.endpoint)
    assert ask(proxy.address(), 10) == {200: 10}


def test_one_whose_answers_break_off_is_put_aside(sluice, origin):
    def cut(peer):
        peer.read_request()
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this")
        peer.close()

    bad, good = origin(cut), origin()
    proxy = sluice(http_proxy(bad.endpoint, good.endpoint, workers=1, upstream={"outlier_detection": True}))
    for _ in range(5):
        with pytest.raises(Closed):
            while get(proxy.address()).status == 200:
                pass
    proxy.wait_log("endpoint ejected", endpoint=bad.endpoint)
    wait_left_alone(proxy.address(), bad)
    assert ask(proxy.address(), 10) == {200: 10}


def test_tries_that_take_too_long_count_too(sluice, origin):
    bad, good = origin(silence), origin()
    retry = {"retry": {"on": ["5xx", "reset"], "per_try_timeout": "50ms"}}
    proxy = sluice(http_proxy(bad.endpoint, good.endpoint, workers=1, filters=[retry],
                              upstream={"outlier_detection": True}))
    assert ask(proxy.address(), 8) == {200: 8}
    wait_left_alone(proxy.address(), bad)
    proxy.wait_log("endpoint ejected", endpoint=bad.endpoint)


def test_clients_that_go_away_put_nothing_aside(sluice, origin):
    stuck, good = origin(silence), origin(silence)
    proxy = sluice(http_proxy(stuck.endpoint, good.endpoint, workers=1, upstream={"outlier_detection": True}))
    for number in range(1, 21):
        client = Client(proxy.address())
        client.send(encode())
        wait_until(lambda: len(stuck.requests) + len(good.requests) == number)
        client.reset()
        wait_until(lambda: sum(peer.ended for one in (stuck, good) for peer in one.peers) == number)
    assert not [entry for entry in proxy.log if "eject" in entry["message"]]


def test_deadlines_that_clients_set_put_nothing_aside(sluice, origin):
    origins = [origin(silence) for _ in range(2)]
    proxy = sluice(http_proxy(*(one.endpoint for one in origins), workers=1, upstream={"outlier_detection": True}))
    for _ in range(20):
        with Client(proxy.address()) as client:
            response = client.request("POST", headers={"Content-Type": "application/grpc", "Grpc-Timeout": "20m"})
            assert response.get("grpc-status") == "4"
    assert not [entry for entry in proxy.log if "eject" in entry["message"]]


def test_raw_connections_that_cannot_be_made_count(sluice, origin):
    holder, endpoint = refused_port()
    with holder:
        def script(peer):
            peer.send(b"hello")
            peer.wait_end()
        config = tcp_proxy(endpoint, origin(script).endpoint)
        config["workers"] = 1
        config["clusters"]["app"]["outlier_detection"] = True
        proxy = sluice(config)

        def greeted():
            with Client(proxy.address()) as client:
                return client.fill()
        assert sum(greeted() for _ in range(8)) == 4
        wait_until(lambda: all([greeted() for _ in range(6)]))
        proxy.wait_log("endpoint ejected", endpoint=endpoint)


def test_one_whose_share_of_good_answers_is_far_below_is_put_aside(sluice, origin):
    def script(peer):
        while peer.read_request():
            # Never five in a row.
            peer.send(BAD if len(peer.origin.requests) % 4 else OK)
    bad = origin(script)
    others = [origin(serve) for _ in range(5)]
    proxy = sluice(http_proxy(*(one.endpoint for one in [bad, *others]), workers=1, upstream={"outlier_detection": {
        "interval": "500ms", "success_rate": {"request_volume": 10}}}))
    with Client(proxy.address()) as client:
        wait_until(lambda: client.request().status and any(e["message"] == "endpoint ejected" for e in proxy.log))
    line = proxy.wait_log("endpoint ejected")
    assert line["endpoint"] == bad.endpoint and line["why"] == "success_rate"
    assert 0 < float(line["measured"]) < float(line["limit"]) < 100 and int(line["requests"]) >= 10


def test_what_is_put_aside_stays_so_over_a_reload_and_comes_back_where_it_is_no_more_wanted(sluice, moody):
    origins = moody(2)
    origins[0].mood.response = BAD
    config = proxy_to(origins, {}, workers=2)
    proxy = sluice(config)
    wait_until(lambda: get(proxy.address()).status and len(origins[0].requests) == 5)
    proxy.wait_log("endpoint ejected")
    wait_left_alone(proxy.address(), origins[0])
    config["clusters"]["app"]["connect_timeout"] = "2s"
    proxy.reload(config)
    assert ask(proxy.address(), 20) == {200: 20}
    del config["clusters"]["app"]["outlier_detection"]
    proxy.reload(config)
    wait_until(lambda: get(proxy.address()).status == 500)


@pytest.mark.parametrize("settings, words", [
    ({"consecutive_5xx": -1}, "must not be negative"), ({"interval": "1ms"}, "at least 100ms"),
    ({"max_ejection_percent": "101%"}, "at most 100%"), ({"success_rate": {"minimum_hosts": 0}}, "at least 1"),
    ({"enforcing_consecutive_5xx": "50%"}, "unknown key"), ("maybe", "a mapping"),
])
def test_settings_that_make_no_sense_are_refused(tmp_path, settings, words):
    file = tmp_path / "sluice.yaml"
    file.write_text(json.dumps(http_proxy("127.0.0.1:1", upstream={"outlier_detection": settings})))
    done = run_cli("check", str(file))
    assert done.returncode == 1 and re.search(words, done.stdout), done.stdout
