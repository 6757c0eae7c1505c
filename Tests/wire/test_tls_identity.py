"""Who a client is, by its certificate: what upstreams are told, which route is taken, what the log says."""
import datetime
import hashlib
import socket
import ssl
import urllib.parse

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from certificates import Authority, authority
from test_tls import client_pair, config, connect, context, fetch, files, refused, settings  # noqa: F401

OURS = "spiffe://example.org/edge"
FIELD = "x-forwarded-client-cert"
FORGED = b"By=spiffe://example.org/edge;Hash=00;URI=spiffe://example.org/admin"


def hash_of(pair):
    return hashlib.sha256(pair.certificate.public_bytes(Encoding.DER)).hexdigest()


def request(*values, target=b"/"):
    lines = b"".join(b"X-Forwarded-Client-Cert: %s\r\n" % value for value in values)
    return b"GET %s HTTP/1.1\r\nHost: a.test\r\n%s\r\n" % (target, lines)


@pytest.fixture
def proxy(sluice, origin, files):
    """`proxy(how, routes, ...)`: a proxy for clients who may have a certificate, and its origin."""
    authority().issue("localhost", "127.0.0.1", "a.test", "b.test", OURS).write(files, "server")

    def start(how="sanitize", routes=None, access_log="off", **tls):
        one = origin()
        tls = settings(files, ca=str(files / "ca.pem"), **{"client_certificates": "optional", **tls})
        router = {"routes": routes} if routes else {"to": "app"}
        chain = [{"http": {"forwarded_client_cert": how}}, {"router": router}]
        return sluice(config(tls, one.endpoint, chain=chain, access_log=access_log)), one
    return start


# MARK: x-forwarded-client-cert

MODES = ["sanitize", "forward_only", "append_forward", "sanitize_set"]


@pytest.mark.parametrize("mode", MODES)
def test_nobody_without_a_certificate_says_who_he_is(proxy, mode):
    one, behind = proxy(mode)
    with connect(one.address()) as client:
        for values in ([FORGED], [FORGED, b"Hash=11"], []):
            assert b" 200 " in fetch(client, request(*values))
    assert len(behind.requests) == 3
    assert all(seen.get(FIELD) is None for seen in behind.requests)


def told(proxy, how, pair, tmp_path, *values, **tls):
    """What the origin is told of a client."""
    one, behind = proxy(how, **tls)
    with connect(one.address(), pair=pair, folder=tmp_path) as client:
        assert b" 200 " in fetch(client, request(*values))
    return behind.requests[-1].get(FIELD)


@pytest.mark.parametrize("mode, forged, expected", [
    ("sanitize", [FORGED], None),
    ("sanitize_set", [FORGED], "By={by};Hash={hash}"),
    ("sanitize_set", [], "By={by};Hash={hash}"),
    ("append_forward", [FORGED], FORGED.decode() + ", By={by};Hash={hash}"),
    ("append_forward", [b'Hash=1;Subject="'], "By={by};Hash={hash}"),
    ("forward_only", [FORGED], FORGED.decode()),
])
def test_a_client_with_a_certificate_says_only_what_the_mode_lets_it_say(proxy, tmp_path, mode, forged, expected):
    pair = client_pair()
    expected = expected and expected.format(by=OURS, hash=hash_of(pair))
    assert told(proxy, mode, pair, tmp_path, *forged) == expected


def test_the_whole_of_it(proxy, tmp_path):
    pair = client_pair("spiffe://example.org/web", "web.test", "x://y,z")
    value = told(proxy, {"mode": "sanitize_set", "details": ["chain", "subject", "uri", "dns", "cert"]}, pair, tmp_path)
    head, _, tail = value.partition(";Cert=")
    assert head == (f'By={OURS};Hash={hash_of(pair)};Subject="CN=web";URI=spiffe://example.org/web;URI="x://y,z"'
                    ";DNS=web.test")
    certificate, _, chain = tail.partition(";Chain=")
    assert urllib.parse.unquote(certificate.strip('"')).encode() == pair.crt
    # A client that has no chain of its own sends along what it knows of its certificate's authority.
    assert urllib.parse.unquote(chain.strip('"')).encode() == pair.crt + authority().pem


def test_the_chain_is_what_the_client_has_sent(proxy, tmp_path):
    middle = Authority("middle", authority())
    pair = middle.issue("spiffe://example.org/web", usage="client")
    value = told(proxy, {"mode": "sanitize_set", "details": ["chain"]}, pair, tmp_path)
    assert urllib.parse.unquote(value.partition(";Chain=")[2].strip('"')).encode() == pair.crt


def test_a_session_that_is_taken_up_again_has_the_same_identity(proxy, tmp_path):
    """Without a second proof the client is still the one who gave the first."""
    one, behind = proxy({"mode": "sanitize_set", "details": ["uri"]})
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        made = context(version, pair=client_pair(), folder=tmp_path)
        with connect(one.address(), context=made) as client:
            fetch(client, request(FORGED))
            session = client.session
        plain = socket.create_connection(one.address(), timeout=10)
        with made.wrap_socket(plain, server_hostname="a.test", session=session) as client:
            fetch(client, request(FORGED))
            assert client.session_reused
        first, again = behind.requests[-2:]
        assert first.get(FIELD) == again.get(FIELD) and "URI=spiffe://example.org/web" in again.get(FIELD)


