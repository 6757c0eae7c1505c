"""Several access logs: which requests each has, what a line of one's own looks like, and what a config may not say."""
import json
import time

import pytest

from client import Client, encode, get
from configs import http_proxy, tcp_proxy
from origin import answer
from sluice import run_cli
from test_tls import connect, fetch, files, settings

PATH = "%REQ(:PATH)%"


def by_path(peer):
    """Answers `/404/x` with 404, and so on; `/slow` late."""
    while request := peer.read_request():
        first = request.target.split("?")[0].split("/")[1]
        if first == "slow":
            time.sleep(0.15)
        peer.send(answer(b"ok", status=int(first) if first.isdigit() else 200))


def plain(peer):
    while peer.read_request():
        peer.send(answer(b""))


@pytest.fixture
def logs(sluice, origin, tmp_path):
    """`logs(when, …)` gives a function that asks for targets and gives back which of them each of the logs has."""
    def start(*conditions, script=by_path, **settings):
        entries = [{"to": str(tmp_path / f"{number}.log"), "format": PATH, **({"when": when} if when else {})}
                   for number, when in enumerate(conditions)]
        proxy = sluice(http_proxy(origin(script).endpoint, access_log=entries, workers=1, **settings))

        def ask(*targets, **request):
            with Client(proxy.address()) as client:
                for target in targets:
                    client.request(target=target, **request)
            proxy.stop()
            return [(tmp_path / f"{number}.log").read_text().split() for number in range(len(entries))]
        return ask
    return start


# MARK: Which requests

def test_each_log_has_its_requests(logs):
    ask = logs(None, {"status": "500-599"}, {"status": [404, "5xx"]}, {"status": ">=400"}, {"status": "<400"})
    assert ask("/200", "/404", "/503", "/302") == [
        ["/200", "/404", "/503", "/302"], ["/503"], ["/404", "/503"], ["/404", "/503"], ["/200", "/302"]]


def test_slow_requests_have_a_log(logs):
    assert logs({"min_duration": "100ms"}, {"min_duration": "1m"})("/200", "/slow") == [["/slow"], []]


def test_requests_may_be_told_by_what_routes_tell_them_by(logs):
    ask = logs({"request": {"prefix": "/a"}}, {"not": {"request": {"path": "/healthz"}}},
               {"request": {"methods": ["GET"], "headers": {"x-a": "1"}}}, {"request": {"query": {"q": "2"}}})
    assert ask("/a/1", "/healthz", "/b?q=2", headers={"X-A": "1"}) == [
        ["/a/1"], ["/a/1", "/b?q=2"], ["/a/1", "/healthz", "/b?q=2"], ["/b?q=2"]]


def test_conditions_hold_together_or_one_of_them_or_none(logs):
    ask = logs({"status": "5xx", "request": {"prefix": "/503/a"}},
               {"any": [{"status": "5xx"}, {"request": {"prefix": "/200/a"}}]},
               {"not": [{"status": "5xx"}, {"request": {"prefix": "/200/a"}}]},
               {"status": "<600", "any": [{"not": {"status": 503}}, {"request": {"path": "/503/a"}}]})
    assert ask("/200/a", "/200/b", "/503/a", "/503/b") == [
        ["/503/a"], ["/200/a", "/503/a", "/503/b"], ["/200/b"], ["/200/a", "/200/b", "/503/a"]]


