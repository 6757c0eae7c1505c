"""Peers that speak HTTP/2 as it should be spoken, by Python's h2: a client, and a server that a test scripts."""
import collections
import socket
import ssl
import threading
import time

import h2.config
import h2.connection
import h2.events
import h2.settings


class Stream:
    """What has come of one stream."""

    def __init__(self):
        self.headers, self.trailers, self.interims = [], [], []
        self.body = bytearray()
        self.ended, self.reset = False, None

    def get(self, name):
        return dict(self.headers).get(name)

    @property
    def status(self):
        return int(self.get(":status") or 0)


class H2Client:
    """A connection to a proxy. `auto_credit=False` gives no credit for bodies before `credit()` does."""

    def __init__(self, address, tls=None, auto_credit=True, settings=None, timeout=10):
        self.socket = socket.create_connection(address, timeout=timeout)
        if tls:
            self.socket = tls.wrap_socket(self.socket, server_hostname="localhost")
            assert self.socket.selected_alpn_protocol() == "h2"
        self.timeout = timeout
        self.auto_credit = auto_credit
        config = h2.config.H2Configuration(client_side=True, header_encoding="latin-1", validate_outbound_headers=False,
                                           normalize_outbound_headers=False)
        self.h2 = h2.connection.H2Connection(config)
        if settings:
            self.h2.local_settings = h2.settings.Settings(client=True, initial_values=settings)
        self.h2.initiate_connection()
        self.streams = collections.defaultdict(Stream)
        self.goaway, self.closed, self.acked = None, False, 0
        self.flush()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def flush(self):
        data = self.h2.data_to_send()
        if data:
            self.socket.sendall(data)

    def request(self, path="/", method="GET", headers=(), body=None, last=None, scheme="http", authority="a", more=()):
        """Begins a request; with `body` it is sent as far as there is credit, and `last` says whether it ends with it."""
        stream = self.h2.get_next_available_stream_id()
        head = [(":method", method), (":scheme", scheme), (":authority", authority), (":path", path), *more, *headers]
        ends = last if last is not None else True
        self.h2.send_headers(stream, head, end_stream=ends and body is None)
        self.flush()
        if body is not None:
            self.send(stream, body, ends)
        return stream

    def send(self, stream, body, last=False):
        """Sends bytes of a body, waiting for credit."""
        view = memoryview(body)
        while view:
            room = min(self.h2.local_flow_control_window(stream), self.h2.max_outbound_frame_size, len(view))
            if room == 0:
                self.step()
                continue
            self.h2.send_data(stream, bytes(view[:room]), end_stream=last and room == len(view))
            view = view[room:]
            self.flush()
        if not body and last:
            self.h2.end_stream(stream)
            self.flush()

    def step(self, timeout=None):
        """Reads once; False at the end of the connection."""
        if self.closed:
            return False
        self.socket.settimeout(self.timeout if timeout is None else timeout)
        try:
            data = self.socket.recv(1 << 16)
        except (ConnectionError, ssl.SSLError):
            data = b""
        if not data:
            self.closed = True
            return False
        for event in self.h2.receive_data(data):
            self.on(event)
        self.flush()
        return True

    def on(self, event):
        stream = self.streams[event.stream_id] if getattr(event, "stream_id", None) else None
        if isinstance(event, h2.events.ResponseReceived):
            stream.headers = list(event.headers)
        elif isinstance(event, h2.events.InformationalResponseReceived):
            stream.interims.append(list(event.headers))
        elif isinstance(event, h2.events.TrailersReceived):
            stream.trailers = list(event.headers)
        elif isinstance(event, h2.events.DataReceived):
            stream.body += event.data
            if self.auto_credit and event.flow_controlled_length:
                self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        elif isinstance(event, h2.events.StreamEnded):
            stream.ended = True
        elif isinstance(event, h2.events.StreamReset):
            stream.reset = event.error_code
        elif isinstance(event, h2.events.ConnectionTerminated):
            self.goaway = event.error_code
            # For h2 this is the end; streams that run are to finish (RFC 9113 section 6.8).
            self.h2.state_machine.state = h2.connection.ConnectionState.CLIENT_OPEN
        elif isinstance(event, h2.events.SettingsAcknowledged):
            self.acked += 1

    def finish(self, stream):
        """Reads until a stream has ended or was reset."""
        one = self.streams[stream]
        while not one.ended and one.reset is None:
            if not self.step():
                break
        return one

    def get(self, path="/", **more):
        return self.finish(self.request(path, **more))

    def wait(self, condition, seconds=10):
        """Reads until something is so."""
        end = time.monotonic() + seconds
        while not condition():
            left = end - time.monotonic()
            assert left > 0, "it has not come to be so"
            try:
                if not self.step(min(left, 0.5)):
                    assert condition(), "the connection has ended before"
            except TimeoutError:
                continue


