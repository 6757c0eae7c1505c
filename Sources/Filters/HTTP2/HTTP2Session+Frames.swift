internal import CNGHTTP2
internal import FilterAPI

/// What libnghttp2 says of frames, called by ``HTTP2Callbacks`` inside ``HTTP2Session/read(_:_:)`` and
/// ``HTTP2Session/write(_:_:)``.
extension HTTP2Session {
    /// More than anybody has to say (CVE-2020-11080).
    private static let mostSettings = 32

    /// A head of this many times `max_head` costs as much as a reset; of four times that, the connection.
    static let bombSize = 4

    private var now: Instant { unsafe link.pointee.now }

    /// A frame's header has come. What carries nothing for anybody costs the peer some of its budget.
    ///
    /// - Returns: whether libnghttp2 is to see the frame.
    func frameBegins(_ header: HTTP2FrameSplitter.Header) -> Bool {
        let isAck = header.flags & UInt8(NGHTTP2_FLAG_ACK.rawValue) != 0
        switch UInt32(header.type) {
        case NGHTTP2_HEADERS.rawValue: lookIfLate(header)
        case NGHTTP2_DATA.rawValue:
            let ends = header.flags & UInt8(NGHTTP2_FLAG_END_STREAM.rawValue) != 0
            if header.length == 0, !ends, !budget.takeIdle(now) { calm("http2.empty_data_flood") }
            lookIfLate(header)
        // libnghttp2 takes eight for a head.
        case NGHTTP2_CONTINUATION.rawValue: break
        case NGHTTP2_RST_STREAM.rawValue: break
        case NGHTTP2_WINDOW_UPDATE.rawValue:
            if !budget.takeCredit(now) { calm("http2.window_update_flood") }
            // A matter of the one stream (RFC 9113 section 6.9); libnghttp2 ends the connection.
            if header.length == 4, header.increment == 0, let stream = found(Int32(header.stream)) {
                _ = unsafe nghttp2_submit_rst_stream(
                    raw, UInt8(NGHTTP2_FLAG_NONE.rawValue), stream.id, UInt32(NGHTTP2_PROTOCOL_ERROR.rawValue))
                return false
            }
        case NGHTTP2_PING.rawValue:
            if !isAck || pingSent == .none, !budget.takeIdle(now) { calm("http2.ping_flood") }
        case NGHTTP2_SETTINGS.rawValue:
            if header.length > 6 * Self.mostSettings, header.length <= 1 << 14 { calm("http2.too_many_settings") }
            if !isAck, !budget.takeIdle(now) { calm("http2.settings_flood") }
        case NGHTTP2_PRIORITY.rawValue:
            // libnghttp2 does not look at it where nobody uses priorities.
            if header.stream == 0 { fail(Int(NGHTTP2_ERR_PROTO.rawValue)) }
            if !budget.takeIdle(now) { calm("http2.frame_flood") }
        default: if !budget.takeIdle(now) { calm("http2.frame_flood") }
        }
        return true
    }

    /// A message's frame on a stream that has ended: libnghttp2 passes it over.
    private func lookIfLate(_ header: HTTP2FrameSplitter.Header) {
        let id = Int32(header.stream)
        // An upstream may have much on its way for requests that clients have taken back.
        guard role == .server, id > 0, found(id) == nil else { return }
        switch numbers.state(of: id) {
        case .idle:
            // libnghttp2 says nothing of streams that begin after the last GOAWAY, and of these nothing before it has seen them.
            if isEnding, header.type == UInt8(NGHTTP2_HEADERS.rawValue) { tooLate = id }
        case .leftOut: fail(Int(NGHTTP2_ERR_PROTO.rawValue))
        case .ended: fail(Int(NGHTTP2_ERR_STREAM_CLOSED.rawValue))
        // It was on its way when the stream was given up (RFC 9113 section 5.1).
        case .cut: if !budget.takeLate(now) { calm("http2.frame_flood") }
        }
    }

