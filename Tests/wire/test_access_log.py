"""The access log: one line for each request, also for those that Sluice answered itself or never understood."""
import datetime
import json
import re
import select
import threading
import time

import pytest

from client import Client, encode, get
from configs import http_proxy, tcp_proxy
from origin import OK, answer

LINE = re.compile(
    r'\[(?P<time>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)\] "(?P<method>\S+) (?P<path>\S+) (?P<protocol>\S+)" '
    r'(?P<status>\d+) (?P<flags>\S+) (?P<received>\d+) (?P<sent>\d+) (?P<duration>\d+) (?P<service>\S+) '
    r'"(?P<forwarded>[^"]*)" "(?P<agent>[^"]*)" "(?P<id>[^"]*)" "(?P<authority>[^"]*)" "(?P<host>[^"]*)"')


@pytest.fixture
def logged(sluice, origin):
    """`logged(script, **settings)` gives (proxy, origin) of a proxy that logs to its standard output."""
    def start(script=None, log="stdout", **settings):
        one = origin(script) if script else origin()
        return sluice(http_proxy(one.endpoint, access_log=log, workers=1, **settings)), one
    return start


def line_of(proxy, number=0):
    """A line of the access log, by its number, in its parts."""
    proxy.wait_stdout("", since=number)
    match = LINE.fullmatch(proxy.stdout.lines[number])
    assert match, proxy.stdout.lines[number]
    return match.groupdict()


# MARK: Connections without HTTP

def tcp_line(proxy):
    line = line_of(proxy)
    assert (line["method"], line["path"], line["protocol"], line["status"]) == ("-", "-", "-", "0")
    return line["flags"], line["received"], line["sent"], line["host"]


def echo(peer):
    while peer.fill():
        peer.send(b"two" * 2)


def test_a_raw_connection_has_a_line_at_its_end(sluice, origin):
    one = origin(echo)
    proxy = sluice({**tcp_proxy(one.endpoint), "access_log": "stdout"})
    with Client(proxy.address()) as client:
        client.send(b"one")
        client.read_exactly(6)
        assert proxy.stdout.lines == []
    assert tcp_line(proxy) == ("-", "3", "6", one.endpoint)


def test_a_raw_connection_that_breaks_says_which_side_it_was(sluice, origin, refused):
    one = origin(echo)
    proxy = sluice({**tcp_proxy(one.endpoint), "access_log": "stdout"})
    client = Client(proxy.address())
    client.send(b"one")
    client.read_exactly(6)
    client.reset()
    assert tcp_line(proxy) == ("DC", "3", "6", one.endpoint)
    two = origin(lambda peer: peer.fill() and peer.reset())
    proxy = sluice({**tcp_proxy(two.endpoint), "access_log": "stdout"})
    with Client(proxy.address()) as client:
        client.send(b"one")
        client.read_to_end()
    assert tcp_line(proxy) == ("UC", "3", "0", two.endpoint)
    proxy = sluice({**tcp_proxy(refused), "access_log": {"to": "stdout", "format": "json"}})
    with Client(proxy.address()) as client:
        client.read_to_end()
    proxy.wait_stdout("")
    line = json.loads(proxy.stdout.lines[0])
    assert (line["response_flags"], line["response_code_details"]) == ("UF", "upstream.connect_refused")
    assert line["method"] is None and line["bytes_sent"] == 0


def test_a_raw_connection_that_is_idle_or_cut_by_the_end_has_its_line(sluice, origin):
    one = origin(echo)
    proxy = sluice({**tcp_proxy(one.endpoint, idle_timeout="100ms"), "access_log": "stdout"})
    with Client(proxy.address()) as client:
        client.read_to_end()
    assert tcp_line(proxy) == ("SI", "0", "0", one.endpoint)
    proxy = sluice({**tcp_proxy(one.endpoint), "access_log": "stdout", "drain_timeout": "100ms"})
    with Client(proxy.address()) as client:
        client.send(b"one")
        client.read_exactly(6)
        proxy.stop()
        assert tcp_line(proxy) == ("LR", "3", "6", one.endpoint)


# MARK: The usual line

