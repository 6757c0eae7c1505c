"""The router finds the first route that matches, and does what it says."""
import collections
import json

import pytest

from client import Client, get
from configs import cluster, http_proxy
from origin import answer
from sluice import run_cli


def named(name):
    """An origin that tells its name."""
    def script(peer):
        while peer.read_request():
            peer.send(answer(name.encode(), headers=[("X-From", name)]))
    return script


def responders(*routes):
    """A proxy whose routes answer with their names, in place of clusters."""
    return http_proxy(routes=[{"name": name, **({"match": match} if match else {}), "respond": {"body": name}}
                              for name, match in routes])


def matched(address, target="/", **request):
    response = get(address, target, **request)
    return response.body.decode() if response.status == 200 else response.status


# Matching

def test_the_first_route_that_matches_takes_the_request(sluice):
    address = sluice(responders(
        ("exact", {"path": "/a"}), ("prefix", {"prefix": "/a"}), ("regex", {"regex": "/[0-9]+"}),
        ("post", {"prefix": "/p", "methods": ["POST"]}), ("late", {"path": "/ab"}))).address()
    assert matched(address, "/a") == "exact"
    assert matched(address, "/a?b") == "exact"
    assert matched(address, "/ab") == "prefix"
    assert matched(address, "/12") == "regex"
    assert matched(address, "/12x") == 404
    assert matched(address, "/p", method="POST") == "post"
    assert matched(address, "/p") == 404


def test_routes_are_found_by_host_whatever_its_case_and_port(sluice):
    address = sluice(responders(
        ("api", {"host": "api.example.com"}), ("below", {"host": ["*.example.com", "*.example.org"]}),
        ("rest", {"host": "*", "path": "/all"}))).address()
    assert matched(address, host="API.example.com:8080") == "api"
    assert matched(address, host="a.b.example.com") == "below"
    assert matched(address, host="x.example.org") == "below"
    assert matched(address, host="example.org") == 404
    assert matched(address, "/all", host="example.org") == "rest"


def test_routes_are_found_by_fields_and_parameters(sluice):
    address = sluice(responders(
        ("two", {"headers": {"X-Version": "2"}}), ("debug", {"headers": {"x-debug": {"present": True}}}),
        ("beta", {"headers": {"x-v": {"prefix": "b"}}}), ("query", {"query": {"debug": "1"}}),
        ("bot", {"headers": {"user-agent": {"regex": ".*bot.*"}}}),
        ("human", {"headers": {"cookie": {"contains": "sid=", "invert": True}}}))).address()
    assert matched(address, headers={"x-version": "2"}) == "two"
    assert matched(address, headers={"x-version": "3", "x-debug": ""}) == "debug"
    assert matched(address, headers={"x-v": "beta"}) == "beta"
    assert matched(address, "/?a=b&debug=1") == "query"
    assert matched(address, headers={"User-Agent": "a bot"}) == "bot"
    assert matched(address) == "human"
    assert matched(address, headers={"cookie": "a=b; sid=1"}) == 404


def test_what_no_route_takes_is_answered_404_and_the_connection_lives_on(sluice, origin):
    with Client(sluice(http_proxy(origin().endpoint, route={"match": {"path": "/here"}})).address()) as client:
        assert client.request(target="/there").status == 404
        assert client.request(target="/here").status == 200


def test_to_takes_what_no_route_takes(sluice, origin):
    chain = ["http", {"router": {"to": "app", "routes": [{"match": {"path": "/x"}, "respond": 204}]}}]
    address = sluice({"listeners": {"inbound": {"bind": "127.0.0.1:0", "chain": chain}},
                      "clusters": {"app": cluster(origin(named("app")).endpoint)}}).address()
    assert get(address, "/x").status == 204
    assert matched(address, "/y") == "app"


def test_a_router_may_be_a_cluster_s_name(sluice, origin):
    address = sluice({"listeners": {"inbound": {"bind": "127.0.0.1:0", "chain": ["http", {"router": "app"}]}},
                      "clusters": {"app": cluster(origin(named("app")).endpoint)}}).address()
    assert matched(address) == "app"


