public import FilterAPI

// What the methods of a codec are for is said at its protocol.
// swift-format-ignore: AllPublicDeclarationsHaveDocumentation
/// HTTP/1 towards upstreams (RFC 9112): one request at a time on a connection.
public final class HTTP1ClientCodec: ClientCodec {
    public static let manifest = Manifest(
        id: "http", summary: "Speaks HTTP/1 with upstreams.", reasons: HTTP1Reasons.upstreams)

    /// What a cluster sets for HTTP.
    public struct Settings: FilterSettings {
        /// Which version of HTTP the upstreams speak.
        public var `protocol` = HTTPProtocol.http1
        /// What upstreams are told over HTTP/2.
        public var http2 = HTTP2Settings()
        /// All bytes of a response's head; above, 502.
        public var maxHead = ByteSize.kibibytes(60)
        /// Fields of a response; above, 502.
        public var maxHeaders = 100

        /// The defaults.
        public init() {}

        /// Checks ranges.
        public func validate(_ check: inout SettingsCheck) {
            if maxHead.bytes < 1024 || maxHead.bytes > 8 << 20 {
                check.error("max_head", "must be between 1KiB and 8MiB")
            }
            if maxHeaders < 1 || maxHeaders > 10_000 { check.error("max_headers", "must be between 1 and 10000") }
        }
    }

    /// Where a connection is.
    enum Phase: UInt8 {
        case idle
        /// A tunnel is to be opened: the connection itself is the answer.
        case opening
        /// A request was begun, its answer has not.
        case waiting
        case body
        case tunnel
        /// Not to be used again.
        case finished
    }

    /// Per connection.
    public struct ConnectionState {
        var parser = HeadParser(.response)
        var phase = Phase.idle
        var body = BodyDecoder.none
        var stream = StreamHandle.none
        var outgoing = OutgoingBody()
        var requestEnded = false
        var isHeadRequest = false
        var isConnect = false
        var asksUpgrade = false
        var expectsContinue = false
        var keepsAlive = true
        var interims = 0
        var keepAliveTimeout = -1
    }

    /// Answers before the answer that are passed on; more are an attack, or a fault.
    static let interimLimit = 16

    let limits: HeadLimits

    public init(_ settings: Settings, on worker: inout WorkerContext) throws(ConfigurationFault) {
        limits = HeadLimits(head: settings.maxHead.bytes, fields: settings.maxHeaders, field: settings.maxHead.bytes)
    }

    public func connect(_ link: inout CodecLink) throws(Fault) -> ConnectionState { ConnectionState() }

    public func freeStreams(_ state: inout ConnectionState) -> Int { state.phase == .idle ? 1 : 0 }

    public func isReusable(_ state: inout ConnectionState) -> Bool { state.phase == .idle && state.keepsAlive }

    public func reset(_ stream: StreamHandle, _ state: inout ConnectionState, _ link: inout CodecLink) {
        state.phase = .finished
    }

    // MARK: The request

    public func requestHead(
        _ head: inout RequestHead, last: Bool, _ stream: StreamHandle, _ state: inout ConnectionState,
        _ link: inout CodecLink
    ) throws(Fault) {
        state.stream = stream
        state.phase = .waiting
        state.isHeadRequest = head.method == .head
        state.isConnect = head.method == .connect
        state.asksUpgrade = head.wantsUpgrade
        state.expectsContinue = head.expectsContinue
        state.interims = 0
        state.parser.reset()
        if state.isConnect {
            // The tunnel ends here (RFC 9110 section 9.3.6): the upstream gets its bytes, and no HTTP.
            state.phase = .opening
            state.outgoing = .framed(.tunnel)
            state.keepsAlive = false
            return
        }
        try frame(head, last: last, isTunnel: head.wantsUpgrade, &state)
        write(head, state, &link)
    }

