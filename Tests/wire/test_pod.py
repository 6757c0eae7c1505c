"""Pods of two services whose sidecars are the only way between them: nothing is lost while all of it changes."""
import contextlib
import os
import pathlib
import re
import subprocess

import pytest

from pod import Play
from sluice import BINARY, REPOSITORY


def test_no_call_is_lost_while_certificates_configs_and_pods_change():
    said = []
    with Play(callers=2, replicas=2, say=said.append) as play:
        play.perform(calls=80)
        counts = play.counts()
        first, now = {pod.name for pod in play.gone}, {pod.name for pod in play.pods}
    assert [failure for count in counts for failure in count["lost"]] == [], said
    assert len(first) == len(now) == 4 and not first & now
    # Every pod that was there has served the other service: no pod was only there to be replaced.
    served = {name for count in counts for name in count["by"]}
    assert served == first | now
    # Those that are gone have made their last calls, through a sidecar that had been told to end.
    assert len(counts) == 8 and all(count["asked"] > 100 for count in counts)


def processes_with(text):
    """Processes that have got a text in their environment."""
    found = []
    for file in pathlib.Path("/proc").glob("[0-9]*/environ"):
        with contextlib.suppress(OSError):
            if text.encode() in file.read_bytes():
                found.append((file.parent / "cmdline").read_bytes())
    return found


def test_the_script_prints_what_was_done_and_leaves_nothing_behind(tmp_path):
    done = subprocess.run([REPOSITORY / "scripts/pod", "--no-build", "--calls", "30", "--callers", "1"],
                          capture_output=True, text=True, timeout=60,
                          env={**os.environ, "SLUICE_BIN": BINARY, "TMPDIR": str(tmp_path)})
    assert done.returncode == 0, done.stdout + done.stderr
    for act in ("new certificates", "another authority", "configs loaded anew", "every pod replaced"):
        assert re.search(rf"^ +[\d.]+ s  {act} +\d+ requests, 0 lost$", done.stdout, re.M), done.stdout
    assert re.search(r"^\d+ requests, 0 lost$", done.stdout, re.M)
    assert not processes_with(f"TMPDIR={tmp_path}") and not list(tmp_path.glob("sluice-*"))


@pytest.mark.parametrize("word", ["--help", "-h"])
def test_the_script_has_a_help(word):
    done = subprocess.run([REPOSITORY / "scripts/pod", word], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and done.stdout.startswith("usage: scripts/pod") and "--callers" in done.stdout