def test_thousands_of_routes_are_all_found(sluice):
    routes = [(f"r{n}", {"host": f"h{n % 50}.example", "prefix": f"/p{n}/"}) for n in range(5000)]
    address = sluice(responders(*routes)).address()
    with Client(address) as client:
        for n in (0, 49, 50, 2500, 4999):
            assert client.request(target=f"/p{n}/x", host=f"h{n % 50}.example").body == b"r%d" % n
        assert client.request(target="/p1/x", host="h2.example").status == 404


# Where requests go

def test_each_route_has_its_own_cluster(sluice, origin):
    one, two = origin(named("one")), origin(named("two"))
    address = sluice(http_proxy(
        routes=[{"match": {"prefix": "/1"}, "to": "one"}, {"match": {"prefix": "/2"}, "to": "two"}],
        clusters={"one": cluster(one.endpoint), "two": cluster(two.endpoint)})).address()
    assert (matched(address, "/1"), matched(address, "/2")) == ("one", "two")


def test_a_split_divides_requests_by_weight(sluice, origin):
    one, two, none = origin(named("one")), origin(named("two")), origin(named("none"))
    address = sluice(http_proxy(
        routes=[{"split": {"one": 90, "two": 10, "none": 0}}],
        clusters={n: cluster(o.endpoint) for n, o in {"one": one, "two": two, "none": none}.items()})).address()
    with Client(address) as client:
        count = collections.Counter(client.request().body.decode() for _ in range(1000))
    # Six standard deviations to either side of 100.
    assert 43 < count["two"] < 157 and count["one"] == 1000 - count["two"]


def test_the_path_is_rewritten_and_the_old_one_told(sluice, origin):
    one = origin()
    address = sluice(http_proxy(one.endpoint, routes=[
        {"match": {"prefix": "/v1"}, "to": "app", "rewrite": {"prefix": "/"}},
        {"match": {"path": "/whole"}, "to": "app", "rewrite": {"path": "/x", "host": "other.internal:81"}},
        {"match": {"prefix": "/re"}, "to": "app", "rewrite": {"regex": {"pattern": "^/re/(.*)", "with": "/b/\\1"}}},
        {"to": "app"}])).address()
    for target in ("/v1/items?q=1", "/whole?q", "/re/c/d?/re/e", "/plain"):
        assert get(address, target, host="client.example").status == 200
    assert [r.target for r in one.requests] == ["/items?q=1", "/x?q", "/b/c/d?/re/e", "/plain"]
    assert [r.get("x-envoy-original-path") for r in one.requests] == ["/v1/items?q=1", "/whole?q", "/re/c/d?/re/e", None]
    assert [r.get("host") for r in one.requests] == [
        "client.example", "other.internal:81", "client.example", "client.example"]


def test_fields_are_edited_with_variables_in_both_directions(sluice, origin):
    def script(peer):
        while peer.read_request():
            peer.send(answer(b"ok", headers=[("X-Powered-By", "secrets"), ("X-Up", "1")]))
    one = origin(script)
    config = http_proxy(one.endpoint, route={
        "name": "api",
        "request_headers": {"set": {"x-route": "%ROUTE_NAME%", "x-user": "%REQ(x-checked)%", "x-fixed": "yes"},
                            "add": {"x-more": ["%PROTOCOL%", "%REQ(:PATH)%"]}, "remove": ["cookie"]},
        "response_headers": {"set": {"x-code": "%RESPONSE_CODE% from %UPSTREAM_CLUSTER% %UPSTREAM_HOST%"},
                             "add": {"X-Up": "%RESP(x-up)%%%"}, "remove": ["X-Powered-By"]}})
    address = sluice(config).address()
    response = get(address, "/p", headers={"Cookie": "a", "X-User": "forged", "x-more": "0"})
    request = one.requests[0]
    assert request.get("x-route") == "api" and request.get("x-fixed") == "yes"
    assert not request.has("cookie") and not request.has("x-user")
    assert [value for name, value in request.headers if name.lower() == "x-more"] == ["0", "HTTP/1.1", "/p"]
    assert response.get("x-code") == f"200 from app {one.endpoint}"
    assert [value for name, value in response.headers if name.lower() == "x-up"] == ["1", "1%"]
    assert not response.has("x-powered-by")


