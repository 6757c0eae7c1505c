"""HTTP/2 by the sections of RFC 9113 and RFC 7541, with the cases that h2spec has for servers, and what it allows."""
import pytest

from configs import http_proxy
from h2raw import *  # noqa: F403
from origin import Origin, answer


def stream_error(*codes):
    """RST_STREAM or GOAWAY with one of the codes, or the end of the connection."""
    return ("stream", codes)


def connection_error(*codes):
    """GOAWAY with one of the codes, or the end of the connection."""
    return ("connection", codes)


SERVED, PONG, ACKED = ("served", ()), ("pong", ()), ("acked", ())
DUMMY = b"".join(L(f"x-dummy{i}", "v" * 990) for i in range(4))
# "x-test" and "test" in the code of RFC 7541 appendix B.
HUFFMAN_NAME, HUFFMAN = b"\xf2\xb4\xe9\x4d\x62\x1f", b"\x49\x50\x9f"


def hp(method="POST", extra=b"", **how):
    return P(method, extra=extra, **how)


# Section, what is sent after the greeting, what is expected. `R` in front of a section's name: without the greeting.
CASES = [
    # generic
    ("generic 1 a connection", F(PING, 0, 0, b"12345678"), PONG),
    ("generic 2 idle: PRIORITY", F(PRIO, 0, 1, b"\0\0\0\0\xff") + F(PING, 0, 0, b"12345678"), PONG),
    ("generic 2 half-closed (remote): WINDOW_UPDATE", H() + F(WUPD, 0, 1, number(100)), SERVED),
    ("generic 2 half-closed (remote): PRIORITY", H() + F(PRIO, 0, 1, b"\0\0\0\0\xff"), SERVED),
    ("generic 2 half-closed (remote): RST_STREAM", H() + F(RST, 0, 1, number(CANCEL)) + F(PING, 0, 0, b"12345678"), PONG),
    ("generic 2 closed: PRIORITY", [H(), F(PRIO, 0, 1, b"\0\0\0\0\xff") + F(PING, 0, 0, b"12345678")], PONG),
    ("generic 3.1 DATA", H(1, hp(), EH) + F(DATA, ES, 1, b"test"), SERVED),
    ("generic 3.1 several DATA", H(1, hp(), EH) + F(DATA, 0, 1, b"test") + F(DATA, ES, 1, b"test"), SERVED),
    ("generic 3.1 DATA with padding", H(1, hp(), EH) + F(DATA, ES + PAD, 1, b"\x06test" + bytes(6)), SERVED),
    ("generic 3.2 HEADERS", H(), SERVED),
    ("generic 3.2 HEADERS with padding", F(HEAD, ES + EH + PAD, 1, b"\x06" + P() + bytes(6)), SERVED),
    ("generic 3.2 HEADERS with priority", F(HEAD, ES + EH + PRI, 1, b"\0\0\0\0\xff" + P()), SERVED),
    ("generic 3.3 PRIORITY with priority 1", F(PRIO, 0, 1, b"\0\0\0\0\0") + H(), SERVED),
    ("generic 3.3 PRIORITY with priority 256", F(PRIO, 0, 1, b"\0\0\0\0\xff") + H(), SERVED),
    ("generic 3.3 PRIORITY with a dependency", F(PRIO, 0, 3, b"\0\0\0\x01\xff") + H(), SERVED),
    ("generic 3.3 PRIORITY, exclusive", F(PRIO, 0, 3, b"\x80\0\0\x01\xff") + H(), SERVED),
    ("generic 3.3 PRIORITY on a stream that comes later", F(PRIO, 0, 5, b"\0\0\0\0\xff") + H(5), SERVED),
    ("generic 3.4 RST_STREAM", H(1, hp(), EH) + F(RST, 0, 1, number(CANCEL)) + F(PING, 0, 0, b"12345678"), PONG),
    ("generic 3.5 SETTINGS", settings((WINDOW, 65535)), ACKED),
    ("generic 3.7 PING", F(PING, 0, 0, b"12345678"), PONG),
    ("generic 3.8 GOAWAY", goaway(0, 0) + F(PING, 0, 0, b"12345678"), ("pong or closed", ())),
    ("generic 3.9 WINDOW_UPDATE on the connection", F(WUPD, 0, 0, number(1)) + H(), SERVED),
    ("generic 3.9 WINDOW_UPDATE on a stream", H(1, hp(), EH) + F(WUPD, 0, 1, number(1)) + F(DATA, ES, 1, b"x"), SERVED),
    ("generic 3.10 CONTINUATION", H(1, P(), ES) + F(CONT, EH, 1, DUMMY), SERVED),
    ("generic 3.10 several CONTINUATIONs", H(1, P(), ES) + F(CONT, 0, 1, DUMMY) + F(CONT, EH, 1, DUMMY), SERVED),
    ("generic 4 GET", H(), SERVED),
    ("generic 4 HEAD", H(1, hp("HEAD")), SERVED),
    ("generic 4 POST", H(1, hp(), EH) + F(DATA, ES, 1, b"test"), SERVED),
    ("generic 4 POST with trailers", H(1, hp(extra=L("trailer", "x-test")), EH) + F(DATA, 0, 1, b"test")
     + F(HEAD, ES + EH, 1, L("x-test", "ok")), SERVED),
    ("generic 5 indexed field of the static table", H(1, b"\x82\x84\x86" + L(":authority", "a") + b"\x90"), SERVED),
    ("generic 5 literal with indexing, name in the table", H(1, P() + b"\x7a\x04test"), SERVED),
    ("generic 5 literal with indexing, new name", H(1, P() + LI("x-test", "test")), SERVED),
    ("generic 5 literal without indexing, name in the table", H(1, P() + b"\x0f\x2b\x04test"), SERVED),
    ("generic 5 literal without indexing, new name", H(1, P() + L("x-test", "test")), SERVED),
    ("generic 5 literal never indexed, name in the table", H(1, P() + b"\x1f\x2b\x04test"), SERVED),
    ("generic 5 literal never indexed, new name", H(1, P() + L("x-test", "test", b"\x10")), SERVED),
    ("generic 5 indexed field of the dynamic table", H(1, P() + LI("x-test", "test") + b"\xbe"), SERVED),
    ("generic 5 change of the table's size", H(1, b"\x3f\x21" + P()), SERVED),
    ("generic 5 changes of the table's size", H(1, b"\x20\x3f\x21" + P()), SERVED),
    ("generic 5 literal with indexing, name in the table, Huffman", H(1, P() + b"\x7a\x83" + HUFFMAN), SERVED),
    ("generic 5 literal with indexing, new name, Huffman", H(1, P() + b"\x40\x86" + HUFFMAN_NAME + b"\x83" + HUFFMAN), SERVED),
    ("generic 5 literal without indexing, name in the table, Huffman", H(1, P() + b"\x0f\x2b\x83" + HUFFMAN), SERVED),
    ("generic 5 literal never indexed, name in the table, Huffman", H(1, P() + b"\x1f\x2b\x83" + HUFFMAN), SERVED),
    ("generic 5 literal never indexed, new name, Huffman", H(1, P() + b"\x10\x86" + HUFFMAN_NAME + b"\x83" + HUFFMAN), SERVED),
    ("generic 5 literal without indexing, new name, Huffman", H(1, P() + b"\x00\x86" + HUFFMAN_NAME + b"\x83" + HUFFMAN), SERVED),
    # http2
    ("3.4 preface (3.5)", b"", ACKED),
    ("R3.4 preface that is none (3.5)", b"INVALID CONNECTION PREFACE\r\n\r\n" + bytes(40), connection_error(PROTOCOL)),
    ("4.1 unknown type", F(0xFF, 0, 0, bytes(8)) + F(PING, 0, 0, b"12345678"), PONG),
    ("4.1 flags nobody has defined", F(PING, 0x16, 0, b"12345678"), PONG),
    ("4.1 reserved bit", F(PING, 0, 1 << 31, b"12345678"), PONG),
    ("4.2 DATA of 2^14 bytes", H(1, hp(), EH) + F(DATA, ES, 1, bytes(1 << 14)), SERVED),
    ("4.2 DATA larger than SETTINGS_MAX_FRAME_SIZE", H(1, hp(), EH) + F(DATA, ES, 1, bytes((1 << 14) + 1)), stream_error(SIZE)),
    ("4.2 HEADERS larger than SETTINGS_MAX_FRAME_SIZE", H(1, P() + L("x", "y" * (1 << 14))), connection_error(SIZE)),
    ("4.3 a block that cannot be unpacked", H(1, b"\x40"), connection_error(COMPRESSION)),
    ("4.3 PRIORITY within a block", H(1, P(), ES) + F(PRIO, 0, 1, b"\0\0\0\0\xff") + F(CONT, EH, 1, DUMMY), connection_error(PROTOCOL)),
    ("4.3 HEADERS of another stream within a block", H(1, P(), ES) + H(3) + F(CONT, EH, 1, DUMMY), connection_error(PROTOCOL)),
    ("5.1 idle: DATA", F(DATA, ES, 1, b"test"), connection_error(PROTOCOL)),
    ("5.1 idle: RST_STREAM", F(RST, 0, 1, number(CANCEL)), connection_error(PROTOCOL)),
    ("5.1 idle: WINDOW_UPDATE", F(WUPD, 0, 1, number(100)), connection_error(PROTOCOL)),
    ("5.1 idle: CONTINUATION", F(CONT, EH, 1, P()), connection_error(PROTOCOL)),
    ("5.1 half-closed (remote): DATA", H() + F(DATA, ES, 1, b"test"), stream_error(CLOSED)),
    ("5.1 half-closed (remote): HEADERS", H() + H(1), stream_error(CLOSED)),
    ("5.1 half-closed (remote): CONTINUATION", H() + F(CONT, EH, 1, P()), connection_error(CLOSED, PROTOCOL)),
    ("5.1 closed: DATA after RST_STREAM", H(1, hp(), EH) + F(RST, 0, 1, number(CANCEL)) + F(DATA, ES, 1, b"test"), stream_error(CLOSED)),
    ("5.1 closed: HEADERS after RST_STREAM", H(1, hp(), EH) + F(RST, 0, 1, number(CANCEL)) + H(1), stream_error(CLOSED)),
    ("5.1 closed: CONTINUATION after RST_STREAM", H(1, hp(), EH) + F(RST, 0, 1, number(CANCEL)) + F(CONT, EH, 1, P()), stream_error(CLOSED, PROTOCOL)),
    ("5.1 closed: DATA", [H(), F(DATA, ES, 1, b"test")], stream_error(CLOSED)),
    ("5.1 closed: HEADERS", [H(), H(1)], connection_error(CLOSED)),
    ("5.1 closed: CONTINUATION", [H(), F(CONT, EH, 1, P())], connection_error(CLOSED, PROTOCOL)),
    ("5.1.1 even number", H(2), connection_error(PROTOCOL)),
    ("5.1.1 number below the last", H(5) + H(3), connection_error(PROTOCOL)),
    ("5.1.2 more streams than may be", "too many streams", stream_error(PROTOCOL, REFUSED)),
    ("5.3.1 HEADERS that depend on themselves", F(HEAD, ES + EH + PRI, 1, b"\0\0\0\x01\xff" + P()), ("ignored or stream", (PROTOCOL,))),
    ("5.3.1 PRIORITY that depends on itself", F(PRIO, 0, 1, b"\0\0\0\x01\xff") + H(), ("ignored or stream", (PROTOCOL,))),
    ("5.4.1 GOAWAY before the end for an error", F(PING, 0, 3, b"12345678"), ("goaway", (PROTOCOL,))),
    ("5.4.1 the end after GOAWAY", F(PING, 0, 3, b"12345678"), connection_error(PROTOCOL)),
    ("5.5 extension frame within a block", H(1, P(), ES) + F(0xFF, 0, 1, bytes(8)) + F(CONT, EH, 1, DUMMY), connection_error(PROTOCOL)),
    ("5.5 extension frame", F(0xFF, 0, 0, bytes(8)) + H(), SERVED),
    ("6.1 DATA on stream 0", F(DATA, ES, 0, b"test"), connection_error(PROTOCOL)),
    ("6.1 DATA on a stream that is not open", H() + F(DATA, ES, 1, b"test"), stream_error(CLOSED)),
    ("6.1 DATA with too much padding", H(1, hp(), EH) + F(DATA, ES + PAD, 1, b"\x06test"), connection_error(PROTOCOL)),
    ("6.2 HEADERS without END_HEADERS, then PRIORITY", H(1, P(), ES) + F(PRIO, 0, 1, b"\0\0\0\0\xff"), connection_error(PROTOCOL)),
    ("6.2 HEADERS without END_HEADERS, then another stream's", H(1, P(), ES) + H(3), connection_error(PROTOCOL)),
    ("6.2 HEADERS on stream 0", H(0), connection_error(PROTOCOL)),
    ("6.2 HEADERS with too much padding", F(HEAD, ES + EH + PAD, 1, bytes([len(P()) + 1]) + P()), connection_error(PROTOCOL)),
    ("6.3 PRIORITY on stream 0", F(PRIO, 0, 0, b"\0\0\0\0\xff"), connection_error(PROTOCOL)),
    ("6.3 PRIORITY of 4 bytes", F(PRIO, 0, 1, bytes(4)), ("ignored or stream", (SIZE,))),
    ("6.4 RST_STREAM on stream 0", F(RST, 0, 0, number(CANCEL)), connection_error(PROTOCOL)),
    ("6.4 RST_STREAM on an idle stream", F(RST, 0, 1, number(CANCEL)), connection_error(PROTOCOL)),
    ("6.4 RST_STREAM of 3 bytes", H(1, hp(), EH) + F(RST, 0, 1, bytes(3)), connection_error(SIZE)),
    ("6.5 ACK of SETTINGS with a payload", F(SETT, ACK, 0, bytes(1)), connection_error(SIZE)),
    ("6.5 SETTINGS on stream 1", F(SETT, 0, 1, b"\0\3\0\0\0\x64"), connection_error(PROTOCOL)),
    ("6.5 SETTINGS of 3 bytes", F(SETT, 0, 0, bytes(3)), connection_error(SIZE)),
    ("6.5.2 ENABLE_PUSH of 2", settings((ENABLE_PUSH, 2)), connection_error(PROTOCOL)),
    ("6.5.2 INITIAL_WINDOW_SIZE of 2^31", settings((WINDOW, 1 << 31)), connection_error(FLOW)),
    ("6.5.2 MAX_FRAME_SIZE below the least", settings((MAX_FRAME, (1 << 14) - 1)), connection_error(PROTOCOL)),
    ("6.5.2 MAX_FRAME_SIZE above the most", settings((MAX_FRAME, 1 << 24)), connection_error(PROTOCOL)),
    ("6.5.2 setting nobody knows", settings((0xFF, 1)) + F(PING, 0, 0, b"12345678"), PONG),
    ("6.5.3 the last of several values of a setting", settings((WINDOW, 100), (WINDOW, 1)) + H(1, P(p="/five")), ("body", (1,))),
    ("6.5.3 ACK of SETTINGS", settings(), ACKED),
    ("6.7 PING", F(PING, 0, 0, b"12345678"), PONG),
    ("6.7 ACK of a PING nobody sent", F(PING, ACK, 0, b"invalid!") + F(PING, 0, 0, b"12345678"), PONG),
    ("6.7 PING on stream 1", F(PING, 0, 1, b"12345678"), connection_error(PROTOCOL)),
    ("6.7 PING of 6 bytes", F(PING, 0, 0, bytes(6)), connection_error(SIZE)),
    ("6.8 GOAWAY on stream 1", F(GOAW, 0, 1, bytes(8)), connection_error(PROTOCOL)),
    ("6.9 WINDOW_UPDATE of 0", F(WUPD, 0, 0, number(0)), connection_error(PROTOCOL)),
    ("6.9 WINDOW_UPDATE of 0 on a stream", H(1, hp(), EH) + F(WUPD, 0, 1, number(0)), stream_error(PROTOCOL)),
    ("6.9 WINDOW_UPDATE of 3 bytes", F(WUPD, 0, 0, bytes(3)), connection_error(SIZE)),
    ("6.9.1 a window of 1 byte", settings((WINDOW, 1)) + H(1, P(p="/five")), ("body", (1,))),
    ("6.9.1 windows beyond 2^31-1", F(WUPD, 0, 0, number(2**31 - 1)) * 2, connection_error(FLOW)),
    ("6.9.1 windows of a stream beyond 2^31-1", H(1, hp(), EH) + F(WUPD, 0, 1, number(2**31 - 1)) * 2, stream_error(FLOW)),
    ("6.9.2 INITIAL_WINDOW_SIZE changed after HEADERS", "changed window", ("body", (1,))),
    ("6.9.2 a window below zero", "negative window", ("body", (4,))),
    ("6.9.2 INITIAL_WINDOW_SIZE above the most", settings((WINDOW, 1 << 31)), connection_error(FLOW)),
    ("6.10 several CONTINUATIONs", H(1, P(), ES) + F(CONT, 0, 1, DUMMY) + F(CONT, EH, 1, DUMMY), SERVED),
    ("6.10 CONTINUATION, then another frame", H(1, P(), ES) + F(CONT, 0, 1, DUMMY) + F(DATA, ES, 1, b"test"), connection_error(PROTOCOL)),
    ("6.10 CONTINUATION on stream 0", H(1, P(), ES) + F(CONT, EH, 0, DUMMY), connection_error(PROTOCOL)),
    ("6.10 CONTINUATION after HEADERS with END_HEADERS", H(1, hp(), EH) + F(CONT, EH, 1, DUMMY), connection_error(PROTOCOL)),
    ("6.10 CONTINUATION after one with END_HEADERS", H(1, hp(), 0) + F(CONT, EH, 1, DUMMY) + F(CONT, EH, 1, DUMMY), connection_error(PROTOCOL)),
    ("6.10 CONTINUATION after DATA", H(1, hp(), EH) + F(DATA, 0, 1, b"test") + F(CONT, EH, 1, DUMMY), connection_error(PROTOCOL)),
    ("7 GOAWAY with a code nobody knows", goaway(0, 0xFF) + F(PING, 0, 0, b"12345678"), ("pong or closed", ())),
    ("7 RST_STREAM with a code nobody knows", H(1, hp(), EH) + F(RST, 0, 1, number(0xFF)) + F(PING, 0, 0, b"12345678"), PONG),
    ("8.1 second HEADERS without END_STREAM", H(1, hp(), EH) + F(DATA, 0, 1, b"test") + F(HEAD, EH, 1, L("x-test", "ok")), stream_error(PROTOCOL)),
    ("8.2.1 upper-case name (8.1.2)", H(1, P() + L("X-TEST", "ok")), stream_error(PROTOCOL)),
    ("8.3 pseudo-field nobody knows (8.1.2.1)", H(1, P() + L(":test", "ok")), stream_error(PROTOCOL)),
    ("8.3 pseudo-field of a response (8.1.2.1)", H(1, L(":status", "200") + P()), stream_error(PROTOCOL)),
    ("8.1 pseudo-field in trailers (8.1.2.1)", H(1, hp(), EH) + F(DATA, 0, 1, b"test") + F(HEAD, ES + EH, 1, L(":method", "200")), stream_error(PROTOCOL)),
    ("8.3 pseudo-field behind a field (8.1.2.1)", H(1, L(":method", "GET") + L("x-test", "ok") + L(":path", "/") + L(":scheme", "http") + L(":authority", "a")), stream_error(PROTOCOL)),
    ("8.2.2 connection (8.1.2.2)", H(1, P() + L("connection", "keep-alive")), stream_error(PROTOCOL)),
    ("8.2.2 TE that is not trailers (8.1.2.2)", H(1, P() + L("trailers", "test") + L("te", "trailers, deflate")), stream_error(PROTOCOL)),
    ("8.3.1 empty :path (8.1.2.3)", H(1, P(p="")), stream_error(PROTOCOL)),
    ("8.3.1 no :method (8.1.2.3)", H(1, P(m=None)), stream_error(PROTOCOL)),
    ("8.3.1 no :scheme (8.1.2.3)", H(1, P(s=None)), stream_error(PROTOCOL)),
    ("8.3.1 no :path (8.1.2.3)", H(1, P(p=None)), stream_error(PROTOCOL)),
    ("8.3.1 two :method (8.1.2.3)", H(1, L(":method", "GET") + P()), stream_error(PROTOCOL)),
    ("8.3.1 two :scheme (8.1.2.3)", H(1, L(":scheme", "http") + P()), stream_error(PROTOCOL)),
    ("8.3.1 two :path (8.1.2.3)", H(1, L(":path", "/") + P()), stream_error(PROTOCOL)),
    ("8.1.1 content-length that does not fit (8.1.2.6)", H(1, hp(extra=L("content-length", "1")), EH) + F(DATA, ES, 1, b"test"), stream_error(PROTOCOL)),
    ("8.1.1 content-length that does not fit several DATA (8.1.2.6)", H(1, hp(extra=L("content-length", "1")), EH) + F(DATA, 0, 1, b"test") + F(DATA, ES, 1, b"test"), stream_error(PROTOCOL)),
    ("8.4 PUSH_PROMISE from a client (8.2)", H(1, hp(), EH) + F(PUSH, EH, 1, number(2) + P()), connection_error(PROTOCOL)),
    # hpack
    ("hpack 2.3.3 index behind the tables", H(1, P() + b"\xc6"), connection_error(COMPRESSION)),
    ("hpack 2.3.3 name's index behind the tables", H(1, P() + b"\x7f\x07\x04test"), connection_error(COMPRESSION)),
    ("hpack 4.2 size of the table at the end of a block", H(1, P() + b"\x20"), connection_error(COMPRESSION)),
    ("hpack 5.2 Huffman padded with more than 7 bits", H(1, P() + b"\x00\x85\xf2\xb2\x4a\x84\xff\x84\x49\x50\x9f\xff"), connection_error(COMPRESSION)),
    ("hpack 5.2 Huffman padded with zeros", H(1, P() + b"\x00\x85\xf2\xb2\x4a\x84\xff\x83\x49\x50\x90"), connection_error(COMPRESSION)),
    ("hpack 5.2 Huffman with EOS", H(1, P() + b"\x00\x85\xf2\xb2\x4a\x84\xff\x88\x49\x51\x3f\xff\xff\xff\xff\x84"), connection_error(COMPRESSION)),
    ("hpack 6.1 index 0", H(1, P() + b"\x80"), connection_error(COMPRESSION)),
    ("hpack 6.3 size of the table above SETTINGS_HEADER_TABLE_SIZE", H(1, b"\x3f\xe2\x1f" + P()), connection_error(COMPRESSION)),
]


