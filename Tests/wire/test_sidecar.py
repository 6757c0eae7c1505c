"""examples/sidecar.yaml from end to end: TLS in both directions, and certificates that change under load."""
import os
import pathlib
import ssl

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from certificates import Authority
from client import get
from load import Load
from sluice import REPOSITORY
from test_tls import connect, fetch

CLIENT, OTHER = "spiffe://example.org/ns/default/sa/web", "spiffe://elsewhere.org/web"


class Pod:
    """A folder with the example, its certificates, and the addresses of this machine in place of a cluster's."""

    def __init__(self, folder, authority, app, mathoid, name="mathoid.internal"):
        self.folder, self.authority, self.name = pathlib.Path(folder), authority, name
        (self.folder / "certificates").mkdir(parents=True)
        self.renew()
        text = (REPOSITORY / "examples/sidecar.yaml").read_text()
        for old, new in (("0.0.0.0:8443", "127.0.0.1:0"), ("0.0.0.0:8001", "127.0.0.1:0"),
                         ("127.0.0.1:6010", "127.0.0.1:0"), ("127.0.0.1:6011", "127.0.0.1:0"),
                         ("127.0.0.1:6012", "127.0.0.1:0"),
                         ("127.0.0.1:9901", "127.0.0.1:0"),
                         ("127.0.0.1:8080", app), ("mathoid.internal:4001", mathoid),
                         ("          ca: certificates/ca.pem\n          certificate",
                          "          ca: certificates/ca.pem\n          server_name: mathoid.internal\n          certificate")):
            assert text.count(old) >= 1, old
            text = text.replace(old, new)
        self.config = self.folder / "sidecar.yaml"
        self.config.write_text(text)

    def file(self, name):
        return self.folder / "certificates" / name

    def renew(self):
        """New pairs, each file put in place as a whole."""
        made = self.folder / "new"
        made.mkdir()
        (made / "ca.pem").write_bytes(self.authority.pem)
        self.server = self.authority.issue(self.name, "localhost", "spiffe://example.org/ns/default/sa/mathoid")
        self.server.write(made, "server")
        self.authority.issue(CLIENT, usage="client").write(made, "client")
        for file in made.iterdir():
            os.replace(file, self.file(file.name))
        made.rmdir()


@pytest.fixture
def authority():
    return Authority()


def run(sluice, pod):
    return sluice(command=["run", "-c", str(pod.config), "--log-format", "json"])


def client(authority, folder, name=CLIENT):
    made = ssl.create_default_context(cadata=authority.pem.decode())
    if name:
        made.load_cert_chain(*authority.issue(name, usage="client").write(folder, "shown"))
    return made


def refused(address, context):
    """Whether no request gets through; in TLS 1.3 a client learns of it only when it reads."""
    try:
        with connect(address, "localhost", context=context) as one:
            one.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            return one.recv(1) == b""
    except (ssl.SSLError, ConnectionError):
        return True


def test_only_those_with_an_accepted_certificate_reach_the_service(sluice, origin, authority, tmp_path):
    app = origin()
    proxy = run(sluice, Pod(tmp_path / "pod", authority, app.endpoint, "127.0.0.1:1"))
    address = proxy.address("inbound")
    with connect(address, "localhost", context=client(authority, tmp_path)) as one:
        assert b" 200 " in fetch(one)
        assert b" 403 " in fetch(one, b"GET /admin/x HTTP/1.1\r\nHost: x\r\n\r\n")
    [request] = app.requests
    assert f"URI={CLIENT}" in request.get("x-forwarded-client-cert")
    assert refused(address, client(authority, tmp_path, None))
    assert refused(address, client(authority, tmp_path, OTHER))
    assert len(app.requests) == 1
    assert get(proxy.address("health")).body == b"ok\n"


def test_two_sidecars_call_each_other_through_rotations_with_no_request_lost(sluice, origin, authority, tmp_path):
    """A service speaks plain HTTP to its own sidecar; that speaks mutual TLS to the other's, which speaks plain HTTP."""
    app = origin()
    callee = Pod(tmp_path / "callee", authority, app.endpoint, "127.0.0.1:1")
    behind = run(sluice, callee)
    host, port = behind.address("inbound")
    caller = Pod(tmp_path / "caller", authority, app.endpoint, f"{host}:{port}")
    front = run(sluice, caller)
    address = front.address("mathoid")

    with Load(address) as load:
        for _ in range(5):
            told = (behind.mark(), front.mark())
            callee.renew()
            caller.renew()
            behind.wait_log("certificate files read again", since=told[0], file=str(callee.file("server.crt")))
            front.wait_log("certificate files read again", since=told[1], file=str(caller.file("client.crt")))
            load.wait_for(40)
    load.check()
    with connect((host, port), "localhost", context=client(authority, tmp_path)) as one:
        seen = one.getpeercert(binary_form=True)
    assert seen == callee.server.certificate.public_bytes(Encoding.DER)