    /// A block of fields begins.
    func fieldsBegin(_ frame: nghttp2_frame) {
        readingSince = now
        let id = unsafe frame.hd.stream_id
        if unsafe role == .server && frame.headers.cat == NGHTTP2_HCAT_REQUEST { return requestBegins(id) }
        guard let stream = unsafe HTTP2Callbacks.stream(nghttp2_session_get_stream_user_data(raw, id)) else {
            unsafe reading = nil
            return
        }
        unsafe reading = stream
        stream.fieldCount = 0
        stream.fieldBytes = 0
        if stream.flags.contains(.headDone) { stream.flags.insert(.inTrailers) }
    }

    private func requestBegins(_ id: Int32) {
        numbers.begin(id)
        guard liveCount < settings.maxConcurrentStreams else { return refuse(id) }
        do throws(Fault) {
            let handle = unsafe try link.pointee.openStream()
            let stream = streams.take()
            add(stream, id: id, handle: handle, now)
            unsafe link.pointee.setHTTP2Stream(stream, of: handle)
            let start = now
            unsafe link.pointee.withFacts(handle) { $0.start = start }
            unsafe nghttp2_session_set_stream_user_data(raw, id, Unmanaged.passUnretained(stream).toOpaque())
            unsafe reading = stream
        } catch {
            refuse(id)
        }
    }

    /// Refuses the stream that has begun after the last GOAWAY, if there is one.
    func refuseLate() {
        guard tooLate > 0 else { return }
        numbers.begin(tooLate)
        refuse(tooLate)
        tooLate = 0
    }

    /// The client may send the request again: nothing was done with it (RFC 9113 section 8.7).
    private func refuse(_ id: Int32) {
        unsafe reading = nil
        numbers.cut(id)
        if !budget.takeIdle(now) { calm("http2.stream_flood") }
        let refused = UInt32(NGHTTP2_REFUSED_STREAM.rawValue)
        _ = unsafe nghttp2_submit_rst_stream(raw, UInt8(NGHTTP2_FLAG_NONE.rawValue), id, refused)
    }

    /// A whole frame has come.
    func frameCame(_ frame: nghttp2_frame) {
        let ends = unsafe frame.hd.flags & UInt8(NGHTTP2_FLAG_END_STREAM.rawValue) != 0
        switch unsafe UInt32(frame.hd.type) {
        case NGHTTP2_HEADERS.rawValue:
            guard let stream = unsafe reading else { return }
            unsafe reading = nil
            fieldsEnd(stream, ends)
        case NGHTTP2_DATA.rawValue:
            if !ends, unsafe frame.hd.length > 0, unsafe frame.hd.length == frame.data.padlen, !budget.takeIdle(now) {
                return calm("http2.empty_data_flood")
            }
            guard ends, let stream = unsafe found(frame.hd.stream_id) else { return }
            stream.flags.insert(.peerEnded)
            sayEnd(stream)
        case NGHTTP2_RST_STREAM.rawValue:
            let stream = unsafe found(frame.hd.stream_id)
            stream?.flags.insert(.peerReset)
            if !isHarmless(stream), !budget.takeReset(now) { calm("http2.reset_flood") }
        case NGHTTP2_PING.rawValue:
            if unsafe frame.hd.flags & UInt8(NGHTTP2_FLAG_ACK.rawValue) != 0 { pingSent = .none }
        case NGHTTP2_SETTINGS.rawValue:
            if unsafe frame.hd.flags & UInt8(NGHTTP2_FLAG_ACK.rawValue) == 0 { heardSettings() }
        case NGHTTP2_GOAWAY.rawValue: isGoingAway = true
        default: break
        }
    }

    /// The peer has said what it takes.
    private func heardSettings() {
        if !hasHeardSettings { for stream in open where stream.flags.contains(.waits) { say(.ready, stream) } }
        hasHeardSettings = true
    }

    /// Streams that have run for so long are as many as may run at once, ten times a second: who gives them up all at once,
    /// as a gRPC client does with calls whose time is over, does not get around that limit as a rapid reset does.
    private static let longEnough = Duration.milliseconds(100)

    /// Whether a stream that the peer gives up costs it nothing.
    private func isHarmless(_ stream: HTTP2Stream?) -> Bool {
        // It has ended already, and both sides have given it up at once, as they do when a deadline passes.
        guard let stream else { return budget.takeIdle(now) }
        // An answer came whole, and the upstream does not want the rest of the request (RFC 9113 section 8.1).
        if role == .client, stream.flags.contains(.peerEnded) { return true }
        return now.since(stream.began) >= Self.longEnough
    }