def test_a_proxied_request_has_all_its_parts(logged):
    def script(peer):
        while peer.read_request():
            time.sleep(0.05)
            peer.send(answer(b"0123456789"))
    proxy, one = logged(script)
    begin = datetime.datetime.now(datetime.UTC)
    with Client(proxy.address()) as client:
        client.request("POST", "/path?q=1", host="shop.example:81", body=b"hello",
                       headers={"User-Agent": "test/1.0 (x)", "X-Request-Id": "11111111-2222-4333-8444-555555555555"})
    line = line_of(proxy)
    when = datetime.datetime.fromisoformat(line["time"])
    assert abs((when - begin).total_seconds()) < 2
    assert (line["method"], line["path"], line["protocol"]) == ("POST", "/path?q=1", "HTTP/1.1")
    assert (line["status"], line["flags"]) == ("200", "-")
    assert (line["received"], line["sent"]) == ("5", "10")
    assert 50 <= int(line["duration"]) < 2000
    assert line["forwarded"] == one.requests[0].get("x-forwarded-for") == "127.0.0.1"
    assert line["agent"] == "test/1.0 (x)"
    assert line["id"] == one.requests[0].get("x-request-id")
    assert (line["authority"], line["host"]) == ("shop.example:81", one.endpoint)


def test_what_is_not_there_is_a_dash(logged):
    proxy, _ = logged(http={"request_id": False})
    with Client(proxy.address()) as client:
        client.request()
    line = line_of(proxy)
    assert (line["agent"], line["id"], line["received"]) == ("-", "-", "0")


def test_the_upstreams_time_runs_until_its_first_byte(logged):
    def script(peer):
        peer.read_request()
        time.sleep(0.1)
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\na")
        time.sleep(0.2)
        peer.send(b"b")
    proxy, _ = logged(script)
    get(proxy.address())
    line = line_of(proxy)
    assert 100 <= int(line["service"]) <= int(line["duration"]) - 150


def test_each_request_of_a_connection_has_a_line_in_order(logged):
    proxy, _ = logged()
    with Client(proxy.address()) as client:
        client.send(b"".join(encode(target=f"/{n}") for n in range(30)))
        for _ in range(30):
            client.read_response()
    proxy.wait_stdout(" /29 ")
    assert [line_of(proxy, n)["path"] for n in range(30)] == [f"/{n}" for n in range(30)]


def test_a_line_comes_soon_without_further_requests(logged):
    proxy, _ = logged()
    with Client(proxy.address()) as client:
        client.request()
        proxy.wait_stdout("GET", seconds=2)


def test_bytes_are_those_of_the_bodies(logged):
    def script(peer):
        while request := peer.read_request():
            if request.target == "/chunked":
                peer.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n")
            elif request.target == "/until-close":
                return peer.send(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 100_000)
            elif request.method == "HEAD":
                peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n")
            else:
                peer.send(answer(b"x" * 1_000_000))
    proxy, _ = logged(script)
    with Client(proxy.address()) as client:
        client.send(b"POST /chunked HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n")
        client.read_response()
        client.request("HEAD")
        client.request("POST", body=b"y" * 300_000)
        client.request(target="/until-close")
    counts = [(line["received"], line["sent"]) for line in (line_of(proxy, n) for n in range(4))]
    assert counts == [("5", "7"), ("0", "0"), ("300000", "1000000"), ("0", "100000")]


def test_durations_of_one_connection_are_those_of_its_requests(logged):
    """A pause of the client between two requests belongs to neither."""
    proxy, _ = logged()
    with Client(proxy.address()) as client:
        client.request()
        time.sleep(0.25)
        client.request()
    assert int(line_of(proxy, 0)["duration"]) < 200 and int(line_of(proxy, 1)["duration"]) < 200


def test_the_duration_runs_until_the_last_byte(logged):
    def script(peer):
        peer.read_request()
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\na")
        time.sleep(0.2)
        peer.send(b"b")
    proxy, _ = logged(script)
    get(proxy.address())
    assert 200 <= int(line_of(proxy)["duration"]) < 2000


# MARK: Why it was not simply answered

def test_no_route_is_nr(logged):
    proxy, _ = logged(routes=[{"name": "a", "match": {"prefix": "/a"}, "to": "app"}])
    get(proxy.address(), "/b")
    line = line_of(proxy)
    assert (line["status"], line["flags"], line["host"]) == ("404", "NR", "-")
    assert int(line["sent"]) > 0


