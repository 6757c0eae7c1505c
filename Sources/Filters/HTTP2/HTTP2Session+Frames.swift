internal import CNGHTTP2
internal import FilterAPI

/// What libnghttp2 says of frames, called by ``HTTP2Callbacks`` inside ``HTTP2Session/read(_:_:)`` and
/// ``HTTP2Session/write(_:_:)``.
extension HTTP2Session {
    private var now: Instant { unsafe link.pointee.now }

    /// A frame's header has come. What carries nothing for anybody costs the peer some of its budget.
    func frameBegins(_ header: nghttp2_frame_hd) {
        let isAck = header.flags & UInt8(NGHTTP2_FLAG_ACK.rawValue) != 0
        switch UInt32(header.type) {
        case NGHTTP2_HEADERS.rawValue, NGHTTP2_CONTINUATION.rawValue: break
        case NGHTTP2_DATA.rawValue:
            let ends = header.flags & UInt8(NGHTTP2_FLAG_END_STREAM.rawValue) != 0
            if header.length == 0, !ends, !budget.takeIdle(now) { calm("http2.empty_data_flood") }
        case NGHTTP2_RST_STREAM.rawValue: break
        case NGHTTP2_WINDOW_UPDATE.rawValue: if !budget.takeCredit(now) { calm("http2.window_update_flood") }
        case NGHTTP2_PING.rawValue: if !isAck, !budget.takeIdle(now) { calm("http2.ping_flood") }
        case NGHTTP2_SETTINGS.rawValue: if !isAck, !budget.takeIdle(now) { calm("http2.settings_flood") }
        default: if !budget.takeIdle(now) { calm("http2.frame_flood") }
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
        do throws(Fault) {
            let handle = unsafe try link.pointee.openStream()
            let stream = streams.take()
            add(stream, id: id, handle: handle, now)
            unsafe link.pointee.withStreamState(handle, as: HTTP2Slot.self) {
                unsafe $0.record = Unmanaged.passUnretained(stream).toOpaque()
            }
            let start = now
            unsafe link.pointee.withFacts(handle) { $0.start = start }
            unsafe nghttp2_session_set_stream_user_data(raw, id, Unmanaged.passUnretained(stream).toOpaque())
            unsafe reading = stream
        } catch {
            unsafe reading = nil
            let refused = UInt32(NGHTTP2_REFUSED_STREAM.rawValue)
            _ = unsafe nghttp2_submit_rst_stream(raw, UInt8(NGHTTP2_FLAG_NONE.rawValue), id, refused)
        }
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
            guard ends, let stream = unsafe found(frame.hd.stream_id) else { return }
            stream.flags.insert(.peerEnded)
            sayEnd(stream)
        case NGHTTP2_RST_STREAM.rawValue:
            if !isHarmless(unsafe found(frame.hd.stream_id)), !budget.takeReset(now) { calm("http2.reset_flood") }
        case NGHTTP2_PING.rawValue:
            if unsafe frame.hd.flags & UInt8(NGHTTP2_FLAG_ACK.rawValue) != 0 { pingSent = .none }
        case NGHTTP2_SETTINGS.rawValue: hasHeardSettings = true
        case NGHTTP2_GOAWAY.rawValue: isGoingAway = true
        default: break
        }
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
        if ends { stream.flags.insert(.peerEnded) }
        if stream.flags.contains(.hostDone) { return }
        if stream.flags.contains(.inTrailers) { return say(.trailers, stream, isLast: true) }
        if role == .client, isInterim(stream) { return say(.interim, stream) }
        stream.flags.insert(.headDone)
        say(.head, stream, isLast: ends)
    }

    private func isInterim(_ stream: HTTP2Stream) -> Bool {
        unsafe link.pointee.withResponseHead(stream.handle) { $0.status.code < 200 }
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

    /// A frame breaks the rules: libnghttp2 gives the stream up, or the connection.
    func frameIsInvalid(_ frame: nghttp2_frame, _ error: Int) {
        lastError = error
        guard unsafe frame.hd.stream_id != 0 else { return }
        if !budget.takeReset(now) { calm("http2.reset_flood") }
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
        default: break
        }
    }
}
