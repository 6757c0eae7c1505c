"""Who the client is by its certificate, over real connections: in fields, routes and logs."""
import re
import socket
import ssl

import pytest
from cryptography.hazmat.primitives import hashes

from certificates import authority
from test_tls import connect, context, fetch, files, settings

WEB = "spiffe://example.org/ns/default/sa/web"
US = "spiffe://example.org/ns/default/sa/us"
FIELD = "x-forwarded-client-cert"


@pytest.fixture
def mutual(sluice, origin, files):
    """`mutual(**http settings)`: a proxy that asks for certificates, in front of an origin; both are returned."""
    authority().issue("a.test", US).write(files, "server")

    def start(routes=None, asked="optional", **http):
        one = origin()
        tls = settings(files, ca=str(files / "ca.pem"), client_certificates=asked)
        return sluice({
            "workers": 1,
            "access_log": {"to": "stdout", "format": "%REQUESTED_SERVER_NAME% %DOWNSTREAM_TLS_VERSION% "
                           "%DOWNSTREAM_TLS_RESUMED% %DOWNSTREAM_ALPN% %DOWNSTREAM_PEER_SUBJECT% "
                           "%DOWNSTREAM_PEER_URI_SAN% %DOWNSTREAM_PEER_FINGERPRINT_256% %ROUTE_NAME%"},
            "listeners": {"inbound": {"bind": "127.0.0.1:0", "chain": [
                {"tls": tls}, {"http": http}, {"router": {"routes": routes} if routes else {"to": "app"}}]}},
            "clusters": {"app": {"endpoints": [one.endpoint]}} if not routes or "to" in str(routes) else {}}), one
    return start


@pytest.fixture
def web(tmp_path):
    return authority().issue(WEB, "web.test", common="web", usage="client"), tmp_path


def ask(proxy, pair=None, extra=b"", name="a.test", **how):
    pair, folder = pair or (None, None)
    with connect(proxy.address(), name, pair=pair, folder=folder, **how) as one:
        return fetch(one, b"GET / HTTP/1.1\r\nHost: a.test\r\n" + extra + b"\r\n")


def fingerprint(pair):
    return pair.certificate.fingerprint(hashes.SHA256()).hex()


def test_upstream_is_told_who_the_client_is(mutual, web):
    proxy, one = mutual(forwarded_client_cert={"mode": "sanitize_set", "details": ["subject", "uri", "dns"]})
    ask(proxy, web, extra=b"X-Forwarded-Client-Cert: Hash=0;URI=spiffe://forged\r\n")
    assert one.requests[0].get(FIELD) == f'By={US};Hash={fingerprint(web[0])};Subject="CN=web";URI={WEB};DNS=web.test'


@pytest.mark.parametrize("mode", ["sanitize", "forward_only", "append_forward", "sanitize_set"])
def test_forged_field_of_a_client_without_a_certificate_goes_no_further(mutual, mode):
    proxy, one = mutual(forwarded_client_cert=mode)
    ask(proxy, extra=b"X-Forwarded-Client-Cert: Hash=0;URI=spiffe://forged\r\n")
    assert one.requests[0].get(FIELD) is None


def test_proxies_before_us_are_appended_to(mutual, web):
    proxy, one = mutual(forwarded_client_cert={"mode": "append_forward", "details": ["uri"]})
    ask(proxy, web, extra=b"X-Forwarded-Client-Cert: Hash=1;URI=spiffe://first\r\n")
    assert one.requests[0].get(FIELD) == f"Hash=1;URI=spiffe://first, By={US};Hash={fingerprint(web[0])};URI={WEB}"


ROUTES = [
    {"name": "web", "match": {"client_certificate": {"uri": WEB}}, "respond": {"body": "web"}},
    {"name": "known", "match": {"client_certificate": True}, "respond": {"body": "known"}},
    {"name": "named", "match": {"server_name": {"suffix": ".named.test"}}, "respond": {"body": "named"}},
    {"name": "others", "respond": {"body": "others"}},
]


def test_routes_know_the_client_and_the_name_that_it_asked_for(mutual, web, tmp_path):
    proxy, _ = mutual(ROUTES)
    other = authority().issue("other.test", usage="client"), tmp_path
    unchecked = context()
    unchecked.check_hostname = False
    assert ask(proxy, web).endswith(b"\r\n\r\nweb")
    assert ask(proxy, other).endswith(b"\r\n\r\nknown")
    assert ask(proxy, name="x.NAMED.test", context=unchecked).endswith(b"\r\n\r\nnamed")
    assert ask(proxy).endswith(b"\r\n\r\nothers")


def test_access_log_knows_the_connection(mutual, web):
    proxy, _ = mutual(ROUTES)
    ask(proxy, web, alpn=["http/1.1"])
    proxy.wait_stdout(rf"^a\.test TLSv1\.3 false http/1\.1 CN=web {re.escape(WEB)} {fingerprint(web[0])} web$")
    ask(proxy)
    proxy.wait_stdout(r"^a\.test TLSv1\.3 false - - - - others$")


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_client_is_known_again_by_its_session(mutual, web, version):
    """A session that is taken up again shows no certificate: who it was is in the ticket."""
    proxy, one = mutual(forwarded_client_cert={"mode": "sanitize_set", "details": ["uri"]})
    made = context(version, pair=web[0], folder=web[1])
    with connect(proxy.address(), context=made) as first:
        fetch(first)
        session = first.session
    with made.wrap_socket(socket.create_connection(proxy.address()), server_hostname="a.test", session=session) as again:
        fetch(again)
        assert again.session_reused
    assert [request.get(FIELD) for request in one.requests] == [f"By={US};Hash={fingerprint(web[0])};URI={WEB}"] * 2