def test_flags_and_reasons_tell_failures(sluice, origin, refused):
    entries = [{"to": "stdout", "format": f"{name} %RESPONSE_FLAGS% %RESPONSE_FLAGS_LONG% {PATH}", "when": when}
               for name, when in {"any": {"flags": "any"}, "none": {"not": {"flags": "any"}}, "uf": {"flags": "UF"},
                                  "long": {"flags": ["NoRouteFound", "DC"]}, "reason": {"reasons": "upstream"},
                                  "exact": {"reasons": ["upstream.connect_refused"]},
                                  "part": {"reasons": "upstream.connect"}}.items()]
    routes = [{"match": {"prefix": "/good"}, "to": "good"}, {"match": {"prefix": "/bad"}, "to": "app"}]
    proxy = sluice(http_proxy(refused, routes=routes, clusters={"good": {"endpoints": [origin().endpoint]}},
                              access_log=entries, workers=1))
    for target in ("/good", "/bad", "/none"):
        get(proxy.address(), target)
    proxy.stop()
    uf, nr = "UF UpstreamConnectionFailure /bad", "NR NoRouteFound /none"
    assert sorted(proxy.stdout.lines) == sorted([
        f"any {uf}", f"any {nr}", "none - - /good", f"uf {uf}", f"long {nr}", f"reason {uf}", f"exact {uf}"])


def test_a_connection_without_http_has_no_request_to_tell_it_by(sluice, origin, refused, tmp_path):
    entries = [{"to": str(tmp_path / name), "format": "%RESPONSE_FLAGS% %ACCESS_LOG_TYPE%", "when": when}
               for name, when in {"flags": {"flags": "UF"}, "request": {"request": {"prefix": "/"}},
                                  "not": {"not": {"request": {"prefix": "/"}}}, "status": {"status": 0}}.items()]
    proxy = sluice({**tcp_proxy(refused), "access_log": entries})
    with Client(proxy.address()) as client:
        client.read_to_end()
    proxy.stop()
    lines = {file.name: file.read_text() for file in tmp_path.iterdir() if file.name in ("flags", "request", "not", "status")}
    line = "UF TcpConnectionEnd\n"
    assert lines == {"flags": line, "request": "", "not": line, "status": line}


# MARK: Samples

def test_a_sample_is_fair_and_the_smaller_is_part_of_the_larger(logs):
    """4000 requests: each share is within five standard deviations, in the first half as in the second."""
    ask = logs({"sample": "10%"}, {"sample": "50%"}, {"sample": "100%"}, {"sample": "0.1%"}, {"sample": "0"},
               script=plain)
    tenth, half, all_, few, none = ask(*[f"/{number}" for number in range(4000)])
    assert len(all_) == 4000 and none == [] and len(few) <= 20
    assert 400 - 95 <= len(tenth) <= 400 + 95 and 2000 - 160 <= len(half) <= 2000 + 160
    assert set(few) <= set(tenth) <= set(half)
    early = [path for path in half if int(path[1:]) < 2000]
    assert 1000 - 112 <= len(early) <= 1000 + 112
    # No pattern: neighbours are as often both in it as chance has it.
    numbers = {int(path[1:]) for path in half}
    both = sum(1 for number in range(3999) if number in numbers and number + 1 in numbers)
    assert 1000 - 200 <= both <= 1000 + 200


# MARK: Lines of one's own

def test_an_object_of_ones_own_keeps_types_and_nesting(sluice, origin):
    fields = {"path": PATH, "status": "%RESPONSE_CODE%", "none": "%ROUTE_NAME%", "text": "s=%RESPONSE_CODE% %REQ(x)%",
              "time": {"us": "%COMMON_DURATION(DS_RX_BEG:DS_TX_END:us)%", "start": "%START_TIME(%Y)%"},
              "list": ["%PROTOCOL%", 7, True, None, "%REQ(none)%"], "port": "%DOWNSTREAM_LOCAL_PORT%", "v": 1.5}
    proxy = sluice(http_proxy(origin().endpoint, routes=[{"to": "app"}], access_log={"to": "stdout", "format": fields}))
    get(proxy.address(), "/a")
    got = json.loads(proxy.wait_stdout("{"))
    assert got["time"].pop("us") >= 0 and 2020 < int(got["time"].pop("start")) < 2100
    assert got == {"path": "/a", "status": 200, "none": None, "text": "s=200 -", "time": {},
                   "list": ["HTTP/1.1", 7, True, None, None], "port": proxy.address()[1], "v": 1.5}


