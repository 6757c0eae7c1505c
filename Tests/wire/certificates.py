"""Throw-away certificates, made by the openssl program when a test wants them."""
import subprocess


def self_signed(folder, *names):
    """(certificate, key) of a new pair of files for host names."""
    certificate, key = folder / f"{names[0]}.crt", folder / f"{names[0]}.key"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                    "-keyout", key, "-out", certificate, "-days", "1", "-subj", f"/CN={names[0]}",
                    "-addext", "subjectAltName=" + ",".join(f"DNS:{name}" for name in names)],
                   check=True, capture_output=True)
    return certificate, key