def test_each_proxy_on_the_way_adds_whom_it_has_seen(sluice, proxy, files, tmp_path):
    """Two in a row, each with a certificate of its own; the second keeps what the first says."""
    inner, behind = proxy({"mode": "append_forward", "details": ["uri"]})
    edge = authority().issue("spiffe://example.org/front", usage="client")
    edge.write(files, "edge")
    upstream = {"chain": [{"tls": {"ca": str(files / "ca.pem"), "certificate": str(files / "edge.crt"),
                                   "key": str(files / "edge.key"), "server_name": "a.test"}}]}
    how = {"forwarded_client_cert": {"mode": "sanitize_set", "details": ["uri"]}}
    chain = [{"http": how}, {"router": {"to": "app"}}]
    outer = sluice(config(settings(files, ca=str(files / "ca.pem")), "%s:%d" % inner.address(), chain=chain,
                          upstream=upstream))
    pair = client_pair()
    with connect(outer.address(), pair=pair, folder=tmp_path) as client:
        assert b" 200 " in fetch(client, request(FORGED))
    assert behind.requests[-1].get(FIELD) == (
        f"By={OURS};Hash={hash_of(pair)};URI=spiffe://example.org/web, "
        f"By={OURS};Hash={hash_of(edge)};URI=spiffe://example.org/front")


def test_by_names_the_certificate_that_the_client_was_shown(proxy, files, tmp_path):
    authority().issue("c.test", "spiffe://example.org/second").write(files, "second")
    extra = [{"certificate": str(files / "second.crt"), "key": str(files / "second.key")}]
    one, behind = proxy("sanitize_set", certificates=extra)
    for name, by in (("a.test", OURS), ("c.test", "spiffe://example.org/second")):
        with connect(one.address(), name, pair=client_pair(), folder=tmp_path) as client:
            fetch(client, request())
        assert behind.requests[-1].get(FIELD).startswith(f"By={by};Hash=")


# MARK: Routes

def responders(**matches):
    return [{"name": name, "match": match, "respond": {"status": 200, "body": name}} for name, match in matches.items()]


@pytest.mark.parametrize("names, route", [
    (["spiffe://example.org/admin"], "admin"), (["spiffe://example.org/web/1"], "web"),
    (["spiffe://other.org/web/1", "web.test"], "dns"), (["spiffe://other.org/admin"], "any"), ([], "any"),
    (["spiffe://example.org/adminx", "spiffe://example.org/web/2"], "web"),
    (None, "nobody"),
])
def test_routes_by_the_names_in_the_clients_certificate(proxy, tmp_path, names, route):
    one, _ = proxy(routes=responders(
        admin={"client_certificate": {"uri": "spiffe://example.org/admin"}},
        web={"client_certificate": {"uri": {"prefix": "spiffe://example.org/web/"}}},
        dns={"client_certificate": {"dns": "web.test"}},
        any={"client_certificate": True},
        nobody={"client_certificate": False}))
    pair = None if names is None else authority().issue(*names, common="web", usage="client")
    with connect(one.address(), pair=pair, folder=tmp_path) as client:
        # What the request says of its sender counts for nothing here.
        answer = fetch(client, request(b"URI=spiffe://example.org/admin"))
    assert answer.endswith(b"\r\n\r\n" + route.encode())


def test_routes_by_subject_and_fingerprint(proxy, tmp_path):
    known, other = client_pair(), client_pair()
    colons = ":".join(hash_of(known)[at:at + 2] for at in range(0, 64, 2)).upper()
    one, _ = proxy(routes=responders(
        known={"client_certificate": {"fingerprint": colons}}, web={"client_certificate": {"subject": "CN=web"}}))
    for pair, route in ((known, b"known"), (other, b"web")):
        with connect(one.address(), pair=pair, folder=tmp_path) as client:
            assert fetch(client, request()).endswith(route)


def test_an_unchecked_certificate_is_never_an_identity(proxy, tmp_path):
    one, behind = proxy("sanitize_set", routes=responders(admin={"client_certificate": True}, nobody={}))
    stranger = Authority("other").issue("spiffe://example.org/admin", usage="client")
    assert refused(one.address(), tmp_path, stranger)
    assert not behind.requests


@pytest.mark.parametrize("name, route", [("a.test", "a"), ("B.Test", "b"), ("localhost", "rest"), (None, "rest")])
def test_routes_by_the_name_that_was_asked_for(proxy, name, route):
    one, _ = proxy(routes=responders(
        a={"server_name": "A.test"}, b={"server_name": {"prefix": "b."}}, rest={}))
    made = context()
    made.check_hostname = False
    with connect(one.address(), name, context=made) as client:
        # The host that the request names is another matter.
        answer = fetch(client, b"GET / HTTP/1.1\r\nHost: b.test\r\n\r\n")
    assert answer.endswith(b"\r\n\r\n" + route.encode())


