"""The image of scripts/image: what is in it, that others can read it, and that it runs as Kubernetes would run it."""
import gzip
import hashlib
import json
import os
import pathlib
import shutil
import signal
import stat
import subprocess
import tarfile

import pytest

import sluice as harness
from builds import sluice_of
from client import get
from configs import http_proxy
from flow import wait_until
from sluice import REPOSITORY

# One worker makes it for all.
pytestmark = pytest.mark.xdist_group("image")

IS_ROOT = os.getuid() == 0
NAMESPACES = ["unshare", "--mount", "--pid", *([] if IS_ROOT else ["--map-root-user"])]


def build(folder):
    done = subprocess.run([REPOSITORY / "scripts/image", "--no-build", "--output", folder / "image/sluice.tar"],
                          capture_output=True, text=True, env={**os.environ, "SOURCE_DATE_EPOCH": "1700000000"})
    assert done.returncode == 0, done.stderr
    return folder / "image/sluice.tar", done.stdout


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """(archive, its layout in a folder, what the script has said)."""
    sluice_of("release")
    folder = tmp_path_factory.mktemp("image")
    archive, said = build(folder)
    with tarfile.open(archive) as files:
        files.extractall(folder / "layout", filter="data")
    return archive, folder / "layout", said


@pytest.fixture(scope="module")
def root(made):
    """The files of a container, as umoci unpacks them."""
    bundle = made[1].parent / "bundle"
    command = ["umoci", "unpack", "--image", f"{made[1]}:0.1", *([] if IS_ROOT else ["--rootless"]), bundle]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return bundle / "rootfs"


class Blobs:
    def __init__(self, layout):
        self.folder = layout / "blobs/sha256"

    def read(self, reference):
        data = (self.folder / reference["digest"].removeprefix("sha256:")).read_bytes()
        assert len(data) == reference["size"]
        assert hashlib.sha256(data).hexdigest() == reference["digest"].removeprefix("sha256:")
        return data


def test_every_digest_is_right_and_every_blob_is_needed(made):
    archive, layout, said = made
    blobs = Blobs(layout)
    assert json.loads((layout / "oci-layout").read_text()) == {"imageLayoutVersion": "1.0.0"}
    [first] = json.loads((layout / "index.json").read_text())["manifests"]
    manifest = json.loads(blobs.read(first))
    config = json.loads(blobs.read(manifest["config"]))
    [layer] = manifest["layers"]
    content = gzip.decompress(blobs.read(layer))
    assert config["rootfs"]["diff_ids"] == ["sha256:" + hashlib.sha256(content).hexdigest()]
    assert len(list(blobs.folder.iterdir())) == 3
    assert config["config"]["User"] == "65532:65532" and config["config"]["Entrypoint"] == ["/usr/bin/sluice"]
    assert f"{first['digest']}" in said and archive.stat().st_size < 20e6


def test_the_same_files_make_the_same_image(made, tmp_path):
    again, _ = build(tmp_path)
    assert again.read_bytes() == made[0].read_bytes()


