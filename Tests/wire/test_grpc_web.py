"""gRPC-Web in front of a gRPC server, by clients of HTTP/1 and HTTP/2, as bytes and as text."""
import base64
import subprocess

import pytest

from calls import SERVICE, Service, channel
from client import Client, encode
from configs import http_proxy
from flow import pattern
from h2peer import H2Server

TYPES = ["application/grpc-web+proto", "application/grpc-web-text"]


@pytest.fixture
def service():
    one = Service()
    yield one
    one.stop()


def config(*endpoints, **more):
    return http_proxy(*endpoints, upstream={"http": {"protocol": "http2"}}, filters=["grpc_web"], **more)


def framed(message):
    return b"\0" + len(message).to_bytes(4, "big") + message


def decoded(text):
    """Base64 that is padded in its middle reads the same."""
    pieces = [text[at:at + 4] for at in range(0, len(text), 4)]
    return b"".join(base64.b64decode(piece, validate=True) for piece in pieces)


def read(body, kind):
    """The messages of an answer, and its trailers."""
    if "text" in kind:
        body = decoded(body)
    messages, trailers = [], None
    while body:
        assert trailers is None, "something comes behind the trailers"
        kind, length = body[0], int.from_bytes(body[1:5], "big")
        part, body = body[5:5 + length], body[5 + length:]
        assert len(part) == length
        if kind == 0x80:
            trailers = dict(line.split(": ", 1) for line in part.decode().splitlines())
        else:
            assert kind == 0
            messages.append(part)
    return messages, trailers


class HTTP1:
    def __init__(self, address):
        self.address = address

    def call(self, method, message, kind, fields=()):
        body = framed(message)
        if "text" in kind:
            body = base64.b64encode(body)
        with Client(self.address) as client:
            response = client.request("POST", f"/{SERVICE}/{method}", [("Content-Type", kind), ("X-Grpc-Web", "1"), *fields],
                                      body=body)
        return response.status, {name.lower(): value for name, value in response.headers}, response.body


class HTTP2:
    """curl, which speaks HTTP/2 from the first byte on."""

    def __init__(self, address):
        self.address = address

    def call(self, method, message, kind, fields=()):
        body = framed(message)
        if "text" in kind:
            body = base64.b64encode(body)
        more = [part for name, value in [("Content-Type", kind), *fields] for part in ("-H", f"{name}: {value}")]
        # The head goes to a descriptor of its own, and trailers behind it.
        done = subprocess.run(
            ["curl", "-sS", "--http2-prior-knowledge", "-D", "/dev/stderr", *more, "--data-binary", "@-",
             f"http://{self.address[0]}:{self.address[1]}/{SERVICE}/{method}"], input=body, capture_output=True, timeout=60)
        assert done.returncode == 0, done.stderr
        first, *lines = done.stderr.decode().partition("\r\n\r\n")[0].split("\r\n")
        assert first.startswith("HTTP/2 ")
        return int(first.split()[1]), dict(line.split(": ", 1) for line in lines), done.stdout


@pytest.fixture(params=[HTTP1, HTTP2])
def web(request, sluice, service):
    proxy = sluice(config(service.endpoint, access_log={"to": "stdout", "format": "%PATH% %GRPC_STATUS%"}))
    made = request.param(proxy.address())
    made.proxy = proxy
    return made


@pytest.mark.parametrize("kind", TYPES)
def test_a_call(web, service, kind):
    status, fields, body = web.call("Unary", b"hello", kind, [("x-own", "a"), ("grpc-timeout", "9S")])
    assert status == 200 and fields["content-type"].startswith(kind) and fields["x-own"] == "a"
    messages, trailers = read(body, kind)
    assert messages == [b"hello"] and trailers["grpc-status"] == "0" and trailers["x-trailing"] == "three"
    assert base64.b64decode(trailers["x-trailing-bin"] + "==") == bytes(range(256))
    assert service.calls[0].values("x-own") == ["a"] and 5 < service.calls[0].time <= 9
    web.proxy.wait_stdout(f"^/{SERVICE}/Unary OK$")


@pytest.mark.parametrize("kind", TYPES)
def test_many_messages(web, kind):
    _, _, body = web.call("Spread", b"100 1000", kind)
    messages, trailers = read(body, kind)
    assert [message[:1] for message in messages] == [bytes([number]) for number in range(100)]
    assert {len(message) for message in messages} == {1000} and trailers["grpc-status"] == "0"


