"""What the program is linked with: every library costs memory in each process."""
import re
import subprocess

import pytest

from builds import sluice_of

# Swift's own runtime, the C libraries that README names, and what those need.
ALLOWED = {
    "ld-linux-x86-64.so", "ld-linux-aarch64.so", "linux-vdso.so", "libc.so", "libm.so", "libgcc_s.so", "libstdc++.so",
    "libswiftCore.so", "libswiftGlibc.so", "libswiftSynchronization.so", "libswiftSwiftOnoneSupport.so",
    "libyaml-0.so", "libcares.so", "libnghttp2.so", "libre2.so", "libssl.so", "libcrypto.so", "libz.so",
}


def libraries(binary):
    done = subprocess.run(["ldd", binary], capture_output=True, text=True, check=True)
    return {re.sub(r"\.so.*", ".so", line.split()[0].rpartition("/")[2]) for line in done.stdout.splitlines()}


@pytest.mark.parametrize("configuration", ["debug", "release"])
def test_only_known_libraries_are_linked(configuration):
    linked = libraries(sluice_of(configuration))
    assert "libswiftCore.so" in linked
    assert not {name for name in linked if "Foundation" in name or "ICU" in name}
    assert linked <= ALLOWED, f"not expected: {sorted(linked - ALLOWED)}; allowed: {sorted(ALLOWED)}"