def test_edits_for_all_routes_come_after_those_of_the_route(sluice, origin):
    one = origin()
    config = http_proxy(one.endpoint, route={"request_headers": {"set": {"x-a": "route", "x-b": "route"}}})
    config["listeners"]["inbound"]["chain"][-1]["router"] |= {
        "request_headers": {"set": {"x-a": "router"}}, "response_headers": {"set": {"x-out": "router"}}}
    assert get(sluice(config).address()).get("x-out") == "router"
    assert (one.requests[0].get("x-a"), one.requests[0].get("x-b")) == ("router", "route")


def test_a_request_that_may_go_no_further_is_answered_in_the_server_s_place(sluice, origin):
    one = origin()
    with Client(sluice(http_proxy(one.endpoint)).address()) as client:
        options = client.request("OPTIONS", headers={"Max-Forwards": "0"})
        assert options.status == 200 and "GET" in options.get("allow")
        assert client.request("TRACE", headers={"Max-Forwards": "0"}).status == 405
        assert client.request("OPTIONS", headers={"Max-Forwards": "5"}).status == 200
        assert client.request("GET", headers={"Max-Forwards": "0"}).status == 200
    assert [r.get("max-forwards") for r in one.requests] == ["4", "0"]


def test_connect_is_answered_405_with_the_methods_that_are_allowed(sluice, origin):
    one = origin()
    address = sluice(http_proxy(one.endpoint, route={"match": {"methods": ["GET", "CONNECT"]}})).address()
    response = get(address, "db:5432", method="CONNECT", host="db:5432")
    assert (response.status, response.get("allow")) == (405, "GET")
    assert not one.requests


# Answers

@pytest.mark.parametrize("redirect, target, host, location", [
    ("https", "/a?b=c", "a.example", "https://a.example/a?b=c"),
    ({"scheme": "https", "port": 8443}, "/", "a.example:80", "https://a.example:8443/"),
    ({"host": "b.example"}, "/a?b", "a.example:81", "http://b.example/a?b"),
    ("/new", "/old?b", "a.example", "http://a.example/new?b"),
    ({"path": "/new", "strip_query": True}, "/old?b", "a.example", "http://a.example/new"),
    ({"prefix": "/v2"}, "/v1/x?b", "a.example", "http://a.example/v2/x?b"),
], ids=str)
def test_a_redirect_tells_where_to(sluice, redirect, target, host, location):
    route = {"match": {"prefix": "/v1"}} if "prefix" in redirect else {}
    response = get(sluice(http_proxy(routes=[{**route, "redirect": redirect}])).address(), target, host=host)
    assert (response.status, response.get("location"), response.body) == (301, location, b"")


@pytest.mark.parametrize("status", [302, 303, 307, 308])
def test_a_redirect_has_the_status_that_the_route_says(sluice, status):
    config = http_proxy(routes=[{"redirect": {"status": status, "path": "/x"}}])
    assert get(sluice(config).address(), method="POST", body=b"data").status == status


def test_an_answer_of_its_own_has_status_body_and_type(sluice):
    with Client(sluice(http_proxy(routes=[
            {"match": {"path": "/empty"}, "respond": 404},
            {"respond": {"status": 418, "body": "{}", "content_type": "application/json"},
             "response_headers": {"set": {"x-for": "%REQ(:METHOD)% %RESPONSE_CODE%"}}}])).address()) as client:
        response = client.request()
        assert (response.status, response.body, response.get("content-type")) == (418, b"{}", "application/json")
        assert response.get("x-for") == "GET 418"
        head = client.request("HEAD")
        assert (head.status, head.get("content-length")) == (418, "2")
        empty = client.request(target="/empty")
        assert (empty.status, empty.body) == (404, b"")


# Time

def test_an_upstream_that_does_not_answer_in_the_route_s_time_becomes_504(sluice, origin):
    def script(peer):
        peer.read_request()
        peer.wait_end()
    one = origin(script)
    config = http_proxy(one.endpoint, routes=[
        {"match": {"path": "/slow"}, "to": "app", "timeout": "100ms", "response_headers": {"set": {"x-r": "slow"}}},
        {"to": "app", "timeout": 0}])
    response = get(sluice(config).address(), "/slow")
    assert (response.status, response.get("x-r")) == (504, "slow")
    one.wait_for(lambda o: o.peers[0].ended)


