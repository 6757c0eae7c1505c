"""Starts the proxy that the bank tests share."""
import os

from sluice import Sluice
from standin import Nginx


def start_bank_proxy(endpoint):
    if os.environ.get("WIRE_PROXY") == "nginx":
        return Nginx(endpoint)
    return Sluice(f"""
        workers: 1
        listeners:
          inbound:
            bind: 127.0.0.1:0
            chain:
              - http
              - router:
                  routes:
                    - name: all
                      to: app
                      idle_timeout: 500ms
        clusters:
          app:
            endpoints: [ "{endpoint}" ]
        """)
