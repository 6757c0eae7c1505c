"""The proxies that are compared: how each is configured for one and the same job."""

import os
import re
import subprocess
from dataclasses import dataclass

BENCH = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


@dataclass(frozen=True)
class Job:
    """What every proxy is asked to do. `filters` and `routes` are for Sluice only."""

    connections: int = 64   # at the same time, from clients
    in_flight: int = 64     # requests at the same time, so connections to the origin
    forwarded: bool = False  # add x-forwarded-for, x-forwarded-proto and x-request-id
    filters: int = 1        # pass-through counting filters in the chain
    routes: int = 0         # 0: everything to one cluster; else that many prefixes, the last of which is asked for
    h2: bool = False        # HTTP/2 from clients, who know that it is spoken
    h2_upstream: bool = False  # HTTP/2 to the origin
    tls: bool = False       # from clients, with server.crt and server.key (server.pem: both) of the proxy's folder
    gzip_level: int = 0     # compress answers; 0: do not
    workers: int = 1        # more than 1 is for Sluice and Envoy only
    stats: bool = False     # Sluice's filter of that name
    access_log: bool = False  # a line in the usual format for each request, to a file
    filter_times: bool = False  # Sluice measures how long its filters take
    clusters: int = 0       # for Sluice: so many clusters, each with a route; the admin interface is on a Unix socket

    @property
    def room(self):
        """A connection limit that this job stays well below: nginx closes idle ones when 15/16 are in use."""
        return max(1024, (self.connections + self.in_flight) * 5 // 4 + 512)

    @property
    def upstreams(self):
        return max(256, self.in_flight)


class Proxy:
    """Writes a configuration for a job and says how to start the proxy with it."""

    name = ""
    version_arguments = ()

    def __init__(self, program, buffer_kib=16):
        self.program = program
        self.buffer_kib = buffer_kib  # what nginx and HAProxy read at once; HAProxy's default

    def version(self):
        done = subprocess.run(
            [self.program, *self.version_arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        found = re.search(r"\d+\.\d+\.\d+[^\s/]*", done.stdout)
        return found.group(0) if found else done.stdout.strip()[:60]

    def config(self, job, directory, port, origin):
        raise NotImplementedError

    def command(self, path, directory):
        raise NotImplementedError

    def prepare(self, job, directory, port, origin):
        """Writes the configuration into `directory`; returns the command to start the proxy."""
        path = os.path.join(directory, f"{self.name}.conf")
        with open(path, "w") as file:
            file.write(self.config(job, directory, port, origin))
        return self.command(path, directory)


class Nginx(Proxy):
    name = "nginx"
    version_arguments = ("-v",)

    def config(self, job, directory, port, origin):
        forwarded = """
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_set_header X-Forwarded-Proto $scheme;
      proxy_set_header X-Request-ID $request_id;""" if job.forwarded else ""
        # Without its buffers it would let each piece out by itself, which compresses worse and costs more.
        gzip = f"""
  gzip on;
  gzip_comp_level {job.gzip_level};
  gzip_types text/plain;
  gzip_min_length 256;
  proxy_max_temp_file_size 0;""" if job.gzip_level else ""
        buffering = "on" if job.gzip_level else "off"
        tls = f"""
    ssl_certificate {directory}/server.crt;
    ssl_certificate_key {directory}/server.key;
    ssl_protocols TLSv1.2 TLSv1.3;""" if job.tls else ""
        temporary = "\n".join(
            f"  {kind}_temp_path {directory}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        return f"""
{"user root;" if os.geteuid() == 0 else ""}
daemon off;
worker_processes 1;
worker_rlimit_nofile 65536;
pid {directory}/nginx.pid;
error_log stderr crit;
events {{ worker_connections {job.room}; }}
http {{
{temporary}
  access_log off;
  tcp_nodelay on;
  keepalive_timeout 1h;
  keepalive_requests 1000000000;
  client_header_timeout 1h;
  client_max_body_size 0;{gzip}
  upstream app {{
    server 127.0.0.1:{origin};
    keepalive {job.upstreams};
    keepalive_requests 1000000000;
    keepalive_timeout 1h;
  }}
  server {{
    listen 127.0.0.1:{port}{" ssl" if job.tls else ""}{" http2" if job.h2 else ""} backlog=4096;{tls}
    location / {{
      proxy_pass http://app;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $http_host;
      proxy_buffering {buffering};
      proxy_request_buffering off;
      client_body_buffer_size {self.buffer_kib}k;
      proxy_buffer_size {self.buffer_kib}k;
      proxy_buffers 4 {self.buffer_kib}k;
      proxy_busy_buffers_size {2 * self.buffer_kib}k;{forwarded}
    }}
  }}
}}
"""

    def command(self, path, directory):
        return [self.program, "-p", directory, "-e", "stderr", "-c", path]


class HAProxy(Proxy):
    name = "haproxy"
    version_arguments = ("-v",)

    def config(self, job, directory, port, origin):
        forwarded = """
  option forwardfor
  http-request set-header X-Forwarded-Proto http
  http-request set-header X-Request-ID %[uuid()]""" if job.forwarded else ""
        # Debian's is made with libslz, which knows one level, and keeps nothing of what went by.
        gzip = """
  compression algo gzip
  compression type text/plain""" if job.gzip_level else ""
        tls = f" ssl crt {directory}/server.pem ssl-min-ver TLSv1.2 alpn http/1.1" if job.tls else ""
        return f"""
global
  nbthread 1
  maxconn {job.room}
  no strict-limits
  tune.bufsize {self.buffer_kib << 10}
  tune.pool-low-fd-ratio 100
  tune.pool-high-fd-ratio 100
defaults
  mode http
  timeout connect 10s
  timeout client 1h
  timeout server 1h
  timeout http-request 1h
  timeout http-keep-alive 1h
  http-reuse always
frontend inbound
  bind 127.0.0.1:{port} backlog 4096{" proto h2" if job.h2 else ""}{tls}
  maxconn {job.room}{forwarded}{gzip}
  default_backend app
backend app
  server app 127.0.0.1:{origin}{" proto h2" if job.h2_upstream else ""} pool-max-conn -1 pool-purge-delay 1h
"""

    def command(self, path, directory):
        return [self.program, "-db", "-f", path]


class Envoy(Proxy):
    name = "envoy"
    version_arguments = ("--version",)

    def version(self):
        return re.sub(r"^.*/", "", super().version())

    def config(self, job, directory, port, origin):
        on = str(job.forwarded).lower()
        tls = f"""
      transport_socket:
        name: envoy.transport_sockets.tls
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext
          common_tls_context:
            alpn_protocols: [ http/1.1 ]
            tls_params: {{ tls_minimum_protocol_version: TLSv1_2, tls_maximum_protocol_version: TLSv1_3 }}
            tls_certificates:
            - certificate_chain: {{ filename: {directory}/server.crt }}
              private_key: {{ filename: {directory}/server.key }}""" if job.tls else ""
        return f"""
static_resources:
  listeners:
  - address: {{ socket_address: {{ address: 127.0.0.1, port_value: {port} }} }}
    tcp_backlog_size: 4096
    filter_chains:
    - filters:
      - name: envoy.filters.network.http_connection_manager
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: inbound
          codec_type: HTTP{2 if job.h2 else 1}
          use_remote_address: {on}
          skip_xff_append: {str(not job.forwarded).lower()}
          generate_request_id: {on}
          stream_idle_timeout: 3600s
          common_http_protocol_options: {{ idle_timeout: 3600s }}
          http_filters:{self.gzip(job)}
          - name: envoy.filters.http.router
            typed_config:
              "@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router
              suppress_envoy_headers: {str(self.suppresses_headers(job)).lower()}
          route_config:
            virtual_hosts:
            - name: all
              domains: ["*"]
              routes:
              - match: {{ prefix: / }}
                route: {{ cluster: app, {self.route(job)} }}{tls}
  clusters:
  - name: app
    type: STATIC
    connect_timeout: 10s
{self.cluster(job)}
    typed_extension_protocol_options:
      envoy.extensions.upstreams.http.v3.HttpProtocolOptions:
        "@type": type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions
        common_http_protocol_options: {{ idle_timeout: 3600s }}
        explicit_http_config: {{ {"http2" if job.h2_upstream else "http"}_protocol_options: {{}} }}
    load_assignment:
      cluster_name: app
      endpoints:
      - lb_endpoints:
{self.endpoints(origin)}
"""

    @staticmethod
    def gzip(job):
        if not job.gzip_level:
            return ""
        return f"""
          - name: envoy.filters.http.compressor
            typed_config:
              "@type": type.googleapis.com/envoy.extensions.filters.http.compressor.v3.Compressor
              response_direction_config: {{ common_config: {{ min_content_length: 256, content_type: [ text/plain ] }} }}
              compressor_library:
                name: gzip
                typed_config:
                  "@type": type.googleapis.com/envoy.extensions.compression.gzip.compressor.v3.Gzip
                  compression_level: COMPRESSION_LEVEL_{job.gzip_level}
                  memory_level: 8
                  window_bits: 15
                  chunk_size: 16384"""

    def suppresses_headers(self, job):
        return True

    def route(self, job):
        return "timeout: 0s"

    def cluster(self, job):
        return """    circuit_breakers:
      thresholds: [ { max_connections: 65536, max_pending_requests: 65536, max_requests: 65536 } ]"""

    def endpoints(self, origin):
        socket = f"{{ address: 127.0.0.1, port_value: {origin} }}"
        return f"        - endpoint: {{ address: {{ socket_address: {socket} }} }}"

    def prepare(self, job, directory, port, origin):
        path = os.path.join(directory, "envoy.yaml")  # Envoy tells the format from the name
        with open(path, "w") as file:
            file.write(self.config(job, directory, port, origin))
        return [self.program, "-c", path, "--concurrency", str(job.workers), "--disable-hot-restart", "-l", "error"]


class Sluice(Proxy):
    name = "sluice"
    version_arguments = ("version",)

    def config(self, job, directory, port, origin):
        http = "" if job.forwarded else ', forwarded_for: "off", request_id: false'
        tls = f"\n      - tls: {{ certificate: {directory}/server.crt, key: {directory}/server.key }}" if job.tls else ""
        return f"""
workers: {job.workers}
max_connections: {job.room}
log: {{ level: warning }}{self.telemetry(job, directory)}
listeners:
  inbound:
    bind: 127.0.0.1:{port}
    backlog: 4096{self.timing(job)}
    chain:{tls}
      - http: {{ head_timeout: 1h, idle_timeout: 1h{http} }}
{self.filters(job)}      - router:
{self.routes(job)}
clusters:
  app:
    endpoints: {self.endpoints(origin)}
    idle_timeout: 1h
    max_connections: {job.upstreams}
    max_pending: {job.room}{self.protocol(job)}{self.cluster(job)}{self.further_clusters(job, origin)}
"""

    def telemetry(self, job, directory):
        log = f"\naccess_log: {directory}/access.log" if job.access_log else ""
        return log + (f'\nadmin: "unix:{directory}/admin.sock"' if job.clusters else "")

    def timing(self, job):
        return "\n    filter_times: true" if job.filter_times else ""

    def further_clusters(self, job, origin):
        return "".join(f"\n  app_{number:04}: {{ endpoints: {self.endpoints(origin)} }}" for number in range(job.clusters))

    def filters(self, job):
        stats = "      - stats\n" if job.stats else ""
        gzip = f"      - gzip: {{ level: {job.gzip_level} }}\n" if job.gzip_level else ""
        return stats + gzip + "".join(f"      - {{ count: {{}}, name: count_{number} }}\n" for number in range(job.filters))

    def endpoints(self, origin):
        return f'[ "127.0.0.1:{origin}" ]'

    def protocol(self, job):
        return "\n    http: { protocol: http2 }" if job.h2_upstream else ""

    def cluster(self, job):
        return ""

    def routes(self, job):
        if job.clusters:
            lines = [f"            - {{ match: {{ prefix: /{number:04}/ }}, to: app_{number:04}, rewrite: {{ path: / }} }}"
                     for number in range(job.clusters)]
            return "\n".join(["          to: app", "          routes:", *lines])
        if job.routes == 0:
            return "          to: app"
        lines = [f"            - {{ match: {{ prefix: /{number:05}/ }}, to: app }}" for number in range(job.routes)]
        return "\n".join(["          routes:", *lines])

    def command(self, path, directory):
        return [self.program, "run", "-c", path]


PROXIES = {kind.name: kind for kind in (Sluice, Nginx, HAProxy, Envoy)}