@pytest.mark.parametrize("kind", TYPES)
def test_a_large_message(web, kind):
    message = pattern(0, 4 << 20)
    _, _, body = web.call("Unary", message, kind)
    assert read(body, kind)[0] == [message]


@pytest.mark.parametrize("kind", TYPES)
def test_an_error_is_only_a_head(web, kind):
    status, fields, body = web.call("Abort", b"7 not % today", kind)
    assert (status, body) == (200, b"") and fields["content-type"].startswith(kind)
    assert (fields["grpc-status"], fields["grpc-message"]) == ("7", "not %25 today") and fields["x-why"] == "because"
    web.proxy.wait_stdout(f"^/{SERVICE}/Abort PermissionDenied$")


@pytest.mark.parametrize("kind", TYPES)
def test_an_error_behind_messages(web, kind):
    _, fields, body = web.call("SpreadAbort", b"", kind)
    messages, trailers = read(body, kind)
    assert messages == [b"one", b"two"] and trailers["grpc-status"] == "15"
    assert trailers["grpc-message"] == "the rest is lost" and "grpc-status" not in fields


def test_the_client_may_be_answered_in_another_form(web):
    _, fields, body = web.call("Unary", b"hello", TYPES[0], [("Accept", TYPES[1])])
    assert fields["content-type"].startswith(TYPES[1]) and read(body, TYPES[1])[0] == [b"hello"]


def test_messages_come_as_they_are_sent(sluice, service):
    proxy = sluice(config(service.endpoint))
    body = base64.b64encode(framed(b"1"))
    with Client(proxy.address()) as client:
        client.send(encode("POST", f"/{SERVICE}/Talk", [("Content-Type", TYPES[1]), ("Transfer-Encoding", "chunked")]))
        assert client.read_head().status == 200
        # The greeting comes before the client has said anything.
        assert client.read_until(base64.b64encode(framed(b"hello"))[:8])
        client.send(b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body))
        client.read_until(b"0\r\n\r\n")


def test_a_server_that_is_gone_is_told_in_the_form_that_clients_read(sluice, refused):
    status, fields, body = HTTP1(sluice(config(refused)).address()).call("Unary", b"", TYPES[1])
    assert (status, body) == (200, b"") and fields["content-type"].startswith(TYPES[1])
    assert fields["grpc-status"] == "14" and fields["grpc-message"]


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("client", [HTTP1, HTTP2])
def test_an_answer_that_breaks_off_ends_with_a_message_that_says_so(sluice, client, kind):
    def script(connection, stream, head, body):
        connection.h2.send_headers(stream, [(":status", "200"), ("content-type", "application/grpc")])
        connection.h2.send_data(stream, framed(b"one"))
        connection.h2.reset_stream(stream, 2)
        connection.flush()

    one = H2Server(script=script)
    try:
        _, fields, body = client(sluice(config(one.endpoint)).address()).call("Spread", b"", kind)
    finally:
        one.stop()
    messages, trailers = read(body, kind)
    assert messages == [b"one"] and trailers["grpc-status"] == "14" and "reset" in trailers["grpc-message"]
    assert fields["content-type"].startswith(kind)


def test_text_that_is_not_base64(sluice, service):
    proxy = sluice(config(service.endpoint))
    with Client(proxy.address()) as client:
        response = client.request("POST", f"/{SERVICE}/Unary", [("Content-Type", TYPES[1])], body=b"!!!!")
    assert response.get("grpc-status") == "13" and not service.calls


def test_a_preflight_goes_by(sluice, origin):
    one = origin()
    proxy = sluice(http_proxy(one.endpoint, filters=["grpc_web"]))
    with Client(proxy.address()) as client:
        response = client.request("OPTIONS", f"/{SERVICE}/Unary", [
            ("Origin", "https://a.test"), ("Access-Control-Request-Method", "POST"),
            ("Access-Control-Request-Headers", "content-type,x-grpc-web")])
    assert response.body == b"ok" and one.requests[0].get("te") is None


def test_the_same_listener_serves_grpc(sluice, service):
    with channel(sluice(config(service.endpoint)).address()) as made:
        assert made.unary(b"x") == b"x"
        assert list(made.talk(iter([b"a"])))[-1] == b"1 messages"