def test_members_without_a_value_may_be_left_out(sluice, origin):
    log = {"to": "stdout", "format": {"a": "%REQ(none)%", "b": {"c": "%ROUTE_NAME%"}, "d": PATH}, "omit_empty": True}
    proxy = sluice(http_proxy(origin().endpoint, routes=[{"to": "app"}], access_log=log))
    get(proxy.address(), "/x")
    assert proxy.wait_stdout("{") == '{"b":{},"d":"/x"}'
    proxy = sluice(http_proxy(origin().endpoint, access_log={"to": "stdout", "format": "json", "omit_empty": True}))
    get(proxy.address(), "/x")
    line = json.loads(proxy.wait_stdout("{"))
    assert line["path"] == "/x" and None not in line.values() and "response_flags" not in line


HOSTILE = [bytes([n]) for n in (*range(0x20, 0x7F), *range(0x80, 0x100), 0x09)] + [
    b"\xe2\x82\xac", b"\xe2\x82", b"\xed\xa0\x80", b"\xf0\x9f\x98\x80", b"\xc0\xaf", b"\\u0041", b"\\", b'","x":"',
    b"\xf4\x90\x80\x80", b"\xff" * 20]


def test_json_is_strict_whatever_a_client_sends(sluice, origin, tmp_path):
    """A field's bytes come out as the same text, and what is no text as U+FFFD."""
    path = tmp_path / "log"
    log = {"to": str(path), "format": {"a": "%REQ(x-a)%", "b": "<%REQ(x-a)%>", "cut": "%REQ(x-a):1%"}}
    proxy = sluice(http_proxy(origin().endpoint, access_log=log, workers=1))
    with Client(proxy.address()) as client:
        for value in HOSTILE:
            client.send(b"GET / HTTP/1.1\r\nHost: a\r\nX-A: <" + value + b">\r\n\r\n")
            client.read_response()
    proxy.stop()
    lines = path.read_bytes().split(b"\n")
    assert lines.pop() == b"" and len(lines) == len(HOSTILE)
    for line, value in zip(lines, HOSTILE):
        entry = json.loads(line.decode("utf-8", "strict"))
        valid = value.decode("utf-8", "replace")
        if "\N{REPLACEMENT CHARACTER}" not in valid:
            assert entry["a"] == f"<{valid}>"
        else:
            # How many bytes stand for one character that is none is a matter of taste.
            assert entry["a"].replace("\N{REPLACEMENT CHARACTER}", "") == f"<{valid}>".replace(
                "\N{REPLACEMENT CHARACTER}", "")
        assert entry["b"] == f"<{entry['a']}>" and entry["cut"] == "<"


def test_a_format_with_a_line_end_writes_one(sluice, origin):
    proxy = sluice(http_proxy(origin().endpoint, access_log={"to": "stdout", "format": PATH + "\n"}, workers=1))
    for target in ("/1", "/2"):
        get(proxy.address(), target)
    proxy.stop()
    assert proxy.stdout.lines == ["/1", "/2"]


# MARK: What variables say

def test_what_is_known_of_both_connections(sluice, origin):
    one = origin()
    names = ["UPSTREAM_LOCAL_ADDRESS", "UPSTREAM_REMOTE_ADDRESS", "UPSTREAM_HOST_NAME", "UPSTREAM_CONNECTION_ID",
             "CONNECTION_ID", "DOWNSTREAM_DIRECT_LOCAL_ADDRESS", "FILTER_CHAIN_NAME", "UNIQUE_ID", "UPSTREAM_TLS_VERSION"]
    log = {"to": "stdout", "format": {name: f"%{name}%" for name in names}}
    port = one.endpoint.rpartition(":")[2]
    proxy = sluice(http_proxy(f"localhost:{port}", access_log=log, workers=1))
    for _ in range(2):
        with Client(proxy.address()) as client:
            client.request()
    proxy.wait_stdout("{", since=1)
    first, second = (json.loads(line) for line in proxy.stdout.lines)
    assert first["UPSTREAM_LOCAL_ADDRESS"].startswith("127.0.0.1:") and first["UPSTREAM_REMOTE_ADDRESS"] == one.endpoint
    assert first["UPSTREAM_HOST_NAME"] == f"localhost:{port}"
    assert first["UPSTREAM_CONNECTION_ID"] == second["UPSTREAM_CONNECTION_ID"], "it was kept"
    ids = [line[name] for line in (first, second) for name in ("CONNECTION_ID", "UPSTREAM_CONNECTION_ID")]
    assert len(set(ids)) == 3, "no connection has the number of another"
    assert first["DOWNSTREAM_DIRECT_LOCAL_ADDRESS"] == "%s:%d" % proxy.address()
    assert first["FILTER_CHAIN_NAME"] is None and first["UPSTREAM_TLS_VERSION"] is None
    assert first["UNIQUE_ID"] != second["UNIQUE_ID"]


