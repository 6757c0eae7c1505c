"""The filter `gzip` between real peers: curl and Python's zlib read what it writes and write what it reads."""
import gzip
import os
import random
import socket
import subprocess
import threading
import zlib

import pytest

import sluice as harness
from client import Client, Closed, encode, get
from configs import http_proxy
from flow import check, pour, pour_until_stalled, small_buffers
from origin import OK, answer, chunked
from test_allocations import COUNTED, RELEASE, THRESHOLDS, counted, counting_library  # noqa: F401

MIB = 1 << 20
# KiB that one stalled stream may hold: its compressor, what waits for the client, and pages for the next.
HELD = 5 * 1024
TEXT = [("Content-Type", "text/html; charset=utf-8")]
GZIP = {"Accept-Encoding": "gzip"}


def words(count):
    """Text that compresses about as well as pages do, the same each time."""
    lots = random.Random(7)
    known = ["".join(lots.choices("abcdefghijklmnopqrstuvwxyz", k=lots.randint(2, 9))) for _ in range(2000)]
    text = ""
    while len(text) < count:
        text += " ".join(lots.choices(known, k=2000)) + "\n"
    return text[:count].encode()


WORDS = words(3 * MIB)


def proxy(*endpoints, filters=None, **settings):
    """`settings` are those of one filter `gzip`; `filters` are in place of it."""
    others = ["routes", "http", "upstream", "workers", "route", "listener"]
    top = {key: settings.pop(key) for key in others if key in settings}
    return http_proxy(*endpoints, filters=filters or [{"gzip": settings}], **top)


def always(reply):
    """A script that gives each request the same answer."""
    def script(peer):
        while peer.read_request():
            if not peer.send(reply):
                return
    return script


def lines(response):
    return {name.lower(): value for name, value in response.headers}


# MARK: Responses

@pytest.mark.parametrize("framing", ["length", "chunked", "until_close"])
@pytest.mark.parametrize("level", [1, 6])
def test_large_bodies_arrive_byte_for_byte(sluice, origin, framing, level):
    if framing == "length":
        script = always(answer(WORDS, headers=TEXT))
    elif framing == "chunked":
        script = always(chunked([WORDS[at:at + 50_001] for at in range(0, len(WORDS), 50_001)], headers=TEXT))
    else:
        def script(peer):
            peer.read_request()
            peer.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n" + WORDS)
    one = sluice(proxy(origin(script).endpoint, level=level))
    with Client(one.address(), patience=20) as client:
        # A connection is good for the next request after a compressed answer.
        for _ in range(2):
            response = client.request(headers=GZIP)
            assert response.get("content-encoding") == "gzip" and response.get("content-length") is None
            assert gzip.decompress(response.body) == WORDS
            assert len(response.body) < len(WORDS) / 2
        plain = client.request()
        assert plain.body == WORDS and plain.get("content-encoding") is None
        assert plain.get("vary") == "Accept-Encoding"


