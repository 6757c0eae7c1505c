"""docs/hardening.md tells the truth: each limit has the default that the source gives it, each reason exists."""
import re

import pytest

from sluice import REPOSITORY

SOURCES = {
    "listener": ("Sources/Host/Config/TopSettings.swift", "struct ListenerSettings"),
    "tls": ("Sources/Filters/TLS/TLS+Settings.swift", "struct Settings"),
    "http": ("Sources/Filters/HTTP1/HTTP1ServerCodec+Settings.swift", "struct Settings"),
    "cluster": ("Sources/Host/Clusters/Settings/ClusterSettings.swift", "struct ClusterSettings"),
}
MANUAL = REPOSITORY / "docs/hardening.md"
ROW = re.compile(r"^\| `?(listener|tls|http|cluster)`? \| `(\w+)` \| `(\w+)` \|.*\| (?:`([\w.]+)`)? ?\|$", re.M)
UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "KiB": 1024, "MiB": 1 << 20, "": 1}
SWIFT = {"seconds": 1, "milliseconds": 0.001, "kibibytes": 1024, "mebibytes": 1 << 20, "bytes": 1}


def rows():
    return ROW.findall(MANUAL.read_text())


def written(text):
    number, unit = re.fullmatch(r"(\d+)([a-zA-Z]*)", text).groups()
    return int(number) * UNITS[unit]


def true_default(place, key):
    """The value that the source gives the variable of this key."""
    file, beginning = SOURCES[place]
    name = re.sub(r"_(\w)", lambda match: match[1].upper(), key)
    text = (REPOSITORY / file).read_text().partition(beginning)[2]
    found = re.search(rf"\bvar {name}\b(?:: \w+)? = ([^\n]*)", text)
    assert found, f"{place} has no {key}"
    value = found[1].split("//")[0].strip().replace("_", "")
    if value.endswith(".zero"):
        return 0
    if value == "BufferLimit.usual":
        source = (REPOSITORY / "Sources/Host/Connections/BufferLimit.swift").read_text()
        value = re.search(r"let usual = (.*)", source)[1]
    call = re.fullmatch(r"(?:\w+)?\.(\w+)\((\d+)\)", value)
    return int(call[2]) * SWIFT[call[1]] if call else int(value)


@pytest.mark.parametrize("place, key, value", [row[:3] for row in rows()], ids=str)
def test_a_limit_has_the_default_that_the_page_names(place, key, value):
    assert written(value) == true_default(place, key)


def test_every_row_is_looked_at_and_every_reason_exists():
    lines = re.findall(r"^\| `?(?:listener|tls|http|cluster)`? \|", MANUAL.read_text(), re.M)
    assert len(rows()) == len(lines) >= 20
    reasons = (REPOSITORY / "docs/reasons.md").read_text()
    assert not [reason for *_, reason in rows() if reason and f"| `{reason}` |" not in reasons]
