"""Certificates, keys, authorities and lists that change while Sluice runs: good ones are taken, bad ones are not."""
import datetime
import os
import pathlib
import shutil
import signal
import ssl
import subprocess
import tempfile
import threading

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509 import ocsp

from certificates import Authority, authority, server
from flow import wait_until
from test_tls import SecureOrigin, begins, config, connect, context, ends, fetch, files, plain_get, settings

TAKEN, REFUSED = "certificate files read again", "new certificate files refused, the old ones stay in use"


def new_pair(**how):
    return authority().issue("localhost", "127.0.0.1", "a.test", **how)


def der(pair):
    return pair.certificate.public_bytes(serialization.Encoding.DER)


def shown(address):
    """The certificate that a new client is shown."""
    made = ssl._create_unverified_context()
    with connect(address, context=made) as one:
        return one.getpeercert(binary_form=True)


# MARK: The ways to replace files

def written_in_place(folder, pair):
    pair.write(folder, "server")


def renamed(folder, pair):
    for name, content in (("server.key", pair.pem_key()), ("server.crt", pair.crt)):
        (folder / "fresh").write_bytes(content)
        os.replace(folder / "fresh", folder / name)


def removed_first(folder, pair):
    for name, content in (("server.crt", pair.crt), ("server.key", pair.pem_key())):
        (folder / name).unlink()
        (folder / name).write_bytes(content)


def as_kubernetes(folder, pair):
    """A mounted secret: the files are links through `..data`, a link that is turned to a new folder at once."""
    fresh = pathlib.Path(tempfile.mkdtemp(prefix="..", dir=folder))
    pair.write(fresh, "server")
    old = folder / "..data"
    target = os.readlink(old) if old.is_symlink() else None
    (folder / "..tmp").symlink_to(fresh.name)
    os.replace(folder / "..tmp", old)
    for name in ("server.crt", "server.key"):
        if not (folder / name).is_symlink():
            (folder / name).unlink(missing_ok=True)
            (folder / name).symlink_to(f"..data/{name}")
    if target:
        shutil.rmtree(folder / target)


@pytest.mark.parametrize("replace", [written_in_place, renamed, removed_first, as_kubernetes])
def test_new_files_are_for_new_connections(sluice, origin, files, replace):
    first, second, third = server(), new_pair(), new_pair(kind="rsa")
    replace(files, first)
    proxy = sluice(config(settings(files), origin().endpoint, workers=2))
    with connect(proxy.address()) as old:
        for fresh in (second, third):
            since = proxy.mark()
            replace(files, fresh)
            entry = proxy.wait_log(TAKEN, since=since)
            assert entry["names"] == "localhost,a.test" and entry["not_after"].endswith("Z")
            # Of both workers, whichever a client comes to.
            assert {shown(proxy.address()) for _ in range(16)} == {der(fresh)}
        assert b" 200 " in fetch(old) and old.getpeercert(binary_form=True) == der(first)


def test_key_and_certificate_may_come_one_after_the_other(ends, files):
    proxy = ends()
    fresh, since = new_pair(), proxy.mark()
    (files / "server.crt").write_bytes(fresh.crt)
    assert "is not the key of the certificate" in proxy.wait_log(REFUSED, since=since)["error"]
    assert shown(proxy.address()) == der(server())
    (files / "server.key").write_bytes(fresh.pem_key())
    proxy.wait_log(TAKEN, since=since)
    assert shown(proxy.address()) == der(fresh)


def test_hup_looks_at_files_again(ends, files):
    """Both at once: the reload of an unchanged config, and new files."""
    proxy = ends()
    fresh, since = new_pair(), proxy.mark()
    renamed(files, fresh)
    proxy.signal(signal.SIGHUP)
    proxy.wait_log("config reloaded", since=since)
    wait_until(lambda: shown(proxy.address()) == der(fresh), what="the new certificate is not shown")


# MARK: Bad files