    private func frame(
        _ head: borrowing RequestHead, last: Bool, isTunnel: Bool, _ state: inout ConnectionState
    ) throws(Fault) {
        state.requestEnded = last
        let index = head.headers.index(of: .contentLength)
        if index >= 0 {
            guard let length = ASCII.number(head.headers.value(at: index)) else {
                throw Fault(.filterFailed, "http1.bad_content_length")
            }
            if last && length > 0 { throw Fault(.filterFailed, "http1.body_length_mismatch") }
            state.outgoing = .length(length)
            if length == 0 { state.requestEnded = true }
        } else if isTunnel {
            state.outgoing = .framed(.tunnel)
        } else if last || head.bodyLength == .none {
            // Also a request whose upgrade the router did not let pass: it never had a body.
            state.outgoing = head.method.usuallyHasBody ? .length(0) : OutgoingBody()
            state.requestEnded = true
        } else {
            state.outgoing = .framed(.chunked)
        }
    }

    private func write(_ head: borrowing RequestHead, _ state: ConnectionState, _ link: inout CodecLink) {
        let room = head.headers.wireSize + head.target.byteCount + head.methodText.byteCount + 128
        let memory = unsafe link.output.reserve(room)
        var writer = unsafe HeadWriter(memory)
        writer.add(head.methodText)
        writer.add(UInt8(ascii: " "))
        writer.add(head.target)
        writer.add(" HTTP/1.1\r\n")
        let written = writeFields(head.headers, asksUpgrade: state.asksUpgrade, &writer)
        // HTTP/1.1 wants one, and a client of HTTP/1.0 may not have sent any (RFC 9112 section 3.2).
        if !written.contains(.host) { writer.add("Host: \r\n") }
        switch state.outgoing.framing {
        case .chunked: writer.add("Transfer-Encoding: chunked\r\n")
        case .length where !written.contains(.contentLength): writer.add("Content-Length: 0\r\n")
        default: break
        }
        if state.asksUpgrade {
            writer.add("Connection: Upgrade\r\n")
        } else if written.contains(.te) {
            writer.add("Connection: TE\r\n")
        }
        writer.add("\r\n")
        unsafe link.output.commit(writer.count, at: memory)
    }

    /// Fields that were written, as far as anything depends on it.
    private struct Written: OptionSet {
        let rawValue: UInt8
        static let host = Written(rawValue: 1)
        static let contentLength = Written(rawValue: 2)
        static let te = Written(rawValue: 4)
    }

    @inline(__always)
    private func writeFields(_ headers: borrowing Headers, asksUpgrade: Bool, _ writer: inout HeadWriter) -> Written {
        var written: Written = []
        for index in 0..<headers.count {
            let entry = unsafe headers.entries[index]
            if entry.token != 0, entry.token <= KnownField.lastSpecial {
                if HopByHop.isCodecs(entry.token) && !(asksUpgrade && entry.token == KnownField.upgrade) { continue }
                let mark: Written =
                    switch entry.token {
                    case KnownField.host: .host
                    case KnownField.contentLength: .contentLength
                    case KnownField.te: .te
                    default: []
                    }
                // Two of these could be read in two ways; the first one is what everything else was decided by.
                if mark != [], !written.insert(mark).inserted { continue }
            }
            writer.add(entry, of: headers)
        }
        return written
    }

    public func requestBody(
        _ chunk: inout ByteChunk, last: Bool, _ stream: StreamHandle, _ state: inout ConnectionState,
        _ link: inout CodecLink
    ) throws(Fault) {
        // Nothing goes into a tunnel before the upstream has opened it.
        if state.outgoing.framing == .tunnel, state.phase != .tunnel {
            if last { state.requestEnded = true }
            return
        }
        try state.outgoing.write(&chunk, last: last, &link.output)
        if last { state.requestEnded = true }
    }

    public func requestTrailers(
        _ trailers: inout Headers, _ stream: StreamHandle, _ state: inout ConnectionState, _ link: inout CodecLink
    ) throws(Fault) {
        try state.outgoing.writeTrailers(trailers, &link.output)
        state.requestEnded = true
    }
}