@pytest.fixture(scope="module")
def proxy():
    from sluice import Sluice

    def script(peer):
        while request := peer.read_request():
            body = b"" if request.method == "HEAD" else b"hello"
            peer.send(answer(body) if body else b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n")
    origin = Origin(script)
    proxy = Sluice(http_proxy(origin.endpoint, workers=1, http={"http2": {"max_concurrent_streams": 50}}))
    yield proxy
    proxy.finish()
    origin.stop()


def changed_window(client):
    client.send(settings((WINDOW, 0)) + H())
    client.read_until(lambda: client.stream(1).heads)
    client.send(settings((WINDOW, 1)))


def negative_window(client):
    client.send(settings((WINDOW, 3)) + H())
    client.read_until(lambda: len(client.stream(1).body) == 3)
    client.send(settings((WINDOW, 2)))
    client.ping()
    # The window is -1 now: 1 makes it 0, 2 more let one byte go.
    client.send(F(WUPD, 0, 1, number(1)))
    client.ping()
    assert len(client.stream(1).body) == 3
    client.send(F(WUPD, 0, 1, number(1)))


def too_many_streams(client):
    client.send(b"".join(H(i, P("POST"), EH) for i in ids(client.peer_settings[MAX_STREAMS] + 1)))


SCRIPTS = {"changed window": changed_window, "negative window": negative_window, "too many streams": too_many_streams}


@pytest.mark.parametrize(("section", "sent", "expected"), CASES, ids=[case[0].replace(" ", "_") for case in CASES])
def test_section(proxy, section, sent, expected):
    kind, codes = expected
    with H2Client(proxy.address(), greets=not section.startswith("R")) as client:
        client.gives_credit = False
        acks = client.acks
        for part in sent if isinstance(sent, list) else [sent]:
            if isinstance(part, str):
                SCRIPTS[part](client)
            else:
                if isinstance(sent, list) and part is not sent[0]:
                    client.answer(1)
                client.send(part)
        streams = client.streams
        resets = lambda: [s.reset for s in streams.values() if s.reset is not None and s.reset != NO_ERROR]  # noqa: E731
        if kind == "served":
            client.read_until(lambda: any(s.over for s in streams.values()))
            (stream,) = streams.values()
            assert stream.status == 200 and stream.ended and stream.reset is None, stream
        elif kind == "pong":
            assert client.read_until(lambda: client.pongs)
            assert any(f.kind == PING and f.payload == b"12345678" for f in client.frames)
        elif kind == "pong or closed":
            client.read_until(lambda: client.pongs)
            assert client.pongs or client.ended
        elif kind == "acked":
            assert client.read_until(lambda: client.acks > acks) if sent else client.acks == 1
        elif kind == "body":
            (count,) = codes
            client.read_until(lambda: len(client.stream(1).body) >= count)
            client.ping()
            assert len(client.stream(1).body) == count
        elif kind == "stream":
            client.read_until(lambda: resets() or client.goaway is not None)
            assert (resets() + [client.goaway])[0] in codes or client.ended and client.goaway is None, (resets(), client.goaway)
        elif kind == "ignored or stream":
            client.send(F(PING, 0, 0, b"12345678"))
            client.read_until(lambda: client.pongs or client.goaway is not None)
            assert all(code in codes for code in resets()) and client.goaway in (None, *codes)
        else:
            client.read_until(lambda: False)
            assert client.ended
            assert client.goaway in codes or client.goaway is None and kind == "connection"


def test_the_preface_of_the_server_is_settings(proxy):
    """RFC 9113 section 3.4."""
    with H2Client(proxy.address()) as client:
        assert client.frames[0].kind == SETT and not client.frames[0].flags & ACK


def test_the_list_is_as_long_as_it_should_be():
    assert len(CASES) + 1 >= 147, len(CASES)