def test_an_answer_by_the_router_has_no_flag(logged):
    proxy, _ = logged(routes=[{"name": "a", "respond": {"status": 200, "body": "hello"}}])
    get(proxy.address())
    line = line_of(proxy)
    assert (line["status"], line["flags"], line["sent"], line["host"]) == ("200", "-", "5", "-")


def test_a_refused_connection_is_uf(sluice, refused):
    proxy = sluice(http_proxy(refused, access_log="stdout"))
    get(proxy.address())
    line = line_of(proxy)
    assert (line["status"], line["flags"]) == ("503", "UF")


def test_a_name_that_is_not_resolved_is_df(sluice):
    config = http_proxy("app.invalid:80", access_log="stdout", dns={"servers": ["127.0.0.1:9"]})
    proxy = sluice(config)
    get(proxy.address())
    line = line_of(proxy)
    assert (line["status"], line["flags"], line["host"]) == ("503", "DF", "-")


def test_an_answer_that_does_not_come_in_time_is_ut(logged):
    def script(peer):
        peer.read_request()
        peer.wait_end()
    proxy, one = logged(script, route={"timeout": "150ms"})
    get(proxy.address())
    line = line_of(proxy)
    assert (line["status"], line["flags"], line["host"]) == ("504", "UT", one.endpoint)
    assert 150 <= int(line["duration"]) < 2000


def test_too_many_that_wait_is_uo(logged):
    go = threading.Event()

    def script(peer):
        while peer.read_request():
            go.wait(5)
            peer.send(OK)
    proxy, one = logged(script, upstream={"max_connections": 1, "max_pending": 1})
    clients = [Client(proxy.address()) for _ in range(3)]
    clients[0].send(encode())
    one.wait_for(lambda o: o.requests)
    statuses = []
    for client in clients[1:]:
        client.send(encode())
    ready = next(client for client in clients[1:] if readable(client, clients[1:]))
    statuses.append(ready.read_response().status)
    line = line_of(proxy)
    assert (line["status"], line["flags"]) == ("503", "UO") and statuses == [503]
    go.set()
    for client in clients:
        client.close()


def readable(client, others):
    """Whether it is this one of the clients that has an answer first."""
    ready, _, _ = select.select([other.socket for other in others], [], [], 5)
    return client.socket in ready


def test_an_upstream_that_closes_unanswered_is_uc(logged):
    proxy, _ = logged(lambda peer: peer.read_request())
    get(proxy.address())
    line = line_of(proxy)
    assert (line["status"], line["flags"]) == ("503", "UC")


def test_an_answer_that_is_no_http_is_upe(logged):
    def script(peer):
        peer.read_request()
        peer.send(b"nonsense\r\n\r\n")
        peer.wait_end()
    proxy, _ = logged(script)
    get(proxy.address())
    line = line_of(proxy)
    assert (line["status"], line["flags"]) == ("502", "UPE")


def test_a_cut_answer_has_the_status_that_was_sent_and_uc(logged):
    def script(peer):
        peer.read_request()
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort")
    proxy, _ = logged(script)
    with Client(proxy.address()) as client:
        client.send(encode())
        client.read_to_end()
    line = line_of(proxy)
    assert (line["status"], line["flags"], line["sent"]) == ("200", "UC", "5")


def test_a_client_that_goes_away_is_dc(logged):
    def script(peer):
        peer.read_request()
        peer.wait_end()
    proxy, one = logged(script)
    client = Client(proxy.address())
    client.send(encode(target="/gone"))
    one.wait_for(lambda o: o.requests)
    client.reset()
    line = line_of(proxy)
    assert (line["status"], line["flags"], line["path"]) == ("0", "DC", "/gone")


