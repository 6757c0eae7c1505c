"""What a request costs in heap allocations, counted from outside of the process: none, in the steady state."""
import json
import mmap
import os
import pathlib
import shutil
import socket
import struct
import subprocess
import time

import pytest

import plugins
import sluice as harness
from configs import http_proxy
from h2peer import H2Client, H2Server
from test_tls import config, connect, files, secure, settings

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
THRESHOLDS = json.loads((REPOSITORY / "Tests/Allocations/thresholds.json").read_text())
RELEASE = os.environ.get("SLUICE_RELEASE_BIN", str(REPOSITORY / ".build/release/sluice"))
WARM_UP, COUNTED = 300, 2000
COUNTERS = [{"count": {}, "name": f"count_{n}"} for n in range(4)]


@pytest.fixture(scope="module")
def counting_library(tmp_path_factory):
    if not shutil.which("gcc") and not shutil.which("clang"):
        pytest.fail("a C compiler is needed to count allocations")
    target = tmp_path_factory.mktemp("malloc") / "malloc_count.so"
    compiler = shutil.which("gcc") or shutil.which("clang")
    source = REPOSITORY / "Tests/Allocations/malloc_count.c"
    subprocess.run([compiler, "-O2", "-shared", "-fPIC", "-o", str(target), str(source), "-ldl"], check=True)
    return target


def read_exactly(sock, number):
    data = b""
    while len(data) < number:
        piece = sock.recv(number - len(data))
        assert piece, "the connection was closed"
        data += piece
    return data


def exchange(sock, request, reply_size):
    sock.sendall(request)
    return read_exactly(sock, reply_size)


