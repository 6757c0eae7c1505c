"""Header fields: what is kept as it was, what is dropped, and what the proxy adds."""
import re

import pytest

from client import Client, get
from configs import http_proxy
from origin import answer


@pytest.fixture
def seen(sluice, origin):
    """`seen(headers, **settings)` sends one request and gives (the request upstream, the response)."""
    def exchange(headers=(), response_headers=(), **settings):
        def script(peer):
            while peer.read_request():
                peer.send(answer(headers=response_headers))
        one = origin(script)
        response = get(sluice(http_proxy(one.endpoint, **settings)).address(), "/t?q=1", headers)
        assert response.status == 200
        return one.requests[0], response
    return exchange


def test_request_fields_keep_case_order_and_duplicates(seen):
    fields = [("X-One", "1"), ("x-tWo", "2"), ("X-One", "again"), ("AAA", "z"), ("X-One", "third")]
    request, _ = seen(fields)
    assert [f for f in request.headers if f[0].lower() in ("x-one", "x-two", "aaa")] == fields


def test_response_fields_keep_case_order_and_duplicates(seen):
    fields = [("Set-Cookie", "a=1; Path=/"), ("x-tWo", "2"), ("SET-COOKIE", "b=2, c"), ("Vary", "*")]
    _, response = seen(response_headers=fields)
    assert [f for f in response.headers if f[0].lower() in ("set-cookie", "x-two", "vary")] == fields


def test_hop_by_hop_fields_of_a_request_stay_behind(seen):
    request, _ = seen([("Connection", "keep-alive, X-Hop"), ("X-Hop", "1"), ("Keep-Alive", "timeout=5"),
                       ("Proxy-Connection", "keep-alive"), ("TE", "gzip"), ("X-Stays", "1")])
    for name in ("x-hop", "keep-alive", "proxy-connection", "te"):
        assert not request.has(name), request.headers
    assert request.get("connection", "").lower() in ("", "keep-alive")
    assert request.get("x-stays") == "1"


def test_hop_by_hop_fields_of_an_answer_stay_behind(seen):
    _, response = seen(response_headers=[("Connection", "X-Hop"), ("X-Hop", "1"), ("Keep-Alive", "timeout=5"),
                                         ("X-Stays", "1")])
    for name in ("x-hop", "keep-alive"):
        assert not response.has(name), response.headers
    assert response.get("x-stays") == "1"


def test_the_client_address_is_appended_to_x_forwarded_for(seen):
    request, _ = seen([("X-Forwarded-For", "10.1.2.3")])
    values = re.split(r"\s*,\s*", ",".join(request.all("x-forwarded-for")))
    assert values == ["10.1.2.3", "127.0.0.1"]


def test_x_forwarded_fields_tell_address_scheme_and_host(seen):
    request, _ = seen()
    assert request.all("x-forwarded-for") == ["127.0.0.1"]
    assert request.all("x-forwarded-proto") == ["http"]
    assert request.all("x-forwarded-host") == ["a"]


def test_an_untrusted_client_cannot_set_x_forwarded_proto_and_host(seen):
    request, _ = seen([("X-Forwarded-Proto", "https"), ("X-Forwarded-Host", "evil")])
    assert request.all("x-forwarded-proto") == ["http"]
    assert request.all("x-forwarded-host") == ["a"]


def test_a_trusted_proxy_in_front_keeps_its_x_forwarded_proto_and_host(seen):
    request, _ = seen([("X-Forwarded-Proto", "https"), ("X-Forwarded-Host", "shop"), ("X-Forwarded-For", "10.0.0.9")],
                      http={"trusted_hops": 1})
    assert request.all("x-forwarded-proto") == ["https"]
    assert request.all("x-forwarded-host") == ["shop"]


@pytest.mark.parametrize("hops, client", [(1, "10.0.0.2"), (2, "10.0.0.1")])
def test_the_client_is_whom_the_outermost_trusted_proxy_saw(seen, hops, client):
    request, _ = seen([("X-Forwarded-For", "6.6.6.6, 10.0.0.1, 10.0.0.2")], http={"trusted_hops": hops},
                      route={"request_headers": {"set": {
                          "x-client": "%DOWNSTREAM_REMOTE_ADDRESS%", "x-direct": "%DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT%"}}})
    assert request.get("x-client") == client
    assert request.get("x-direct") == "127.0.0.1"
    assert request.all("x-forwarded-for") == ["6.6.6.6, 10.0.0.1, 10.0.0.2, 127.0.0.1"]


def test_an_untrusted_client_cannot_choose_its_address(seen):
    request, _ = seen([("X-Forwarded-For", "10.0.0.1")],
                      route={"request_headers": {"set": {"x-client": "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%"}}})
    assert request.get("x-client") == "127.0.0.1"


def test_x_forwarded_for_can_be_kept_as_it_came(seen):
    request, _ = seen([("X-Forwarded-For", "10.1.2.3")], http={"forwarded_for": "keep"})
    assert request.all("x-forwarded-for") == ["10.1.2.3"]


def test_x_forwarded_for_can_be_left_out(seen):
    request, _ = seen(http={"forwarded_for": "off"})
    assert not request.has("x-forwarded-for")


