"""The package of scripts/deb: what dpkg reads of it, and that it installs, runs, is upgraded and removed."""
import json
import os
import re
import shutil
import subprocess

import pytest

import sluice as harness
from builds import sluice_of
from client import get
from sluice import REPOSITORY, parse_address

# One worker makes it for all.
pytestmark = pytest.mark.xdist_group("deb")


def build(folder):
    done = subprocess.run([REPOSITORY / "scripts/deb", "--no-build", "--output", folder], capture_output=True, text=True,
                          env={**os.environ, "SOURCE_DATE_EPOCH": "1700000000"})
    assert done.returncode == 0, done.stderr
    [package] = folder.glob("*.deb")
    return package


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    sluice_of("release")
    return build(tmp_path_factory.mktemp("deb"))


def ask(*command):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def field(package, name):
    return ask("dpkg-deb", "--field", package, name).strip()


@pytest.fixture(scope="module")
def extracted(package, tmp_path_factory):
    folder = tmp_path_factory.mktemp("extracted")
    ask("dpkg-deb", "--raw-extract", package, folder)
    return folder


def test_what_it_says_of_itself(package):
    assert package.name == f"sluice_{field(package, 'Version')}_{field(package, 'Architecture')}.deb"
    depends = {part.split()[0] for part in field(package, "Depends").split(", ")}
    assert {"libc6", "libssl3", "libyaml-0-2", "zlib1g", "libstdc++6"} <= depends
    assert all(name.startswith(("lib", "zlib")) for name in depends), depends
    done = ask("apt-get", "install", "--simulate", "--quiet", package)
    assert re.search(r"^Inst sluice ", done, re.M) or "sluice is already" in done, "what it depends on is not to be had"


def test_all_of_it_belongs_to_root_and_nothing_can_be_written_by_others(package):
    lines = ask("dpkg-deb", "--contents", package).splitlines()
    assert len(lines) > 100
    for line in lines:
        mode, owner = line.split()[:2]
        assert owner == "root/root" and re.fullmatch(r"[d-](rwxr-xr-x|rw-r--r--)", mode), line


def test_the_same_files_make_the_same_package(package, tmp_path):
    assert build(tmp_path).read_bytes() == package.read_bytes()


def test_what_is_in_it_is_what_it_promises(extracted):
    assert (extracted / "DEBIAN/conffiles").read_text() == "/etc/sluice/sluice.yaml\n"
    unit = (extracted / "usr/lib/systemd/system/sluice.service").read_text()
    for program in re.findall(r"^Exec\w+=(/usr/bin/sluice)", unit, re.M):
        assert (extracted / program[1:]).exists()
    sums = (extracted / "DEBIAN/md5sums").read_text().split("\n")[:-1]
    assert len(sums) == sum(path.is_file() for path in (extracted / "usr").rglob("*"))
    done = subprocess.run(["md5sum", "--check", "--quiet", "DEBIAN/md5sums"], cwd=extracted, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    for script in ("postinst", "prerm", "postrm"):
        ask("sh", "-n", extracted / "DEBIAN" / script)


def test_the_program_runs_from_where_it_was_unpacked_and_takes_its_config(extracted):
    program = extracted / "usr/bin/sluice"
    assert ask(program, "version").startswith("sluice ")
    assert ask(program, "check", extracted / "etc/sluice/sluice.yaml").startswith("ok  ")
    for example in ("edge", "tcp", "minimal"):
        assert ask(program, "check", extracted / f"usr/share/doc/sluice/examples/{example}.yaml").startswith("ok  ")


OVERLAY = """\
set -e
mount -t tmpfs none "$0"
mkdir "$0/upper" "$0/work" "$0/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$0/upper,workdir=$0/work" "$0/root"
mount -t proc proc "$0/root/proc"
mount -t tmpfs none "$0/root/run"
mount --bind "$1" "$0/root/mnt"
exec chroot "$0/root" sh -ec "$2"
"""


def in_a_copy_of_this_system(folder, files, script, **how):
    """Runs a script as root where nothing that it does stays. `files` are in /mnt."""
    return subprocess.Popen([*harness._TIED, "unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", OVERLAY,
                             folder, files, script], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **how)


def can_overlay():
    if os.getuid() != 0 or not shutil.which("unshare"):
        return False
    made = subprocess.run(["unshare", "--mount", "sh", "-ec", "mount -t tmpfs none /mnt; cd /mnt; mkdir u w r; "
                           "mount -t overlay o -o lowerdir=/etc,upperdir=u,workdir=w r"], capture_output=True)
    return made.returncode == 0


@pytest.mark.skipif(not can_overlay(), reason="no overlays here, or no rights to mount them")
def test_it_is_installed_upgraded_removed_and_purged(package, tmp_path):
    folder = tmp_path / "system"
    folder.mkdir()
    process = in_a_copy_of_this_system(folder, package.parent, f"""
        dpkg --install /mnt/{package.name} >&2
        sluice version
        sluice check /etc/sluice/sluice.yaml
        echo '# mine' >> /etc/sluice/sluice.yaml
        dpkg --install /mnt/{package.name} >&2
        tail -n 1 /etc/sluice/sluice.yaml
        dpkg --remove sluice >&2
        ls /usr/bin/sluice /usr/lib/sluice /etc/sluice/sluice.yaml 2>/dev/null || true
        mkdir -p /var/log/private/sluice
        dpkg --purge sluice >&2
        ls -d /etc/sluice /var/log/private/sluice /usr/share/sluice 2>/dev/null || echo nothing is left
        """)
    said, _ = process.communicate(timeout=120)
    assert process.returncode == 0, said
    lines = [line for line in said.splitlines() if re.match(r"sluice \d|ok  |# mine|/etc|/usr|/var|nothing is", line)]
    assert lines[0].startswith("sluice ") and lines[1].startswith("ok  "), said
    assert lines[2:] == ["# mine", "/etc/sluice/sluice.yaml", "nothing is left"], said


@pytest.mark.skipif(not can_overlay(), reason="no overlays here, or no rights to mount them")
def test_it_serves_as_installed(package, tmp_path):
    folder = tmp_path / "system"
    folder.mkdir()
    with in_a_copy_of_this_system(folder, package.parent, f"""
            dpkg --install /mnt/{package.name}
            sed -i s/127.0.0.1:8080/127.0.0.1:0/ /etc/sluice/sluice.yaml
            install -d -o nobody /run/sluice
            # As a child: this shell takes it with it whatever becomes of the test.
            setpriv --reuid nobody --regid nogroup --clear-groups -- sluice run --log-format json
            """) as process:
        lines = harness.Lines(process.stdout)
        try:
            assert lines.wait(lambda line: '"ready"' in line, 60), lines.lines
            entries = [json.loads(line) for line in lines.lines if line.startswith("{")]
            [address] = [entry["address"] for entry in entries if entry.get("listener") == "main"]
            assert get(parse_address(address)).body.startswith(b"Sluice is running")
        finally:
            process.kill()
            process.wait()
            lines.join()