def test_others_can_read_it(made, tmp_path):
    """skopeo is what podman, CRI-O and many registries read images with; docker loads what it makes of it."""
    source = f"oci-archive:{made[0]}"
    done = subprocess.run(["skopeo", "inspect", "--config", source], capture_output=True, text=True)
    assert done.returncode == 0 and json.loads(done.stdout)["config"]["StopSignal"] == "SIGTERM", done.stderr
    done = subprocess.run(["skopeo", "copy", "--insecure-policy", source, f"docker-archive:{tmp_path}/it.tar:sluice:0.1"],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_it_holds_one_program_and_nothing_that_gives_rights(root):
    files = {path.relative_to(root): path.lstat() for path in root.rglob("*")}
    assert {name.name for name in files if name.parent.name in ("bin", "sbin")} == {"sluice"}
    for name, status in files.items():
        assert not status.st_mode & (stat.S_ISUID | stat.S_ISGID), name
        assert not status.st_mode & stat.S_IWOTH or str(name) == "tmp", name
        assert status.st_uid == (0 if IS_ROOT else os.getuid()), name
    assert "nonroot:x:65532:65532:" in (root / "etc/passwd").read_text()
    # Whose terms have to be there.
    assert {path.parent.name for path in (root / "usr/share/doc").glob("*/copyright")} > {"sluice", "libc6", "libssl3"}


class Container:
    """The image's program as process 1 of namespaces of its own, with a root that cannot be written to."""

    def __init__(self, root, config, command=("run", "-c", "/etc/sluice/sluice.yaml", "--log-format", "json")):
        # The shell stays, as process 1 of namespaces outside those of the program: it takes the program with it.
        user = "--userspec=65532:65532" if IS_ROOT else ""
        steps = ["mount --bind $0 $0", "mount -o remount,bind,ro $0", "mount --bind $1 $0/etc/sluice", "root=$0; shift",
                 f"unshare --pid --fork --mount-proc=$root/proc chroot {user} $root /usr/bin/sluice \"$@\""]
        self.process = subprocess.Popen(
            [*harness._TIED, *NAMESPACES, "--fork", "--kill-child", "sh", "-ec", "\n".join(steps), root, config, *command],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.stdout, self.stderr = harness.Lines(self.process.stdout), harness.Lines(self.process.stderr)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        for lines in (self.stdout, self.stderr):
            lines.join()

    def wait_log(self, message):
        def wanted(line):
            return message in line
        line = self.stderr.wait(wanted, 20)
        assert line, self.stderr.lines
        return json.loads(line)

    @property
    def first(self):
        """What its process 1 is called outside."""
        pid = self.process.pid
        while children := pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            pid = int(children[0])
        return pid

    def execute(self, *command):
        """Runs another program in it, as a hook."""
        enter = ["nsenter", "--target", str(self.first), "--mount", "--pid", "--root", "--wd=/",
                 *(["--setuid=65532", "--setgid=65532"] if IS_ROOT else ["--user", "--preserve-credentials"])]
        return subprocess.run([*enter, *command], capture_output=True, text=True, timeout=20)


needs_namespaces = pytest.mark.skipif(
    not shutil.which("unshare") or subprocess.run([*NAMESPACES, "--fork", "true"], capture_output=True).returncode != 0,
    reason="no namespaces of our own here")


@pytest.fixture
def folder(tmp_path):
    """The config's folder, for a user that is nobody."""
    made = tmp_path / "config"
    made.mkdir()
    os.chmod(tmp_path, 0o755)
    return made


@needs_namespaces
def test_it_runs_without_rights_and_drains_by_a_hook(root, origin, folder):
    service = origin()
    config = http_proxy(service.endpoint, outlive=service.endpoint, listener={"drain_delay": "20s"})
    (folder / "sluice.yaml").write_text(json.dumps(config))
    with Container(root, folder) as container:
        container.wait_log('"ready"')
        address = harness.parse_address(container.wait_log('"listening"')["address"])
        assert get(address).status == 200
        status = pathlib.Path(f"/proc/{container.first}/status").read_text()
        assert not IS_ROOT or "Uid:\t65532\t65532" in status and "CapEff:\t0000000000000000" in status
        # What the manifests have as a `preStop` hook.
        done = container.execute("/usr/bin/sluice", "drain")
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
        container.wait_log('"draining"')
        wait_until(lambda: get(address).get("connection") == "close")
        service.stop()
        assert container.process.wait(20) == 0


@needs_namespaces
def test_it_says_its_version_and_knows_the_system_s_authorities(root, folder):
    with Container(root, folder, ["version"]) as container:
        assert container.process.wait(20) == 0 and container.stdout.wait(lambda line: line.startswith("sluice "))
    config = http_proxy("a.test:443", upstream={"chain": ["tls"]})
    (folder / "sluice.yaml").write_text(json.dumps(config))
    with Container(root, folder, ["check", "/etc/sluice/sluice.yaml"]) as container:
        assert container.process.wait(20) == 0, container.stdout.lines


@needs_namespaces
def test_term_ends_it_as_process_1(root, origin, folder):
    (folder / "sluice.yaml").write_text(json.dumps(http_proxy(origin().endpoint)))
    with Container(root, folder) as container:
        container.wait_log('"ready"')
        os.kill(container.first, signal.SIGTERM)
        assert container.process.wait(20) == 0
        wait_until(lambda: container.stderr.ended)