def test_curl_reads_it(sluice, origin, tmp_path):
    one = sluice(proxy(origin(always(answer(WORDS, headers=TEXT))).endpoint))
    host, port = one.address()
    done = subprocess.run(
        ["curl", "--silent", "--show-error", "--compressed", "--dump-header", tmp_path / "head", "--max-time", "20",
         f"http://{host}:{port}/"], capture_output=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout == WORDS
    assert "content-encoding: gzip" in (tmp_path / "head").read_text().lower()


def test_several_clients_at_once_get_their_own(sluice, origin):
    def script(peer):
        while request := peer.read_request():
            peer.send(answer(request.target.encode() * 5000, headers=TEXT))
    one = sluice(proxy(origin(script).endpoint, workers=2))
    failures = []

    def ask(number):
        with Client(one.address(), patience=20) as client:
            for turn in range(20):
                target = f"/{number}/{turn}"
                if gzip.decompress(client.request(target=target, headers=GZIP).body) != target.encode() * 5000:
                    failures.append(target)
    threads = [threading.Thread(target=ask, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures


def test_answers_from_here_are_compressed_too(sluice):
    routes = [{"respond": {"status": 503, "body": "sorry " * 100}}]
    one = sluice(proxy(routes=routes))
    response = get(one.address(), headers=GZIP)
    assert response.status == 503 and gzip.decompress(response.body) == b"sorry " * 100
    assert get(one.address(), method="HEAD", headers=GZIP).get("content-encoding") == "gzip"


def test_the_answer_to_head_has_the_head_of_the_answer_to_get_and_no_body(sluice, origin):
    def script(peer):
        while request := peer.read_request():
            reply = answer(WORDS[:10_000], headers=[*TEXT, ("ETag", '"a"'), ("Accept-Ranges", "bytes")])
            peer.send(reply.partition(b"\r\n\r\n")[0] + b"\r\n\r\n" if request.method == "HEAD" else reply)
    one = sluice(proxy(origin(script).endpoint))
    with Client(one.address()) as client:
        heads = []
        for method in ["HEAD", "GET", "HEAD"]:
            response = client.request(method, headers=GZIP)
            heads.append({name: value for name, value in lines(response).items()
                          if name not in ("date", "transfer-encoding", "x-request-id")})
            assert response.body == b"" if method == "HEAD" else gzip.decompress(response.body) == WORDS[:10_000]
        assert heads[0] == heads[1] == heads[2]
        assert heads[0]["etag"] == 'W/"a"' and heads[0]["vary"] == "Accept-Encoding"
        assert "accept-ranges" not in heads[0] and "content-length" not in heads[0]


def test_ranges_empty_answers_and_304_are_left_alone(sluice, origin):
    replies = {
        "/206": answer(WORDS[:1000], "206 Partial Content", [*TEXT, ("Content-Range", "bytes 0-999/10000")]),
        "/204": b"HTTP/1.1 204 No Content\r\n\r\n",
        "/304": b'HTTP/1.1 304 Not Modified\r\nETag: "a"\r\n\r\n',
        "/0": answer(b"", headers=TEXT),
        "/br": answer(WORDS[:1000], headers=[*TEXT, ("Content-Encoding", "br")]),
        # What is no gzip goes by under that name, and is not packed a second time.
        "/gzip": answer(b"hello" * 100, headers=[*TEXT, ("Content-Encoding", "gzip")]),
        "/kept": answer(WORDS[:1000], headers=[*TEXT, ("Cache-Control", "no-transform")]),
    }

    def script(peer):
        while request := peer.read_request():
            peer.send(replies[request.target])
    one = sluice(proxy(origin(script).endpoint))
    with Client(one.address()) as client:
        for target, reply in replies.items():
            headers = {**GZIP, "If-None-Match": 'W/"a"'} if target == "/304" else GZIP
            response = client.request(target=target, headers=headers)
            assert response.body == reply.partition(b"\r\n\r\n")[2], target
            if target == "/304":
                assert (response.get("etag"), response.get("vary")) == ('W/"a"', "Accept-Encoding")


def test_trailers_follow_a_compressed_body(sluice, origin):
    reply = chunked([WORDS[:5000]], trailers=[("X-Sum", "1")], headers=[*TEXT, ("Trailer", "X-Sum")])
    one = sluice(proxy(origin(always(reply)).endpoint))
    response = get(one.address(), headers={**GZIP, "TE": "trailers"})
    assert gzip.decompress(response.body) == WORDS[:5000]
    assert ("x-sum", "1") in [(name.lower(), value) for name, value in response.trailers]


def test_http_1_0_gets_a_body_with_a_length(sluice, origin):
    one = sluice(proxy(origin(always(answer(WORDS[:5000], headers=TEXT))).endpoint))
    with Client(one.address()) as client:
        response = client.request(headers=GZIP, version="HTTP/1.0")
    assert response.body == WORDS[:5000] and response.get("content-length") == "5000"


def test_a_route_can_say_no(sluice, origin):
    routes = [{"match": {"prefix": "/secret"}, "to": "app", "filters": {"gzip": {"enabled": False}}}, {"to": "app"}]
    one = sluice(proxy(origin(always(answer(WORDS[:5000], headers=TEXT))).endpoint, routes=routes))
    secret = get(one.address(), "/secret", headers=GZIP)
    assert secret.body == WORDS[:5000] and secret.get("vary") is None
    assert get(one.address(), "/", headers=GZIP).get("content-encoding") == "gzip"


def test_a_response_that_breaks_off_does_not_look_complete(sluice, origin):
    def script(peer):
        peer.read_request()
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 100000\r\n\r\n" + WORDS[:50_000])
    one = sluice(proxy(origin(script).endpoint))
    with Client(one.address()) as client:
        client.send(encode(headers=GZIP))
        with pytest.raises(Closed):
            client.read_response()


# MARK: Time

class Steps:
    """An origin that sends a piece each time that the test says so."""

    def __init__(self, content_type):
        self.content_type = content_type
        self.next = threading.Semaphore(0)
        self.pieces = []

    def __call__(self, peer):
        peer.read_request()
        peer.send(f"HTTP/1.1 200 OK\r\nContent-Type: {self.content_type}\r\nTransfer-Encoding: chunked\r\n\r\n".encode())
        while self.next.acquire(timeout=20) and self.pieces:
            piece = self.pieces.pop(0)
            peer.send(b"%x\r\n%s\r\n" % (len(piece), piece) if piece else b"0\r\n\r\n")

    def send(self, piece):
        self.pieces.append(piece)
        self.next.release()


@pytest.mark.parametrize("content_type", ["text/event-stream", "text/plain", "application/json"])
def test_each_piece_arrives_before_the_origin_sends_the_next(sluice, origin, content_type):
    steps = Steps(content_type)
    one = sluice(proxy(origin(steps).endpoint, content_types=[content_type]))
    unpack = zlib.decompressobj(31)
    with Client(one.address()) as client:
        client.send(encode(headers=GZIP))
        assert client.read_head().get("content-encoding") == "gzip"
        for number in range(20):
            event = b"data: %d\n\n" % number * (1 + number * 100)
            steps.send(event)
            seen = b""
            while seen != event:
                size = int(client.read_until(b"\r\n"), 16)
                seen += unpack.decompress(client.read_exactly(size + 2)[:-2])
                assert event.startswith(seen)
        steps.send(b"")
        rest = b""
        while size := int(client.read_until(b"\r\n"), 16):
            rest += unpack.decompress(client.read_exactly(size + 2)[:-2])
        assert rest == b"" and unpack.eof


def test_events_go_by_as_they_are_unless_they_are_named(sluice, origin):
    steps = Steps("text/event-stream")
    one = sluice(proxy(origin(steps).endpoint, content_types=["*/*"]))
    with Client(one.address()) as client:
        client.send(encode(headers=GZIP))
        assert client.read_head().get("content-encoding") is None
        for event in [b"data: 1\n\n", b"data: 2\n\n"]:
            steps.send(event)
            assert client.read_until(b"\n\n").endswith(event)
            client.read_exactly(2)
        steps.send(b"")
        assert client.read_until(b"\r\n\r\n") == b"0\r\n\r\n"


def test_grpc_is_never_touched(sluice, origin):
    message = b"\0\0\0\x03\xe8" + b"a" * 1000
    headers = [("Content-Type", "application/grpc+proto")]
    one = sluice(proxy(origin(always(answer(message, headers=headers))).endpoint, content_types=["*/*"],
                       requests="compress", min_length=0))
    with Client(one.address()) as client:
        response = client.request("POST", headers={**GZIP, "Content-Type": "application/grpc"}, body=message)
        assert response.body == message and response.get("content-encoding") is None and response.get("vary") is None


def test_a_client_that_goes_away_frees_what_its_stream_had(sluice, origin):
    """More streams than may be compressed at once, one after the other, each given up in the middle."""
    steps = []

    def script(peer):
        step = Steps("text/plain")
        steps.append(step)
        peer.origin.changed()
        step(peer)
    upstream = origin(script)
    one = sluice(proxy(upstream.endpoint, max_bodies=2))
    for number in range(8):
        with Client(one.address()) as client:
            client.send(encode(headers=GZIP))
            upstream.wait_for(lambda _: len(steps) > number)
            steps[number].send(b"begun")
            assert client.read_head().get("content-encoding") == "gzip", number
            client.reset()
        upstream.wait_for(lambda o: o.peers[number].ended or not o.peers[number].is_open or steps[number].send(b"more"))


# MARK: Requests

@pytest.mark.parametrize("coding, packed", [
    ("gzip", gzip.compress(WORDS)), ("x-gzip", gzip.compress(WORDS[:1000]) + gzip.compress(WORDS[1000:])),
    ("deflate", zlib.compress(WORDS)), ("deflate", zlib.compress(WORDS)[2:-4]),
], ids=["gzip", "members", "zlib", "bare"])
def test_requests_are_decompressed(sluice, origin, coding, packed):
    upstream = origin()
    one = sluice(proxy(upstream.endpoint, requests="decompress"))
    with Client(one.address(), patience=20) as client:
        for _ in range(2):
            assert client.request("POST", headers={"Content-Encoding": coding}, body=packed).status == 200
    for request in upstream.requests:
        assert request.body == WORDS and request.get("content-encoding") is None
        assert request.get("content-length") is None


def test_requests_are_compressed(sluice, origin):
    upstream = origin()
    one = sluice(proxy(upstream.endpoint, requests="compress"))
    get(one.address(), method="POST", headers={"Content-Type": "application/json"}, body=WORDS)
    [request] = upstream.requests
    assert request.get("content-encoding") == "gzip" and gzip.decompress(request.body) == WORDS


BOMB = gzip.compress(b"\0" * (64 * MIB))


@pytest.mark.parametrize("body, status, reason", [
    (BOMB, 413, "gzip.bomb"), (gzip.compress(gzip.compress(b"\0" * MIB)) * 2, 200, None),
    (b"no gzip at all", 400, "gzip.bad_data"), (gzip.compress(WORDS)[:-1], 400, "gzip.truncated"),
    (gzip.compress(WORDS)[:-8] + b"\0" * 8, 400, "gzip.bad_data"), (gzip.compress(b"a") + b"junk", 400, "gzip.bad_data"),
], ids=["bomb", "packed twice", "text", "cut", "checksum", "junk"])
def test_what_is_wrong_with_a_request_is_answered(sluice, origin, body, status, reason):
    upstream = origin()
    one = sluice(proxy(upstream.endpoint, requests="decompress",
                       listener={"access_log": {"to": "stdout", "format": "%RESPONSE_CODE% %RESPONSE_CODE_DETAILS%"}}))
    before = one.reset_peak()
    with Client(one.address()) as client:
        client.send(encode("POST", headers={"Content-Encoding": "gzip"}, body=body))
        assert client.read_response("POST").status == status
    if reason:
        assert one.wait_stdout(rf"{status} {reason}")
    # A bomb takes no more memory than what one read of it may become.
    assert one.peak() - before < 16 * 1024
    # The next request is nobody's victim.
    assert get(one.address(), method="POST", headers={"Content-Encoding": "gzip"}, body=gzip.compress(b"a")).status == 200
    assert upstream.requests[-1].body == b"a"


def test_a_bomb_from_an_upstream_is_cut_off(sluice, origin):
    one = sluice(proxy(origin(always(answer(BOMB, headers=[("Content-Encoding", "gzip")]))).endpoint,
                       responses="decompress"))
    with Client(one.address()) as client:
        client.send(encode())
        with pytest.raises(Closed):
            client.read_response()


def test_responses_are_decompressed_for_those_who_cannot_read_them(sluice, origin):
    packed = gzip.compress(WORDS)
    one = sluice(proxy(origin(always(answer(packed, headers=[*TEXT, ("Content-Encoding", "gzip")]))).endpoint,
                       responses="decompress"))
    with Client(one.address(), patience=20) as client:
        assert client.request().body == WORDS
        assert client.request(headers=GZIP).body == packed


# MARK: With others

def test_one_gzip_filter_can_feed_another(sluice, origin):
    """Each sends several pieces for one that it is shown; they must not overtake each other."""
    packed = zlib.compress(WORDS)
    reply = answer(packed, headers=[*TEXT, ("Content-Encoding", "deflate")])
    filters = [{"gzip": {}, "name": "repack"}, {"gzip": {"responses": "decompress"}, "name": "unpack"}]
    one = sluice(proxy(origin(always(reply)).endpoint, filters=filters))
    with Client(one.address(), patience=20) as client:
        assert gzip.decompress(client.request(headers=GZIP).body) == WORDS
        assert client.request().body == WORDS
    upstream = origin()
    filters = [{"gzip": {"requests": "decompress"}, "name": "unpack"}, {"gzip": {"requests": "compress"}, "name": "repack"}]
    other = sluice(proxy(upstream.endpoint, filters=filters))
    headers = {"Content-Encoding": "gzip", "Content-Type": "text/plain"}
    assert get(other.address(), method="POST", headers=headers, body=gzip.compress(WORDS)).status == 200
    assert gzip.decompress(upstream.requests[0].body) == WORDS


@pytest.mark.parametrize("order", ["retry above", "retry below"])
def test_a_request_that_is_tried_again_is_decompressed_again(sluice, origin, order):
    tries = []

    def script(peer):
        while request := peer.read_request():
            tries.append(request)
            peer.send(answer(b"no", "503 Service Unavailable") if len(tries) == 1 else OK)
    text = WORDS[:200_000]
    filters = [{"retry": {"on": ["5xx"], "max_body": "1MiB"}}, {"gzip": {"requests": "decompress"}}]
    one = sluice(proxy(origin(script).endpoint, filters=filters if order == "retry above" else filters[::-1]))
    response = get(one.address(), method="PUT", headers={"Content-Encoding": "gzip"}, body=gzip.compress(text))
    assert response.status == 200 and [request.body for request in tries] == [text, text]


def test_a_reader_that_stands_still_makes_the_origin_stand_still(sluice, origin):
    total = 48 * MIB
    taken, go_on = [], threading.Event()

    def script(peer):
        small_buffers(peer.socket)
        peer.read_request()
        peer.send(f"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {total}\r\n\r\n".encode())
        taken.append(pour_until_stalled(peer.socket))
        peer.origin.changed()
        assert go_on.wait(20)
        pour(peer.socket, total, start=taken[0])
        peer.wait_end()
    upstream = origin(script)
    one = sluice(proxy(upstream.endpoint, workers=1))
    before = one.reset_peak()
    unpack = zlib.decompressobj(31)
    with Client(one.address(), patience=20, receive_buffer=65536) as client:
        client.send(encode(headers=GZIP))
        upstream.wait_for(lambda _: taken, seconds=20)
        assert taken[0] < total and one.peak() - before < HELD
        go_on.set()
        assert client.read_head().get("content-encoding") == "gzip"
        at = 0
        while size := int(client.read_until(b"\r\n"), 16):
            piece = unpack.decompress(client.read_exactly(size + 2)[:-2])
            check(piece, at)
            at += len(piece)
        assert at == total and unpack.eof
    assert one.peak() - before < HELD


def test_compressors_are_kept_for_the_next_and_not_more_than_that(sluice, origin):
    one = sluice(proxy(origin(always(answer(WORDS[:100_000], headers=TEXT))).endpoint, workers=1))
    with Client(one.address(), patience=20) as client:
        client.request(headers=GZIP)
        before = one.memory()
        for _ in range(300):
            client.request(headers=GZIP)
        assert one.memory() - before < 1024


@pytest.mark.skipif(not os.access(RELEASE, os.X_OK), reason="counts the release build, which is not there")
@pytest.mark.parametrize("case", ["gzip_small", "gzip_large", "gunzip"])
def test_bodies_that_change_cost_no_allocation(case, sluice, origin, counting_library, tmp_path, monkeypatch):  # noqa: F811
    monkeypatch.setattr(harness, "BINARY", RELEASE)
    counter_file = tmp_path / "count"
    size = 500 if case == "gzip_small" else 150_000
    reply = OK if case == "gunzip" else answer(WORDS[:size], headers=TEXT)
    one = sluice(proxy(origin(always(reply)).endpoint, workers=1, requests="decompress"),
                 env={"LD_PRELOAD": str(counting_library), "MALLOC_COUNT_FILE": str(counter_file)})
    request = b"GET / HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\n\r\n"
    if case == "gunzip":
        body = gzip.compress(WORDS[:20_000])
        request = (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(body)) + body
    with socket.create_connection(one.address()) as sock:
        after, before = counted(sock, request, counter_file)
    each = (after - before) / COUNTED
    assert each <= THRESHOLDS[case], f"{each:.3f} allocations a request, allowed {THRESHOLDS[case]}"
