"""How long each filter has a request in hand, without what is below it."""
import json
import threading
from urllib.parse import quote

import pytest

from client import get
from configs import http_proxy


def quantiles(proxy, pattern):
    """{name: {quantile: milliseconds}} of the histograms whose names match."""
    body = get(proxy.address("admin"), f"/stats?format=json&type=histograms&filter={quote(pattern)}", host="localhost").body
    [histograms] = [entry["histograms"] for entry in json.loads(body)["stats"]]
    shares = histograms["supported_quantiles"]
    return {entry["name"]: dict(zip(shares, (value["cumulative"] for value in entry["values"])))
            for entry in histograms["computed_quantiles"]}


@pytest.fixture
def timed(sluice, origin):
    def start(filters=(), script=None, on=True, **more):
        one = origin(script) if script else origin()
        return sluice(http_proxy(one.endpoint, filters=filters, admin="127.0.0.1:0",
                                 listener={"filter_times": on}, **more))
    return start


def test_each_filter_has_a_time_for_each_direction(timed):
    proxy = timed(["count", "stats"])
    get(proxy.address())
    found = quantiles(proxy, "^http.inbound.*_time$")
    assert {"http.inbound.count.request_time", "http.inbound.count.response_time",
            "http.inbound.router.request_time"} <= found.keys()
    assert 0 < found["http.inbound.count.request_time"][100] < 50


def test_what_a_filter_holds_is_its_own_time_and_nobody_elses(timed):
    delay = {"fault": {"delay": {"fixed": "80ms", "percentage": "100%"}}}
    proxy = timed([{"count": {}, "name": "above"}, delay, {"count": {}, "name": "below"}])
    get(proxy.address())
    found = quantiles(proxy, "^http.inbound.*request_time$")
    assert found["http.inbound.fault.request_time"][0] >= 79
    for name in ("above", "below", "router"):
        assert found[f"http.inbound.{name}.request_time"][100] < 40


def test_the_upstream_is_nobodys_time(timed):
    def script(peer):
        peer.read_request()
        gate.wait(5)
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
    gate = threading.Event()
    proxy = timed(["count"], script)
    threading.Timer(0.1, gate.set).start()
    get(proxy.address())
    found = quantiles(proxy, "^http.inbound.*(request|response)_time$")
    assert all(times[100] is None or times[100] < 50 for times in found.values()), found


def test_logs_tell_the_times_of_a_request(timed):
    delay = {"fault": {"delay": {"fixed": "30ms", "percentage": "100%"}}}
    line = {name: f"%FILTER_TIME({name})%" for name in ("count", "fault", "router", "nobody")}
    line |= {"down": "%FILTER_TIME(fault:REQUEST:ms)%", "up": "%FILTER_TIME(fault:RESPONSE:ms)%", "all": "%FILTER_TIMES%"}
    proxy = timed(["count", delay], access_log={"to": "stdout", "format": line})
    get(proxy.address())
    entry = json.loads(proxy.wait_stdout("^{"))
    assert entry["fault"] >= 29_000 and entry["down"] >= 29 and entry["up"] == 0
    assert entry["count"] < 20_000 and entry["router"] < 20_000 and entry["nobody"] is None
    assert [part.split("=")[0] for part in entry["all"].split(",")] == ["count", "fault", "router"]


def test_byte_filters_have_times_too(sluice, origin):
    config = http_proxy(origin().endpoint, admin="127.0.0.1:0", listener={"filter_times": True})
    config["listeners"]["raw"] = {"bind": "127.0.0.1:0", "filter_times": True, "chain": [{"tcp_proxy": "app"}]}
    proxy = sluice(config)
    get(proxy.address("raw"))
    assert "listener.raw.tcp_proxy.request_time" in quantiles(proxy, "^listener.raw.tcp_proxy")


def test_nothing_is_measured_unless_it_is_asked_for(timed):
    proxy = timed(["count"], on=False)
    get(proxy.address())
    body = get(proxy.address("admin"), "/stats?type=histograms&filter=inbound.count", host="localhost").body
    assert body == b""