def test_bytes_of_heads_are_those_on_the_wire(sluice, origin):
    heads = []

    def script(peer):
        request = peer.read_request()
        peer.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX: y\r\n\r\n1\r\na\r\n0\r\nTrail: er\r\n\r\n")
        peer.wait_end()
    names = ["REQUEST_HEADERS_BYTES", "RESPONSE_HEADERS_BYTES", "RESPONSE_TRAILERS_BYTES", "UPSTREAM_HEADER_BYTES_SENT",
             "UPSTREAM_HEADER_BYTES_RECEIVED"]
    log = {"to": "stdout", "format": {**{name: f"%{name}%" for name in names}, "trailer": "%TRAILER(trail)%"}}
    proxy = sluice(http_proxy(origin(script).endpoint, access_log=log))
    sent = b"GET / HTTP/1.1\r\nHost: a\r\nTE: trailers\r\n\r\n"
    with Client(proxy.address()) as client:
        client.send(sent)
        client.read_response()
        line = json.loads(proxy.wait_stdout("{"))
    assert line["REQUEST_HEADERS_BYTES"] == len(sent)
    assert line["UPSTREAM_HEADER_BYTES_RECEIVED"] == len(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX: y\r\n\r\n")
    assert 40 < line["RESPONSE_HEADERS_BYTES"] < 300 and 40 < line["UPSTREAM_HEADER_BYTES_SENT"] < 400
    assert line["trailer"] == "er"


def test_all_endpoints_of_a_request_that_was_tried_again(sluice, origin, refused):
    log = {"to": "stdout", "format": "%UPSTREAM_HOSTS_ATTEMPTED% %UPSTREAM_REQUEST_ATTEMPT_COUNT% %UPSTREAM_HOST%"}
    failing = origin(lambda peer: peer.read_request())
    good = origin()
    config = http_proxy(failing.endpoint, good.endpoint, access_log=log, workers=1,
                        filters=[{"retry": {"on": ["reset"], "attempts": 2, "backoff": {"base": "1ms"}}}])
    proxy = sluice(config)
    for _ in range(30):
        get(proxy.address())
    proxy.stop()
    # Which endpoint is tried first is for the balancer to say.
    twice = f"{failing.endpoint},{good.endpoint} 2 {good.endpoint}"
    assert twice in proxy.stdout.lines and set(proxy.stdout.lines) <= {twice, f"{good.endpoint} 1 {good.endpoint}"}


def test_the_name_of_the_chain_and_the_time_of_its_handshake(sluice, origin, files):
    chains = [{"name": "secure", "match": {"tls": True},
               "chain": [{"tls": settings(files)}, "http", {"router": {"to": "app"}}]},
              {"chain": ["http", {"router": {"to": "app"}}]}]
    log = {"to": "stdout", "format": {"chain": "%FILTER_CHAIN_NAME%", "ms": "%DOWNSTREAM_HANDSHAKE_DURATION%",
                                      "us": "%COMMON_DURATION(DS_CX_BEG:DS_HS_END:us)%", "g": "%DOWNSTREAM_TLS_GROUP%"}}
    config = http_proxy(origin().endpoint, access_log=log, workers=1)
    config["listeners"]["inbound"] = {"bind": "127.0.0.1:0", "chains": chains}
    proxy = sluice(config)
    get(proxy.address())
    assert json.loads(proxy.wait_stdout("{")) == {"chain": None, "ms": None, "us": None, "g": None}
    with connect(proxy.address()) as client:
        fetch(client)
    line = json.loads(proxy.wait_stdout("secure"))
    assert line["chain"] == "secure" and line["us"] > 0 and line["ms"] == line["us"] // 1000 and line["g"]


# MARK: Config

def test_a_listener_takes_what_it_does_not_say_from_the_only_log_at_the_top(sluice, origin, tmp_path):
    top = {"to": str(tmp_path / "top"), "format": f"top {PATH}", "when": {"status": "4xx"}}
    config = http_proxy(origin(by_path).endpoint, access_log=top, workers=1)
    chain = config["listeners"]["inbound"]["chain"]
    config["listeners"]["format"] = {"bind": "127.0.0.1:0", "chain": chain, "access_log": {"format": f"own {PATH}"}}
    config["listeners"]["when"] = {"bind": "127.0.0.1:0", "chain": chain, "access_log": {"when": {"status": "5xx"}}}
    config["listeners"]["off"] = {"bind": "127.0.0.1:0", "chain": chain, "access_log": "off"}
    proxy = sluice(config)
    for name in ("inbound", "format", "when", "off"):
        for status in (200, 404, 503):
            get(proxy.address(name), f"/{status}/{name}")
    proxy.stop()
    assert sorted((tmp_path / "top").read_text().splitlines()) == [
        "own /404/format", "top /404/inbound", "top /503/when"]


def test_a_reload_changes_logs_and_conditions_under_a_connection(sluice, origin, tmp_path):
    def config(*whens):
        logs = [{"to": str(tmp_path / f"{name}.log"), "format": PATH, "when": {"status": when}} for name, when in whens]
        return http_proxy(origin_endpoint, access_log=logs, workers=1)
    origin_endpoint = origin(by_path).endpoint
    proxy = sluice(config(("a", "2xx")))
    get(proxy.address(), "/200/1")
    proxy.reload(config(("a", "4xx"), ("b", "2xx")))
    for target in ("/200/2", "/404/3"):
        get(proxy.address(), target)
    proxy.stop()
    assert (tmp_path / "a.log").read_text().split() == ["/200/1", "/404/3"]
    assert (tmp_path / "b.log").read_text().split() == ["/200/2"]


def test_a_listener_with_logs_of_its_own_is_not_touched_when_others_change(sluice, origin, tmp_path):
    def config(top):
        config = http_proxy(origin_endpoint, access_log=top, workers=1)
        config["listeners"]["own"] = {**config["listeners"]["inbound"], "access_log": str(tmp_path / "own")}
        return config
    origin_endpoint = origin(by_path).endpoint
    proxy = sluice(config("off"))
    with Client(proxy.address("own")) as kept, Client(proxy.address("inbound")) as changed:
        assert kept.request(target="/200").status == changed.request(target="/200").status == 200
        proxy.reload(config(str(tmp_path / "top")))
        assert kept.request(target="/200").get("connection") != "close"
        changed.read_to_end()


# Each with the text at which the message points, and words of it.
WRONG = [
    ({"to": "stdout", "format": "a %UPSTREAM_HSOT% b"}, "%UPSTREAM_HSOT%", ["did you mean `%UPSTREAM_HOST%`"]),
    ({"to": "stdout", "format": "%DYNAMIC_METADATA(a:b)%"}, "%DYNAMIC_METADATA(a:b)%",
     ["is a variable of Envoy that Sluice does not have"]),
    ({"to": "stdout", "format": {"a": {"b": ["%DURATION%", "x%CEL(a)%"]}}}, "%CEL(a)%", ["Sluice does not have"]),
    ({"to": "stdout", "format": "%COMMON_DURATION(DS_RX_BEG:DS_RX_ENT)%"}, "%COMMON_DURATION(DS_RX_BEG:DS_RX_ENT)%",
     ["no point `DS_RX_ENT`", "did you mean `DS_RX_END`"]),
    ({"to": "stdout", "format": "\u20ac\u20ac %NOPE%"}, "%NOPE%", ["unknown variable"]),
    ({"to": "stdout", "format": ["%PATH%"]}, "[", ["expected `text`, `json`", "found a list"]),
    ({"to": "stdout", "format": {}}, "{", ["an empty mapping"]),
    ({"to": "stdout", "format": "Json"}, '"Json"', ["no variable", "did you mean `json`"]),
    ({"to": "stdout", "format": {"a": "b", "c": 1}}, '{', ["no variable", "`%REQ(:PATH)%`"]),
    ({"to": "stdot"}, '"stdot"', ["nor plainly a path", "did you mean `stdout`"]),
    ("logs", '"logs"', ["nor plainly a path", "write `./logs`"]),
    ({"to": "stdout", "omit_empty": True}, 'true', ["only JSON"]),
    ({"to": "stdout", "when": {"status": ["5xx", "abc"]}}, '"abc"', ["no status", "`5xx`"]),
    ({"to": "stdout", "when": {"flags": ["UF", "UG"]}}, '"UG"', ["no flag `UG`"]),
    ({"to": "stdout", "when": {"flags": "upstreamoverflow"}}, '"upstreamoverflow"', ["no flag"]),
    ({"to": "stdout", "when": {"reasons": ["tls", "upstream.conect_refused"]}}, '"upstream.conect_refused"',
     ["no known reason", "did you mean `upstream.connect_refused`"]),
    ({"to": "stdout", "when": {"any": [{"not": {"reasons": "upstrem"}}]}}, '"upstrem"', ["did you mean `upstream`"]),
    ({"to": "stdout", "when": {"sample": "120%"}}, '"120%"', ["at most 100%"]),
    ({"to": "stdout", "when": {"min_duration": 5}}, "5", ["expected a duration"]),
    ({"to": "stdout", "when": {"staus": 200}}, '"staus"', ["did you mean `status`"]),
    ({"to": "stdout", "when": {"request": {"regex": "("}}}, '"("', ["the expression cannot be used"]),
    ({"to": "stdout", "when": {"any": [{"status": 200}, {"not": {"status": "x"}}]}}, '"x"', ["no status"]),
    ({"to": "stdout", "when": {}}, '"when"', ["there is no condition"]),
    ([{"to": "stdout"}, {"format": "json"}], '"format"', ["the key `to` is missing"]),
]


@pytest.mark.parametrize("log, spot, words", WRONG, ids=[str(number) for number in range(len(WRONG))])
def test_what_is_wrong_is_told_where_it_stands(log, spot, words, tmp_path):
    text = json.dumps({**http_proxy("127.0.0.1:1"), "access_log": log}, indent=1, ensure_ascii=False)
    file = tmp_path / "sluice.yaml"
    file.write_text(text)
    done = run_cli("check", "--format", "json", str(file))
    [entry] = json.loads(done.stdout)
    line = text.splitlines()[entry["line"] - 1]
    assert line[entry["column"] - 1:].startswith(spot), (entry, line)
    assert all(word in json.dumps(entry, ensure_ascii=False) for word in words), entry


def test_all_that_is_wrong_with_logs_is_told_in_one_run(tmp_path):
    config = http_proxy("127.0.0.1:1", access_log={"to": "stdout", "format": "%A%", "when": {"status": "x"}},
                        listener={"access_log": [{"to": "stdout", "format": "%B%", "when": {"flags": "y"}}]})
    file = tmp_path / "sluice.yaml"
    file.write_text(json.dumps(config, indent=1))
    done = run_cli("check", "--format", "json", str(file))
    messages = [entry["message"] for entry in json.loads(done.stdout)]
    assert len(messages) == 4, messages
    for word in ("%A%", "%B%", "`x`", "`y`"):
        assert any(word in message for message in messages)