def test_a_bad_request_is_dpe(logged):
    proxy, _ = logged()
    with Client(proxy.address()) as client:
        client.send(b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n")
        assert client.read_response().status == 400
    line = line_of(proxy)
    assert (line["status"], line["flags"], line["host"]) == ("400", "DPE", "-")


def test_a_request_line_that_cannot_be_understood_has_a_line_as_well(logged):
    proxy, _ = logged()
    with Client(proxy.address()) as client:
        client.send(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 nonsense\r\n\r\n")
        client.read_to_end()
    proxy.wait_stdout(r" 400 DPE ")


def test_a_head_that_takes_too_long_has_its_status(logged):
    proxy, _ = logged(http={"head_timeout": "100ms"})
    with Client(proxy.address()) as client:
        client.send(b"GET /slow HTTP/1.1\r\n")
        assert client.read_response().status == 408
    proxy.wait_stdout(r" 408 ")


# MARK: Formats

def test_json_lines_have_typed_values(logged):
    proxy, one = logged(log={"to": "stdout", "format": "json"})
    with Client(proxy.address()) as client:
        client.request("POST", "/path?q=%221%22", host="shop.example", body=b"hello",
                       headers={"User-Agent": 'say "hi" \\ \xe9'})
    entry = json.loads(proxy.wait_stdout("{"))
    text = {key: value for key, value in entry.items() if isinstance(value, str)}
    numbers = {key: value for key, value in entry.items() if type(value) is int}
    assert "POST" in text.values() and "/path?q=%221%22" in text.values() and "HTTP/1.1" in text.values()
    assert "shop.example" in text.values() and one.endpoint in text.values()
    assert any(value.startswith('say "hi" \\ ') for value in text.values())
    assert {200, 5, 2} <= set(numbers.values())
    assert "-" not in text.values(), "what is not there is null"
    assert None in entry.values()


def test_json_lines_of_failures_have_their_flags(sluice, refused):
    proxy = sluice(http_proxy(refused, access_log={"to": "stdout", "format": "json"}))
    get(proxy.address())
    entry = json.loads(proxy.wait_stdout("{"))
    assert "UF" in entry.values() and 503 in entry.values()


@pytest.mark.parametrize("bytes_", [bytes([n]) for n in (0x22, 0x5C, 0x7F - 1, 0x80, 0xC3, 0xFF)], ids=repr)
def test_json_lines_stay_json_whatever_a_header_holds(logged, bytes_):
    proxy, _ = logged(log={"to": "stdout", "format": "json"})
    with Client(proxy.address()) as client:
        client.send(b"GET / HTTP/1.1\r\nHost: a\r\nUser-Agent: <" + bytes_ + b">\r\n\r\n")
        client.read_response()
    assert isinstance(json.loads(proxy.wait_stdout("{")), dict)


def test_a_format_of_ones_own(logged):
    proxy, one = logged(log={"to": "stdout", "format": "%PROTOCOL% %REQ(:METHOD)% %RESPONSE_CODE% 100%% "
                                                       "%REQ(X-NONE?USER-AGENT):5% %RESP(X-A)% %REQ(X-NONE)%"},)
    with Client(proxy.address()) as client:
        client.request(headers={"User-Agent": "abcdefgh"})
    line = proxy.wait_stdout("HTTP")
    assert line == "HTTP/1.1 GET 200 100% abcde - -"


def test_a_header_cannot_forge_a_line(logged):
    """Control characters never get into a head; quotes are the next best thing for a forger."""
    proxy, _ = logged()
    with Client(proxy.address()) as client:
        client.request(headers={"User-Agent": 'x" "-" "-" "-"'})
        client.request(headers={"User-Agent": "tab\there"})
    proxy.wait_stdout("", since=1)
    assert len(proxy.stdout.lines) == 2


@pytest.mark.parametrize("log, words", [
    ({"to": "stdout", "format": "%NONE%"}, ["NONE"]),
    ({"to": "stdout", "format": "%REQ(X"}, ["%REQ(X"]),
    ({"to": "/no/such/folder/x.log"}, ["/no/such/folder/x.log", "ENOENT"]),
    ({"to": ""}, ["stdout"]),
], ids=["unknown", "unclosed", "folder", "empty"])
def test_a_log_that_cannot_work_stops_the_start(sluice, log, words):
    proxy = sluice(http_proxy("127.0.0.1:1", access_log=log), wait=False)
    assert proxy.wait_exit() == 1
    assert all(word in proxy.log_text() for word in words), proxy.log_text()


# MARK: Where it goes

def test_off_and_nothing_write_nothing(logged, sluice, origin):
    for config in (http_proxy(origin().endpoint, access_log="off"), http_proxy(origin().endpoint)):
        proxy = sluice(config)
        get(proxy.address())
        proxy.stop()
        assert proxy.stdout.lines == []


def test_a_file_is_appended_to(sluice, origin, tmp_path):
    path = tmp_path / "access.log"
    path.write_text("earlier\n")
    proxy = sluice(http_proxy(origin().endpoint, access_log=str(path)))
    get(proxy.address(), "/now")
    proxy.stop()
    lines = path.read_text().splitlines()
    assert lines[0] == "earlier" and LINE.fullmatch(lines[1])["path"] == "/now" and len(lines) == 2
    assert proxy.stdout.lines == []


def test_a_listener_may_have_a_log_of_its_own(sluice, origin, tmp_path):
    one = origin()
    config = http_proxy(one.endpoint, access_log="stdout", workers=1)
    chain = ["http", {"router": {"to": "app"}}]
    config["listeners"]["quiet"] = {"bind": "127.0.0.1:0", "access_log": "off", "chain": chain}
    config["listeners"]["file"] = {"bind": "127.0.0.1:0", "chain": chain,
                                   "access_log": {"to": str(tmp_path / "x.log"), "format": "%REQ(:PATH)%"}}
    proxy = sluice(config)
    for name in ("quiet", "file", "inbound"):
        get(proxy.address(name), f"/{name}")
    proxy.stop()
    assert [LINE.fullmatch(line)["path"] for line in proxy.stdout.lines] == ["/inbound"]
    assert (tmp_path / "x.log").read_text() == "/file\n"


def test_a_listener_may_have_a_format_of_its_own_for_the_log_that_all_have(sluice, origin):
    config = http_proxy(origin().endpoint, access_log={"to": "stdout", "format": "all %REQ(:PATH)%"}, workers=1)
    config["listeners"]["other"] = {"bind": "127.0.0.1:0", "access_log": {"format": "other %REQ(:PATH)%"},
                                    "chain": ["http", {"router": {"to": "app"}}]}
    proxy = sluice(config)
    get(proxy.address("inbound"), "/1")
    proxy.wait_stdout("^all /1$")
    get(proxy.address("other"), "/2")
    proxy.wait_stdout("^other /2$")


def test_two_workers_write_whole_lines(sluice, origin):
    proxy = sluice(http_proxy(origin().endpoint, access_log="stdout", workers=2))
    address = proxy.address()

    def talk(name):
        for number in range(10):
            with Client(address) as client:
                for part in range(10):
                    client.request(target=f"/{name}/{number}/{part}")
    threads = [threading.Thread(target=talk, args=(name,)) for name in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    proxy.stop()
    paths = [LINE.fullmatch(line)["path"] for line in proxy.stdout.lines]
    assert sorted(paths) == sorted(f"/{a}/{b}/{c}" for a in range(4) for b in range(10) for c in range(10))


def test_lines_of_the_last_requests_are_written_when_it_ends(logged):
    for end in ("drain", "second"):
        proxy, _ = logged()
        with Client(proxy.address()) as client:
            client.request(target="/last")
            proxy.signal(15)
            if end == "second":
                proxy.signal(15)
            assert proxy.wait_exit() == 0
        assert ["/last"] == [LINE.fullmatch(line)["path"] for line in proxy.stdout.lines]


def test_a_request_that_the_drain_timeout_cuts_has_its_line(logged):
    def script(peer):
        peer.read_request()
        peer.wait_end()
    proxy, one = logged(script, drain_timeout="200ms")
    with Client(proxy.address()) as client:
        client.send(encode(target="/cut"))
        one.wait_for(lambda o: o.requests)
        proxy.signal(15)
        assert proxy.wait_exit() == 0
    assert ["/cut"] == [LINE.fullmatch(line)["path"] for line in proxy.stdout.lines]


def test_a_reload_may_change_the_format_and_the_place(sluice, origin, tmp_path):
    endpoint = origin().endpoint
    proxy = sluice(http_proxy(endpoint, access_log={"to": str(tmp_path / "a"), "format": "a %REQ(:PATH)%"}))
    get(proxy.address(), "/1")
    proxy.reload(http_proxy(endpoint, access_log={"to": str(tmp_path / "b"), "format": "b %REQ(:PATH)%"}))
    get(proxy.address(), "/2")
    proxy.stop()
    assert (tmp_path / "a").read_text() == "a /1\n"
    assert (tmp_path / "b").read_text() == "b /2\n"