# MARK: The access log

VARIABLES = {
    "sni": "%REQUESTED_SERVER_NAME%", "version": "%DOWNSTREAM_TLS_VERSION%", "cipher": "%DOWNSTREAM_TLS_CIPHER%",
    "alpn": "%DOWNSTREAM_ALPN%", "resumed": "%DOWNSTREAM_TLS_RESUMED%", "subject": "%DOWNSTREAM_PEER_SUBJECT%",
    "issuer": "%DOWNSTREAM_PEER_ISSUER%", "serial": "%DOWNSTREAM_PEER_SERIAL%", "uri": "%DOWNSTREAM_PEER_URI_SAN%",
    "dns": "%DOWNSTREAM_PEER_DNS_SAN%", "ip": "%DOWNSTREAM_PEER_IP_SAN%", "mail": "%DOWNSTREAM_PEER_EMAIL_SAN%",
    "hash": "%DOWNSTREAM_PEER_FINGERPRINT_256%", "pem": "%DOWNSTREAM_PEER_CERT%",
    "from": "%DOWNSTREAM_PEER_CERT_V_START%", "until": "%DOWNSTREAM_PEER_CERT_V_END(%F)%",
}
FORMAT = {"to": "stdout", "format": "line " + " | ".join(f"{key}={value}" for key, value in VARIABLES.items())}


def logged(one, since=0):
    line = one.wait_stdout("^line ", since=since)
    return dict(part.split("=", 1) for part in line.removeprefix("line ").split(" | "))


def test_the_log_tells_who_the_client_was(proxy, tmp_path):
    pair = client_pair("spiffe://example.org/web", "other://b", "web.test", "192.0.2.1", "2001:db8::1", "a@b.test")
    one, _ = proxy(access_log=FORMAT)
    made = context(ssl.TLSVersion.TLSv1_3, pair=pair, folder=tmp_path, alpn=["http/1.1"])
    with connect(one.address(), "B.test", context=made) as client:
        fetch(client)
        cipher = client.cipher()[0]
    certificate = pair.certificate
    line = logged(one)
    assert urllib.parse.unquote(line.pop("pem")).encode() == pair.crt
    assert int(line.pop("serial"), 16) == certificate.serial_number
    begin = datetime.datetime.strptime(line.pop("from"), "%Y-%m-%dT%H:%M:%S.%f%z")
    assert begin == certificate.not_valid_before_utc
    assert line == {
        "sni": "b.test", "version": "TLSv1.3", "cipher": cipher, "alpn": "http/1.1", "resumed": "false",
        "subject": "CN=web", "issuer": "CN=test authority", "uri": "spiffe://example.org/web,other://b",
        "dns": "web.test",
        "ip": "192.0.2.1,2001:db8::1", "mail": "a@b.test", "hash": hash_of(pair),
        "until": certificate.not_valid_after_utc.strftime("%Y-%m-%d")}


def test_the_log_of_a_client_that_has_shown_nothing(proxy):
    one, _ = proxy(access_log=FORMAT)
    made = context()
    made.check_hostname = False
    with connect(one.address(), None, context=made) as client:
        fetch(client)
        cipher = client.cipher()[0]
    line = logged(one)
    known = [line.pop(key) for key in ("version", "cipher", "resumed")]
    assert known == ["TLSv1.3", cipher, "false"]
    assert set(line.values()) == {"-"}


def test_the_log_of_connections_that_carry_bytes(sluice, origin, files, tmp_path):
    authority().issue("localhost", "a.test").write(files, "server")
    form = "line %REQUESTED_SERVER_NAME% %DOWNSTREAM_PEER_URI_SAN% %DOWNSTREAM_TLS_VERSION%"
    one = sluice(config(settings(files, ca=str(files / "ca.pem"), alpn=[]), origin().endpoint,
                        chain=[{"tcp_proxy": {"to": "app"}}], access_log={"to": "stdout", "format": form}))
    with connect(one.address(), pair=client_pair(), folder=tmp_path) as client:
        fetch(client)
    assert one.wait_stdout("^line ") == "line a.test spiffe://example.org/web TLSv1.3"


HOSTILE = 'x"\r\ny: z | sni=forged,=\\ü'


def test_a_hostile_certificate_cannot_break_out_of_its_place(proxy, tmp_path):
    pair = authority().issue(common=HOSTILE, usage="client")
    one, behind = proxy({"mode": "sanitize_set", "details": ["subject", "uri"]},
                        access_log={"to": "stdout", "format": "line %DOWNSTREAM_PEER_SUBJECT%"})
    with connect(one.address(), pair=pair, folder=tmp_path) as client:
        assert b" 200 " in fetch(client, request())
    line = one.wait_stdout("^line ")
    assert line.isascii() and line.isprintable() and '"' not in line
    value = behind.requests[-1].get(FIELD)
    assert value.isascii() and value.count('"') == 2 and behind.requests[-1].get("y") is None