def half(folder):
    whole = new_pair().crt
    (folder / "server.crt").write_bytes(whole[:len(whole) // 2])


def another_key(folder):
    (folder / "server.key").write_bytes(new_pair().pem_key())


def empty(folder):
    (folder / "server.crt").write_bytes(b"")


def gone(folder):
    (folder / "server.key").unlink()


def a_folder(folder):
    (folder / "server.key").unlink()
    (folder / "server.key").mkdir()


def expired(folder):
    new_pair(start=-20, days=-1).write(folder, "server")


def in_der(folder):
    (folder / "server.crt").write_bytes(der(new_pair()))


def sealed(folder):
    new_pair().write(folder, "server", passphrase=b"open sesame")


def no_chain(folder):
    pair = new_pair()
    (folder / "server.crt").write_bytes(pair.crt + b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    (folder / "server.key").write_bytes(pair.pem_key())


@pytest.mark.parametrize("spoil, setting, words", [
    (half, "certificate", "server.crt"),
    (another_key, "key", "is not the key of the certificate"),
    (empty, "certificate", "is empty"),
    (gone, "key", "cannot be read: No such file or directory"),
    (a_folder, "key", "server.key"),
    (expired, "certificate", "has expired"),
    (in_der, "certificate", "DER"),
    (sealed, "key", "is encrypted"),
    (no_chain, "certificate", "server.crt"),
])
def test_bad_files_leave_the_old_ones_in_use(ends, files, spoil, setting, words):
    proxy = ends()
    since = proxy.mark()
    spoil(files)
    entry = proxy.wait_log(REFUSED, since=since)
    assert entry["level"] == "error" and entry["setting"] == setting and words in entry["error"]
    assert shown(proxy.address()) == der(server())
    with connect(proxy.address()) as one:
        assert b" 200 " in fetch(one)
    # And good ones that come later are taken.
    if (files / "server.key").is_dir():
        (files / "server.key").rmdir()
    fresh, since = new_pair(), proxy.mark()
    renamed(files, fresh)
    proxy.wait_log(TAKEN, since=since)
    assert shown(proxy.address()) == der(fresh)


# MARK: Trust

def served(address, pair, folder):
    """Whether a client with this certificate gets an answer."""
    made = ssl._create_unverified_context()
    made.load_cert_chain(*pair.write(folder, "shown"))
    try:
        with connect(address, context=made) as one:
            return b" 200 " in fetch(one)
    except (ssl.SSLError, ConnectionError):
        return False


def test_authorities_of_clients_change(ends, files, tmp_path_factory):
    folder, other = tmp_path_factory.mktemp("clients"), Authority("other")
    old, new = authority().issue("client.test", usage="client"), other.issue("client.test", usage="client")
    proxy = ends(ca=str(files / "ca.pem"))
    assert served(proxy.address(), old, folder) and not served(proxy.address(), new, folder)
    since = proxy.mark()
    (files / "ca.pem").write_bytes(authority().pem + other.pem)
    proxy.wait_log(TAKEN, since=since)
    assert served(proxy.address(), old, folder) and served(proxy.address(), new, folder)
    since = proxy.mark()
    (files / "ca.pem").write_bytes(other.pem)
    proxy.wait_log(TAKEN, since=since)
    assert not served(proxy.address(), old, folder) and served(proxy.address(), new, folder)


def test_clients_are_revoked_without_a_restart_and_cannot_take_up_their_session(ends, files, tmp_path_factory):
    folder = tmp_path_factory.mktemp("clients")
    one = authority().issue("client.test", usage="client")
    (files / "crl.pem").write_bytes(authority().revoke())
    proxy = ends(ca=str(files / "ca.pem"), crl=str(files / "crl.pem"))
    made = context(ssl.TLSVersion.TLSv1_2, pair=one, folder=folder)
    with connect(proxy.address(), context=made) as first:
        assert b" 200 " in fetch(first)
        session = first.session
    since = proxy.mark()
    (files / "crl.pem").write_bytes(authority().revoke(one))
    proxy.wait_log(TAKEN, since=since)
    assert not served(proxy.address(), one, folder)
    with pytest.raises((ssl.SSLError, ConnectionError)):
        raw = connect(proxy.address(), context=made)
        with made.wrap_socket(raw.detach(), server_hostname="a.test", session=session) as again:
            fetch(again)


def test_authorities_of_upstreams_and_our_own_certificate_change(begins, files, tmp_path):
    other = Authority("other")
    new_server, new_client = other.issue("127.0.0.1"), other.issue("new.test", usage="client")
    (files / "up.pem").write_bytes(authority().pem)
    authority().issue("old.test", usage="client").write(files, "own")
    upstream = SecureOrigin(new_server, tmp_path, ca=other.pem)
    try:
        proxy = begins(upstream.endpoint, ca=str(files / "up.pem"), certificate=str(files / "own.crt"),
                       key=str(files / "own.key"))
        assert b" 503 " in plain_get(proxy)
        since = proxy.mark()
        (files / "up.pem").write_bytes(other.pem)
        new_client.write(files, "own")
        proxy.wait_log(TAKEN, since=since)
        wait_until(lambda: b" 200 " in plain_get(proxy), what="the upstream is not accepted")
        assert upstream.peers[-1]["subjectAltName"] == (("DNS", "new.test"),)
    finally:
        upstream.stop()


# MARK: Under load

def test_no_request_is_lost_while_certificates_change_again_and_again(sluice, origin, files):
    proxy = sluice(config(settings(files), origin().endpoint, workers=2))
    address, stop, failures, counts = proxy.address(), threading.Event(), [], [0] * 6

    def load(number):
        made = context()
        while not stop.is_set():
            try:
                with connect(address, context=made) as one:
                    for _ in range(1 if number % 2 else 20):
                        if b" 200 " not in fetch(one):
                            failures.append("not 200")
                        counts[number] += 1
            except OSError as error:
                failures.append(error)

    threads = [threading.Thread(target=load, args=(number,)) for number in range(len(counts))]
    for thread in threads:
        thread.start()
    try:
        for number in range(10):
            fresh, since, done = new_pair(kind="rsa" if number % 3 == 0 else "ec"), proxy.mark(), sum(counts)
            (written_in_place if number % 2 else renamed)(files, fresh)
            proxy.wait_log(TAKEN, since=since)
            wait_until(lambda: sum(counts) > done + 50, what="requests stand still")
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert not failures and all(counts)
    assert shown(address) == der(fresh)


# MARK: What else is a file

def test_staple_is_given_to_clients_that_ask_and_changes_with_its_file(ends, files):
    good, revoked = (staple(server(), files, is_revoked) for is_revoked in (False, True))
    (files / "staple.der").write_bytes(good)
    proxy = ends(ocsp_staple=str(files / "staple.der"))
    assert "Cert Status: good" in status_of(proxy.address())
    since = proxy.mark()
    (files / "staple.der").write_bytes(revoked)
    proxy.wait_log(TAKEN, since=since)
    assert "Cert Status: revoked" in status_of(proxy.address())


def staple(pair, folder, is_revoked):
    now = datetime.datetime.now(datetime.timezone.utc)
    made = ocsp.OCSPResponseBuilder().add_response(
        cert=pair.certificate, issuer=authority().certificate, algorithm=hashes.SHA1(),
        cert_status=ocsp.OCSPCertStatus.REVOKED if is_revoked else ocsp.OCSPCertStatus.GOOD,
        this_update=now, next_update=now + datetime.timedelta(days=1),
        revocation_time=now if is_revoked else None, revocation_reason=None,
    ).responder_id(ocsp.OCSPResponderEncoding.HASH, authority().certificate)
    return made.sign(authority().key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


def status_of(address):
    done = subprocess.run(["openssl", "s_client", "-connect", "%s:%d" % address, "-status"], input="",
                          capture_output=True, text=True, timeout=10)
    return done.stdout


def test_secrets_are_written_only_where_that_is_asked_for(ends, files):
    proxy = ends(key_log=str(files / "secrets"))
    with connect(proxy.address()) as one:
        fetch(one)
    wait_until(lambda: b"CLIENT_TRAFFIC_SECRET_0 " in (files / "secrets").read_bytes(), what="no secrets are written")
    assert (files / "secrets").stat().st_mode & 0o777 == 0o600
    assert proxy.wait_log("INSECURE: the secrets of all connections are written to a file")["level"] == "warning"