def test_a_request_gets_an_id_of_its_own(sluice, origin):
    one = origin()
    address = sluice(http_proxy(one.endpoint)).address()
    get(address), get(address)
    ids = [request.get("x-request-id") for request in one.requests]
    assert all(re.fullmatch(r"[0-9a-f-]{16,}", i) for i in ids) and ids[0] != ids[1]


def test_an_untrusted_client_cannot_choose_its_request_id(seen):
    request, _ = seen([("X-Request-Id", "mine")])
    assert len(request.all("x-request-id")) == 1 and request.get("x-request-id") != "mine"


def test_a_trusted_proxy_in_front_keeps_its_request_id(seen):
    request, _ = seen([("X-Request-Id", "mine"), ("X-Forwarded-For", "10.0.0.9")], http={"trusted_hops": 1})
    assert request.all("x-request-id") == ["mine"]


def test_no_request_id_is_made_when_it_is_off(seen):
    request, _ = seen(http={"request_id": False})
    assert not request.has("x-request-id")


def test_the_server_field_is_the_proxys(seen):
    _, response = seen(response_headers=[("Server", "secret/1.2")])
    assert response.all("server") == ["sluice"]


def test_the_server_field_of_the_upstream_passes_when_told_so(seen):
    _, response = seen(response_headers=[("Server", "app/1.2")], http={"server_header": ""})
    assert response.all("server") == ["app/1.2"]


def test_no_via_is_added_by_default(seen):
    request, response = seen()
    assert not request.has("via") and not response.has("via")


def test_a_configured_pseudonym_is_added_to_via_both_ways(seen):
    request, response = seen([("Via", "1.0 first")], http={"via": "edge7"})
    assert re.split(r"\s*,\s*", ",".join(request.all("via"))) == ["1.0 first", "1.1 edge7"]
    assert response.get("via") == "1.1 edge7"


def test_an_answer_without_date_gets_one(seen):
    _, response = seen()
    assert re.fullmatch(r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT", response.get("date", "")), response.headers


def test_a_date_from_the_upstream_is_kept(seen):
    date = "Mon, 02 Feb 2026 10:00:00 GMT"
    _, response = seen(response_headers=[("Date", date)])
    assert response.all("date") == [date]


def test_names_with_underscores_are_dropped_when_the_listener_says_so(seen):
    request, _ = seen([("X_Real_IP", "6.6.6.6"), ("X-Real-Ip", "1")], http={"underscores_in_headers": "drop"})
    assert not request.has("x_real_ip") and request.get("x-real-ip") == "1"


def test_names_with_underscores_are_refused_when_the_listener_says_so(sluice, origin):
    one = origin()
    with Client(sluice(http_proxy(one.endpoint, http={"underscores_in_headers": "reject"})).address()) as client:
        assert client.request(headers={"X_Real_IP": "6.6.6.6"}).status == 400
        client.expect_closed()
    assert one.requests == []


@pytest.mark.parametrize("policy, target", [("keep", "/pub%2fadmin"), ("unescape", "/pub/admin")])
def test_escaped_slashes_follow_the_listeners_policy(sluice, origin, policy, target):
    one = origin()
    assert get(sluice(http_proxy(one.endpoint, http={"escaped_slashes": policy})).address(), "/pub%2fadmin").status == 200
    assert one.requests[0].target.lower() == target


def test_slashes_are_merged_when_the_listener_says_so(sluice, origin):
    one = origin()
    get(sluice(http_proxy(one.endpoint, http={"merge_slashes": True})).address(), "//x///y//?z=//")
    assert one.requests[0].target == "/x/y/?z=//"


def test_a_path_is_left_alone_when_normalising_is_off(sluice, origin):
    one = origin()
    get(sluice(http_proxy(one.endpoint, http={"normalize_path": False})).address(), "/a/../b/%41")
    assert one.requests[0].target == "/a/../b/%41"


def test_the_filter_headers_changes_requests_and_every_answer(sluice, origin):
    """Answers of the upstream, of routes, of the router itself, of a filter below and of the host."""
    app = origin(lambda peer: [peer.send(answer(headers=[("X-Powered-By", "a")])) for _ in iter(peer.read_request, None)])
    filters = [{"headers": {"request": {"set": {"x-route": "%PROTOCOL%"}, "remove": ["x-secret"]},
                            "response": {"set": {"x-site": "a"}, "remove": ["x-powered-by"]}}},
               {"fault": {"abort": {"status": 429}, "headers": {"x-fault": "1"}}}]
    routes = [{"match": {"path": "/local"}, "respond": 403}, {"match": {"path": "/down"}, "to": "down"},
              {"match": {"prefix": "/app"}, "to": "app"}]
    proxy = sluice(http_proxy(app.endpoint, routes=routes, filters=filters,
                              clusters={"down": {"endpoints": ["unix:@sluice-nobody"]}}))
    answers = [get(proxy.address(), path, fields) for path, fields in (
        ("/app", [("x-secret", "1"), ("x-route", "forged")]), ("/app", [("x-fault", "1")]), ("/local", []),
        ("/down", []), ("/nowhere", []))]
    assert [one.status for one in answers] == [200, 429, 403, 503, 404]
    assert [one.get("x-site") for one in answers] == ["a"] * 5
    assert answers[0].get("x-powered-by") is None
    [request] = app.requests
    assert request.get("x-secret") is None
    assert [value for name, value in request.headers if name.lower() == "x-route"] == ["HTTP/1.1"]
