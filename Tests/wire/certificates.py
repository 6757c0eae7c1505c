"""Throw-away certificates, made when a test needs them."""
import datetime
import functools
import ipaddress
import pathlib
import subprocess

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID, NameOID

from sluice import REPOSITORY

NOW = datetime.datetime.now(datetime.timezone.utc)
DAY = datetime.timedelta(days=1)


def _name(text):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _san(name):
    if "://" in name:
        return x509.UniformResourceIdentifier(name)
    if "@" in name:
        return x509.RFC822Name(name)
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


@functools.cache
def _rsa(number):
    return rsa.generate_private_key(65537, 2048)


class Pair:
    """A certificate and its key."""

    def __init__(self, certificate, key, chain=()):
        self.certificate, self.key, self.chain = certificate, key, chain

    @property
    def crt(self):
        return b"".join(c.public_bytes(serialization.Encoding.PEM) for c in (self.certificate, *self.chain))

    def pem_key(self, passphrase=None):
        sealing = serialization.BestAvailableEncryption(passphrase) if passphrase else serialization.NoEncryption()
        return self.key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, sealing)

    def write(self, folder, name, passphrase=None):
        """Writes NAME.crt and NAME.key; returns both paths as text."""
        folder = pathlib.Path(folder)
        crt, key = folder / f"{name}.crt", folder / f"{name}.key"
        crt.write_bytes(self.crt)
        key.write_bytes(self.pem_key(passphrase))
        return str(crt), str(key)


class Authority:
    """Signs certificates."""

    def __init__(self, name="test authority", parent=None):
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.parent = parent
        issuer = parent.certificate.subject if parent else _name(name)
        builder = (x509.CertificateBuilder().subject_name(_name(name)).issuer_name(issuer)
                   .public_key(self.key.public_key()).serial_number(x509.random_serial_number())
                   .not_valid_before(NOW - 400 * DAY).not_valid_after(NOW + 30 * DAY)
                   .add_extension(x509.BasicConstraints(True, None), True)
                   .add_extension(x509.KeyUsage(True, False, False, False, False, True, True, False, False), True))
        self.certificate = builder.sign((parent or self).key, hashes.SHA256())

    @property
    def pem(self):
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    def issue(self, *names, common="server", start=-1, days=20, kind="ec", usage="server", raw_names=None):
        """A pair for `names`; `start` and `days` are days from now. `raw_names`: the bytes of a DNS name, as they are."""
        key = _rsa(1) if kind == "rsa" else ec.generate_private_key(ec.SECP256R1())
        purpose = ExtendedKeyUsageOID.CLIENT_AUTH if usage == "client" else ExtendedKeyUsageOID.SERVER_AUTH
        builder = (x509.CertificateBuilder().subject_name(_name(common)).issuer_name(self.certificate.subject)
                   .public_key(key.public_key()).serial_number(x509.random_serial_number())
                   .not_valid_before(NOW + start * DAY).not_valid_after(NOW + days * DAY)
                   .add_extension(x509.BasicConstraints(False, None), True)
                   .add_extension(x509.ExtendedKeyUsage([purpose]), False))
        sans = [_san(name) for name in names]
        if raw_names:
            value = b"\x30" + bytes([len(raw_names) + 2]) + b"\x82" + bytes([len(raw_names)]) + raw_names
            builder = builder.add_extension(x509.UnrecognizedExtension(ExtensionOID.SUBJECT_ALTERNATIVE_NAME, value), False)
        if sans:
            builder = builder.add_extension(x509.SubjectAlternativeName(sans), False)
        chain = (self.certificate,) if self.parent else ()
        return Pair(builder.sign(self.key, hashes.SHA256()), key, chain)

    def revoke(self, *pairs, days=10):
        """A list of revoked certificates, in PEM."""
        builder = (x509.CertificateRevocationListBuilder().issuer_name(self.certificate.subject)
                   .last_update(NOW - 20 * DAY).next_update(NOW + days * DAY))
        for pair in pairs:
            builder = builder.add_revoked_certificate(
                x509.RevokedCertificateBuilder().serial_number(pair.certificate.serial_number)
                .revocation_date(NOW - DAY).build())
        return builder.sign(self.key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


@functools.cache
def authority():
    """The authority of this test process."""
    return Authority()


@functools.cache
def server():
    """A pair for localhost."""
    return authority().issue("localhost", "127.0.0.1", "a.test", "*.wild.test")


def throw_away(folder):
    """What scripts/certificates makes, in `folder`/certificates, where the examples and the manuals look for it."""
    made = pathlib.Path(folder) / "certificates"
    names = ["mathoid.internal", "search.internal"]
    subprocess.run([REPOSITORY / "scripts/certificates", made, *names], check=True, capture_output=True)
    return made
