"""plugins/brotli: bodies that the real decoder reads, beside gzip in one chain."""
import gzip
import subprocess

import brotli
import pytest

from client import Client, encode, get
from origin import answer, chunked
from plugin_builds import library

TEXT = b"".join(b"<p>line %d of a page that is worth it</p>\n" % number for number in range(20_000))
HTML = [("Content-Type", "text/html")]


def config(endpoint, **settings):
    return {"plugins": [library("brotli")], "clusters": {"app": {"endpoints": [endpoint]}},
            "listeners": {"inbound": {"bind": "127.0.0.1:0", "chain": [
                "http", "gzip", {"brotli": settings}, {"router": {"to": "app"}}]}}}


def serving(data):
    def script(peer):
        while peer.read_request():
            peer.send(data)
    return script


def ask(proxy, accepts):
    return get(proxy.address(), headers=[("Accept-Encoding", accepts)] if accepts else [])


@pytest.mark.parametrize("data", [answer(TEXT, headers=HTML), chunked([TEXT[:70_000], TEXT[70_000:]], headers=HTML)],
                         ids=["length", "chunks"])
@pytest.mark.parametrize("accepts, coding", [
    ("br", "br"), ("gzip, br", "br"), ("*", "br"), ("gzip", "gzip"), ("br;q=0, gzip", "gzip"), (None, None),
    ("identity", None)])
def test_clients_get_the_coding_that_they_accept(sluice, origin, data, accepts, coding):
    response = ask(sluice(config(origin(serving(data)).endpoint)), accepts)
    assert response.get("content-encoding") == coding and response.get("vary") == "Accept-Encoding"
    decode = {"br": brotli.decompress, "gzip": gzip.decompress, None: bytes}[coding]
    assert decode(response.body) == TEXT


@pytest.mark.parametrize("settings", [{"level": 0}, {"level": 9, "window_bits": 24}, {"window_bits": 10}], ids=str)
def test_every_level_and_window_is_read_by_curl(sluice, origin, settings):
    proxy = sluice(config(origin(serving(answer(TEXT, headers=HTML))).endpoint, **settings))
    command = ["curl", "-sS", "--compressed", "-H", "Accept-Encoding: br", "http://{}:{}/".format(*proxy.address())]
    assert subprocess.run(command, capture_output=True).stdout == TEXT


def test_what_a_source_has_sent_comes_while_it_pauses(sluice, origin):
    def script(peer):
        peer.read_request()
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")
        peer.wait_end()
    proxy = sluice(config(origin(script).endpoint))
    decoder, text = brotli.Decompressor(), b""
    with Client(proxy.address()) as client:
        client.send(encode(headers=[("Accept-Encoding", "br")]))
        client.read_head()
        while text != b"hello":
            size = int(client.read_until(b"\r\n"), 16)
            text += decoder.process(bytes(client.read_exactly(size)))
            client.read_exactly(2)


def test_a_client_that_reads_slowly_gets_all_of_it(sluice, origin):
    large = TEXT * 10
    proxy = sluice(config(origin(serving(answer(large, headers=HTML))).endpoint, level=1))
    with Client(proxy.address(), receive_buffer=4096) as client:
        client.send(encode(headers=[("Accept-Encoding", "br")]))
        response = client.read_response()
    assert brotli.decompress(response.body) == large
