internal import CNGHTTP2
internal import FilterAPI

/// Fields that come. libnghttp2 has checked that they may stand where they stand (RFC 9113 section 8.2 and 8.3).
extension HTTP2Session {
    /// A field of the block that is being read.
    func field(_ name: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) {
        guard let stream = unsafe reading else { return }
        // Counted before anything is kept: a field of one byte on the wire may be one of thousands, crumbs of cookies too.
        stream.fieldBytes += name.count + value.count + 32
        // Pseudo-fields are not what is counted over HTTP/1, and cannot be many.
        if unsafe name.first != 0x3A { stream.fieldCount += 1 }
        if stream.fieldBytes > 4 * Self.bombSize * limits.head { return calm("http2.head_flood") }
        guard stream.fault == nil, !stream.flags.contains(.hostDone) else { return }
        guard stream.fieldBytes <= limits.head + 32 * limits.fields, name.count + value.count <= limits.field,
            stream.fieldCount <= limits.fields
        else {
            stream.fault = tooMuch(stream, isOneField: name.count + value.count > limits.field)
            return
        }
        if stream.flags.contains(.inTrailers) { return unsafe trailer(name, value, stream) }
        if role == .server {
            let handle = stream.handle
            unsafe link.pointee.withRequestHead(handle) { unsafe Self.add(name, value, to: &$0, stream) }
        } else {
            let handle = stream.handle
            unsafe link.pointee.withResponseHead(handle) { unsafe Self.add(name, value, to: &$0, stream) }
        }
    }

    private func tooMuch(_ stream: HTTP2Stream, isOneField: Bool) -> Fault {
        let kind: Fault.Kind = role == .server ? .headTooLarge : .upstreamProtocol
        if isOneField { return Fault(kind, "http2.field_too_large") }
        return Fault(kind, stream.fieldCount > limits.fields ? "http2.too_many_fields" : "http2.head_too_large")
    }

    private func trailer(_ name: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer, _ stream: HTTP2Stream) {
        func add(_ fields: inout Headers) {
            let (token, hash) = unsafe HeaderNameTable.shared.find(name)
            if KnownField.isForbiddenTrailer(token) { return }
            unsafe fields.appendField(name, value, token: token, hash: hash)
        }
        if role == .server {
            unsafe link.pointee.withRequestTrailers(stream.handle) { add(&$0) }
        } else {
            unsafe link.pointee.withResponseTrailers(stream.handle) { add(&$0) }
        }
    }

    private static func add(
        _ name: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer, to head: inout RequestHead,
        _ stream: HTTP2Stream
    ) {
        if unsafe name.first == 0x3A { return unsafe addPseudo(name, value, to: &head, stream) }
        let (token, hash) = unsafe HeaderNameTable.shared.find(name)
        if token == cookie { stream.cookies += 1 }
        unsafe head.headers.appendField(name, value, token: token, hash: hash)
    }

    private static let cookie = HeaderName.cookie.token

    /// `:method`, `:scheme`, `:authority`, `:path`, `:protocol`: told apart by their length and a letter, since no others
    /// come this far.
    private static func addPseudo(
        _ name: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer, to head: inout RequestHead,
        _ stream: HTTP2Stream
    ) {
        let text = unsafe RawSpan(_unsafeBytes: value)
        switch unsafe (name.count, name[1]) {
        case (5, _):
            head.targetRange = head.headers.store(text)
            head.measurePath()
        case (7, UInt8(ascii: "m")):
            head.methodRange = head.headers.store(text)
            head.method = Method(named: text)
        case (7, _):
            if !ASCII.equal(text, "http"), !ASCII.equal(text, "https") {
                stream.fault = Fault(.badRequest, "http2.bad_scheme")
            }
        case (10, _): head.authorityRange = head.headers.store(text)
        case (9, _):
            stream.flags.insert(.isUpgrade)
            if !ASCII.equalIgnoringCase(text, "websocket") {
                stream.fault = Fault(.notImplemented, "http2.unknown_protocol")
            }
        default: break
        }
    }

    private static func add(
        _ name: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer, to head: inout ResponseHead,
        _ stream: HTTP2Stream
    ) {
        let text = unsafe RawSpan(_unsafeBytes: value)
        if unsafe name.first == 0x3A {
            head.status = Status(ASCII.number(text) ?? 0)
            return
        }
        let (token, hash) = unsafe HeaderNameTable.shared.find(name)
        unsafe head.headers.appendField(name, value, token: token, hash: hash)
    }
}