class H2Server:
    """An upstream that speaks HTTP/2 (prior knowledge, or TLS with ALPN). `script(connection, stream_id, headers, body)`
    is called when a request is whole; by default it answers 200 with "ok".

    Streams may be answered in any order, by `respond`, from any thread.
    """

    class Connection:
        def __init__(self, server, sock, number):
            self.server, self.socket, self.number = server, sock, number
            self.lock = threading.RLock()
            config = h2.config.H2Configuration(client_side=False, header_encoding="latin-1",
                                               validate_outbound_headers=False)
            self.h2 = h2.connection.H2Connection(config)
            if server.settings:
                self.h2.local_settings = h2.settings.Settings(client=False, initial_values=server.settings)
            self.requests, self.bodies, self.waiting = {}, collections.defaultdict(bytearray), {}
            self.resets, self.pings = [], 0
            self.ended = threading.Event()

        def run(self):
            with self.lock:
                self.h2.initiate_connection()
                self.flush()
            try:
                while True:
                    data = self.socket.recv(1 << 16)
                    if not data:
                        break
                    with self.lock:
                        events = self.h2.receive_data(data)
                        for event in events:
                            self.on(event)
                        self.flush()
            except (OSError, h2.exceptions.ProtocolError):
                pass
            finally:
                self.ended.set()
                self.socket.close()

        def on(self, event):
            if isinstance(event, h2.events.RequestReceived):
                self.requests[event.stream_id] = list(event.headers)
                self.server.seen.append((self.number, event.stream_id, list(event.headers)))
                if self.server.early:
                    self.server.early(self, event.stream_id, list(event.headers))
            elif isinstance(event, h2.events.DataReceived):
                self.bodies[event.stream_id] += event.data
                if self.server.auto_credit:
                    self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            elif isinstance(event, h2.events.StreamEnded):
                self.server.script(self, event.stream_id, self.requests[event.stream_id],
                                   bytes(self.bodies[event.stream_id]))
            elif isinstance(event, h2.events.StreamReset):
                self.resets.append((event.stream_id, event.error_code))
            elif isinstance(event, h2.events.PingReceived):
                self.pings += 1
            elif isinstance(event, (h2.events.WindowUpdated, h2.events.RemoteSettingsChanged)):
                for stream in list(self.waiting):
                    self.pump(stream)

        def flush(self):
            data = self.h2.data_to_send()
            if data:
                self.socket.sendall(data)

        def respond(self, stream, body=b"ok", status=200, headers=(), trailers=None, length=True):
            with self.lock:
                head = [(":status", str(status)), *headers]
                if length and trailers is None:
                    head.append(("content-length", str(len(body))))
                self.h2.send_headers(stream, head, end_stream=not body and trailers is None)
                if body or trailers is not None:
                    self.waiting[stream] = [memoryview(body), trailers]
                    self.pump(stream)
                self.flush()

        def pump(self, stream):
            view, trailers = self.waiting[stream]
            try:
                while view:
                    room = min(self.h2.local_flow_control_window(stream), self.h2.max_outbound_frame_size, len(view))
                    if room <= 0:
                        self.waiting[stream][0] = view
                        return
                    self.h2.send_data(stream, bytes(view[:room]), end_stream=room == len(view) and trailers is None)
                    view = view[room:]
                if trailers is not None:
                    self.h2.send_headers(stream, trailers, end_stream=True)
            except h2.exceptions.ProtocolError:
                pass
            self.waiting.pop(stream, None)

    def __init__(self, script=None, settings=None, tls=None, early=None, auto_credit=True):
        self.script = script or (lambda connection, stream, headers, body: connection.respond(stream))
        self.settings, self.tls, self.early, self.auto_credit = settings, tls, early, auto_credit
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.connections, self.seen = [], []
        self.thread = threading.Thread(target=self._accept, daemon=True)
        self.thread.start()

    @property
    def endpoint(self):
        return "127.0.0.1:%d" % self.listener.getsockname()[1]

    def _accept(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock):
        try:
            if self.tls:
                sock = self.tls.wrap_socket(sock, server_side=True)
        except OSError:
            sock.close()
            return
        connection = self.Connection(self, sock, len(self.connections))
        self.connections.append(connection)
        connection.run()

    def stop(self):
        self.listener.close()
        for connection in self.connections:
            try:
                connection.socket.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