def first_reply(sock, request):
    """Sends a request and returns the size of its whole answer, which has a Content-Length or is chunked."""
    sock.sendall(request)
    data = b""
    while b"\r\n\r\n" not in data:
        data += sock.recv(65536)
    head, _, body = data.partition(b"\r\n\r\n")
    if b"transfer-encoding: chunked" in head.lower():
        while not data.endswith(b"\r\n0\r\n\r\n"):
            data += sock.recv(65536)
        return len(data)
    length = next(int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length"))
    read_exactly(sock, length - len(body)) if length > len(body) else None
    return len(head) + 4 + length


REQUESTS = {
    "get": b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "get_10_headers": b"GET /some/path?q=1 HTTP/1.1\r\nHost: a.example\r\n"
    + b"".join(b"X-Header-%d: some value of it\r\n" % n for n in range(10)) + b"\r\n",
    "post_1k": b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1024\r\n\r\n" + b"x" * 1024,
}


# All that a route can do on the way to a cluster and back.
BUSY_ROUTES = [
    {"match": {"regex": "/never/[0-9]+"}, "to": "app"},
    {"name": "busy", "to": "app", "hash": {"header": "x-header-1"},
     "match": {"host": "*.example", "regex": "/some/.*", "headers": {"x-header-2": {"contains": "value"}},
               "query": {"q": {"regex": "[0-9]+"}}, "server_name": {"present": False}, "client_certificate": False},
     "rewrite": {"regex": {"pattern": "^/some/(.*)", "with": "/other/\\1"}},
     "request_headers": {"set": {"x-route": "%ROUTE_NAME% %REQ(x-header-3)%", "x-at": "%START_TIME%",
                                "x-user": "%DOWNSTREAM_PEER_SUBJECT%"},
                         "add": {"x-peer": "%DOWNSTREAM_REMOTE_ADDRESS%"}, "remove": ["x-header-4"]},
     "response_headers": {"set": {"x-from": "%UPSTREAM_HOST%"}}},
]
# All that logs can do, but for what random numbers of the system are asked for.
BUSY_LOGS = [
    {"to": "/dev/null", "format": "json", "when": {"sample": "90%", "not": {"request": {"path": "/never"}}}},
    {"to": "/dev/null", "format": "%UPSTREAM_HOSTS_ATTEMPTED% %PATH(NQ)% %UPSTREAM_LOCAL_ADDRESS% %EMIT_TIME_LOCAL%"},
    {"to": "/dev/null", "when": {"any": [{"status": "2xx"}, {"flags": "any"}]}, "omit_empty": True, "format": {
        "a": "%COMMON_DURATION(US_CX_BEG:DS_TX_END:us)%", "b": ["%REQ(user-agent)%", {"c": "<%TRAILER(x)%>"}]}},
    {"to": "/dev/null", "when": {"reasons": "upstream"}},
]
REQUESTS["busy_route"] = REQUESTS["get_10_headers"].replace(b"a.example", b"www.a.example")


@pytest.mark.skipif(not os.access(RELEASE, os.X_OK), reason="counts the release build, which is not there")
@pytest.mark.parametrize("case", [*REQUESTS, "local_reply", "access_logs"])
def test_a_kept_alive_request_through_five_filters_allocates_nothing(case, sluice, origin, counting_library, tmp_path,
                                                                    monkeypatch):
    monkeypatch.setattr(harness, "BINARY", RELEASE)
    counter_file = tmp_path / "count"
    upstream = origin()
    route = {"respond": {"status": 200, "body": "hello"}} if case == "local_reply" else None
    routes = BUSY_ROUTES if case == "busy_route" else [{"name": "all", **route}] if route else None
    # Full buffers are handed to the thread that writes: a few allocations for hundreds of lines.
    logs = {"access_log": BUSY_LOGS} if case == "access_logs" else {}
    proxied = http_proxy(upstream.endpoint, filters=COUNTERS, workers=1, routes=routes, **logs)
    proxy = sluice(proxied, env={"LD_PRELOAD": str(counting_library), "MALLOC_COUNT_FILE": str(counter_file)})
    request = REQUESTS.get(case, REQUESTS["get"])
    with socket.create_connection(proxy.address()) as sock:
        after, before = counted(sock, request, counter_file)
    allowed = THRESHOLDS[case] * COUNTED
    assert after - before <= allowed, f"{(after - before) / COUNTED:.3f} allocations a request, allowed {THRESHOLDS[case]}"
    if case == "busy_route":
        assert {request.target for request in upstream.requests} == {"/other/path?q=1"}


def counted(sock, request, counter_file):
    """The count after many exchanges, and before them."""
    size = first_reply(sock, request)
    (after, _), (before, _) = counted_by(lambda: exchange(sock, request, size), counter_file)
    return after, before


def counted_by(ask, counter_file, number=COUNTED):
    """Both counts, ours and libnghttp2's, after many exchanges, and before them."""
    with open(counter_file, "rb") as file, mmap.mmap(file.fileno(), 16, access=mmap.ACCESS_READ) as count:
        for _ in range(WARM_UP):
            ask()
        before = struct.unpack("QQ", count[:16])
        for _ in range(number):
            ask()
        return struct.unpack("QQ", count[:16]), before


@pytest.mark.xdist_group("plugins")
@pytest.mark.skipif(not os.access(RELEASE, os.X_OK), reason="counts the release build, which is not there")
def test_a_filter_of_a_plugin_allocates_nothing(sluice, origin, counting_library, tmp_path, monkeypatch):
    monkeypatch.setattr(harness, "BINARY", RELEASE)
    counter_file = tmp_path / "count"
    proxied = http_proxy(origin().endpoint, filters=["hello"], workers=1, plugins=[str(plugins.hello("release"))])
    proxy = sluice(proxied, env={"LD_PRELOAD": str(counting_library), "MALLOC_COUNT_FILE": str(counter_file)})
    with socket.create_connection(proxy.address()) as sock:
        after, before = counted(sock, REQUESTS["get"], counter_file)
    assert after - before <= THRESHOLDS["plugin"] * COUNTED, f"{(after - before) / COUNTED:.3f} allocations a request"


@pytest.mark.skipif(not os.access(RELEASE, os.X_OK), reason="counts the release build, which is not there")
@pytest.mark.parametrize("case", ["tls_listener", "tls_both"])
def test_records_cost_no_allocation_of_ours(case, sluice, origin, secure, files, counting_library, tmp_path, monkeypatch):
    # The control thread looks at each pair's files once meanwhile, on a busy machine at those of all of them within the
    # count: the threshold leaves room for that, and for nothing that every request does.
    monkeypatch.setattr(harness, "BINARY", RELEASE)
    counter_file = tmp_path / "count"
    begins = {"chain": [{"tls": {"ca": str(files / "ca.pem")}}]} if case == "tls_both" else {}
    upstream = secure() if case == "tls_both" else origin()
    proxy = sluice(config(settings(files), upstream.endpoint, upstream=begins),
                   env={"LD_PRELOAD": str(counting_library), "MALLOC_COUNT_FILE": str(counter_file)})
    with connect(proxy.address()) as sock:
        after, before = counted(sock, REQUESTS["get_10_headers"], counter_file)
    allowed = THRESHOLDS[case] * COUNTED
    assert after - before <= allowed, f"{(after - before) / COUNTED:.3f} allocations a request, allowed {THRESHOLDS[case]}"


HTTP2_REQUESTS = {
    "get": {"headers": [(f"x-header-{n}", "some value of it") for n in range(10)]},
    "post_1k": {"method": "POST", "body": b"x" * 1024, "headers": [("content-length", "1024")]},
}


@pytest.mark.skipif(not os.access(RELEASE, os.X_OK), reason="counts the release build, which is not there")
@pytest.mark.parametrize("upstream", ["http1", "http2"])
@pytest.mark.parametrize("case", HTTP2_REQUESTS)
def test_a_request_over_http2_allocates_nothing_of_ours(case, upstream, sluice, origin, counting_library, tmp_path,
                                                        monkeypatch):
    # Python's h2 needs its time: fewer requests than elsewhere.
    number = 500
    monkeypatch.setattr(harness, "BINARY", RELEASE)
    counter_file = tmp_path / "count"
    server = H2Server() if upstream == "http2" else origin()
    protocol = {"http": {"protocol": "http2"}} if upstream == "http2" else None
    proxied = http_proxy(server.endpoint, filters=COUNTERS, workers=1, upstream=protocol)
    proxy = sluice(proxied, env={"LD_PRELOAD": str(counting_library), "MALLOC_COUNT_FILE": str(counter_file)})
    try:
        with H2Client(proxy.address()) as client:
            def ask():
                assert client.get(**HTTP2_REQUESTS[case]).status == 200
            begun = time.monotonic()
            after, before = counted_by(ask, counter_file, number)
            seconds = time.monotonic() - begun
    finally:
        if upstream == "http2":
            server.stop()
    ours, librarys = ((a - b) / number for a, b in zip(after, before))
    print(f"{ours:.3f} allocations a request, and {librarys:.2f} of libnghttp2")
    # Each second's new date is a new entry of libnghttp2's table of fields, of two blocks, until that is full.
    allowed = THRESHOLDS["http2"] + 2 * (seconds + 1) / number
    assert ours <= allowed, f"{ours:.3f} allocations a request, allowed {allowed:.3f}"