    private func fieldsEnd(_ stream: HTTP2Stream, _ ends: Bool) {
        // Unpacked, a head may be many times what came: whoever sends such ones means harm.
        if stream.fieldBytes > Self.bombSize * limits.head, !budget.takeReset(now) { return calm("http2.head_flood") }
        if ends { stream.flags.insert(.peerEnded) }
        if stream.flags.contains(.hostDone) { return }
        if stream.flags.contains(.inTrailers) { return say(.trailers, stream, isLast: true) }
        if role == .client, isInterim(stream) { return say(.interim, stream) }
        stream.flags.insert(.headDone)
        say(.head, stream, isLast: ends)
    }

    private func isInterim(_ stream: HTTP2Stream) -> Bool {
        unsafe link.pointee.withResponseHead(stream.handle) { 100..<200 ~= $0.status.code }
    }

    /// A piece of a body has come.
    func dataCame(_ id: Int32, _ data: UnsafeRawBufferPointer) {
        // What is held for a slow reader of one stream must not stop the others: each has credit of its own.
        _ = unsafe nghttp2_session_consume_connection(raw, data.count)
        guard let stream = found(id), !stream.flags.contains(.hostDone) else {
            _ = unsafe nghttp2_session_consume_stream(raw, id, data.count)
            return
        }
        let offset = unsafe input.pointee.withUnsafeBytes { whole in
            unsafe data.baseAddress.unsafelyUnwrapped - whole.baseAddress.unsafelyUnwrapped
        }
        stream.held += data.count
        stream.lastMoved = now
        unsafe bodies.append(input.pointee.slice(offset, data.count))
        say(.body, stream, count: data.count)
    }

    private func found(_ id: Int32) -> HTTP2Stream? {
        unsafe HTTP2Callbacks.stream(nghttp2_session_get_stream_user_data(raw, id))
    }

    /// How many bytes of a body go into the next frame.
    func offer(_ stream: HTTP2Stream, _ limit: Int, _ flags: inout UInt32) -> Int {
        let count = min(limit, stream.outgoing.byteCount)
        let isAll = count == stream.outgoing.byteCount && stream.flags.contains(.ended)
        if count == 0, !isAll {
            stream.flags.insert(.deferred)
            return Int(NGHTTP2_ERR_DEFERRED.rawValue)
        }
        flags |= NGHTTP2_DATA_FLAG_NO_COPY.rawValue
        guard isAll else { return count }
        flags |= NGHTTP2_DATA_FLAG_EOF.rawValue
        if stream.flags.contains(.trailers) {
            flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM.rawValue
            submitTrailers(stream)
        }
        return count
    }

    /// A frame was written.
    func frameWent(_ frame: nghttp2_frame) {
        switch unsafe UInt32(frame.hd.type) {
        case NGHTTP2_HEADERS.rawValue, NGHTTP2_DATA.rawValue:
            guard unsafe frame.hd.flags & UInt8(NGHTTP2_FLAG_END_STREAM.rawValue) != 0,
                let stream = unsafe found(frame.hd.stream_id)
            else { return }
            stream.flags.insert(.endSent)
            if stream.flags.contains(.hostDone), !stream.flags.contains(.peerEnded) { reset(stream, NGHTTP2_NO_ERROR) }
        case NGHTTP2_RST_STREAM.rawValue:
            // Given up by libnghttp2, for what the peer has done (CVE-2025-8671).
            guard unsafe HTTP2Fault.isBlame(frame.rst_stream.error_code) else { return }
            if let stream = unsafe found(frame.hd.stream_id), stream.flags.contains(.reset) { return }
            if !budget.takeReset(now) { calm("http2.reset_flood") }
        case NGHTTP2_GOAWAY.rawValue:
            let code = unsafe frame.goaway.error_code
            if fatal == nil, code != NGHTTP2_NO_ERROR.rawValue { fatal = HTTP2Fault.ofConnection(code: code, role) }
        default: break
        }
    }
}