def test_a_stream_in_which_nothing_moves_for_the_route_s_idle_time_ends(sluice, origin):
    def script(peer):
        peer.read_request()
        peer.wait_end()
    config = http_proxy(origin(script).endpoint, route={"timeout": 0, "idle_timeout": "100ms"})
    assert get(sluice(config).address()).status == 504


# Settings

def test_a_route_s_settings_for_another_filter_are_used(sluice, origin):
    config = http_proxy(origin().endpoint, filters=["count"], routes=[
        {"match": {"path": "/quiet"}, "to": "app", "filters": {"count": {"responses": False}}}, {"to": "app"}])
    address = sluice(config).address()
    assert [get(address, target).status for target in ("/quiet", "/")] == [200, 200]


def check(tmp_path, routes, filters=()):
    file = tmp_path / "sluice.yaml"
    file.write_text(json.dumps(http_proxy("127.0.0.1:1", routes=routes, filters=filters)))
    done = run_cli("check", "--format", "json", str(file))
    assert done.returncode in (0, 1), done.stderr
    return done


@pytest.mark.parametrize("route, path, words", [
    ({}, "routes[0]", "leads nowhere"),
    ({"to": "app", "respond": 404}, "routes[0].respond", "exclude each other"),
    ({"to": "apq"}, "routes[0].to", "app"),
    ({"split": {"app": 1, "nope": 1}}, "routes[0].split.nope", "nope"),
    ({"split": {"app": 0}}, "routes[0].split", "above 0"),
    ({"to": "app", "match": {"regex": "(a"}}, "routes[0].match.regex", "expression cannot be used"),
    ({"to": "app", "match": {"path": "/a", "prefix": "/b"}}, "routes[0].match.prefix", "exclude"),
    ({"to": "app", "match": {"path": "a"}}, "routes[0].match.path", "begins with"),
    ({"to": "app", "match": {"host": "a.example:80"}}, "routes[0].match.host", "port does not matter"),
    ({"to": "app", "match": {"host": ["a", "x.*.b"]}}, "routes[0].match.host[1]", "first label"),
    ({"to": "app", "match": {"headers": {"x-a": {}}}}, "routes[0].match.headers.x-a", "no test"),
    ({"to": "app", "request_headers": {"set": {"x": "%NOPE%"}}}, "routes[0].request_headers.set.x", "unknown variable"),
    ({"to": "app", "request_headers": {"set": {"x": "%UPSTREAM_HSOT%"}}}, "routes[0].request_headers.set.x",
     "%UPSTREAM_HOST%"),
    ({"to": "app", "response_headers": {"remove": ["content-length"]}}, "routes[0].response_headers.remove[0]",
     "set by the codec"),
    ({"to": "app", "rewrite": {"prefix": "/"}}, "routes[0].rewrite.prefix", "no `match.prefix`"),
    ({"to": "app", "rewrite": {"regex": {"pattern": "(a)", "with": "\\2"}}}, "routes[0].rewrite.regex.with",
     "does not fit"),
    ({"redirect": {"status": 200, "path": "/"}}, "routes[0].redirect.status", "does not redirect"),
    ({"redirect": {}}, "routes[0].redirect", "came from"),
    ({"respond": {"status": 204, "body": "x"}}, "routes[0].respond.body", "has no body"),
    ({"to": "app", "upgrades": ["h2c"]}, "routes[0].upgrades[0]", "never passed on"),
    ({"to": "app", "hash": {}}, "routes[0].hash", "nothing to hash"),
    ({"to": "app", "filters": {"cuont": {}}}, "routes[0].filters", "count"),
    ({"to": "app", "filters": {"count": {"response": False}}}, "routes[0].filters", "response"),
], ids=lambda value: json.dumps(value) if isinstance(value, dict) else "")
def test_what_is_wrong_with_a_route_is_said_at_its_place(tmp_path, route, path, words):
    done = check(tmp_path, [route], filters=["count"])
    assert done.returncode == 1, done.stdout
    found = json.loads(done.stdout)
    text = json.dumps(found, ensure_ascii=False)
    assert words in text and path in text, done.stdout
