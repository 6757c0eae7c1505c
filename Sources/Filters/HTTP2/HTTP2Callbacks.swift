internal import CNGHTTP2
internal import FilterAPI

/// What libnghttp2 calls: it finds the session, which does the work.
///
/// SAFETY: the user data of a session is the ``HTTP2Session`` that owns it, that of a stream its ``HTTP2Stream``; both
/// outlive every call.
enum HTTP2Callbacks {
    /// Written once before its first use, and only read after that.
    private nonisolated(unsafe) static let callbacks: OpaquePointer? = unsafe makeCallbacks()
    private nonisolated(unsafe) static let options: OpaquePointer? = unsafe makeOptions()

    /// A session for one side of a connection.
    static func makeSession(_ role: HTTP2Session.Role, _ memory: HTTP2Memory) -> OpaquePointer? {
        guard let callbacks = unsafe callbacks, let options = unsafe options else { return nil }
        var session: OpaquePointer?
        // libnghttp2 copies it.
        var functions = unsafe memory.functions
        let result =
            role == .server
            ? unsafe nghttp2_session_server_new3(&session, callbacks, nil, options, &functions)
            : unsafe nghttp2_session_client_new3(&session, callbacks, nil, options, &functions)
        return result == 0 ? unsafe session : nil
    }

    private static func makeOptions() -> OpaquePointer? {
        var options: OpaquePointer?
        guard unsafe nghttp2_option_new(&options) == 0, let options = unsafe options else { return nil }
        // The host says when bytes have gone on.
        unsafe nghttp2_option_set_no_auto_window_update(options, 1)
        // Only the tree of priorities needs those that have ended.
        unsafe nghttp2_option_set_no_closed_streams(options, 1)
        unsafe nghttp2_option_set_max_outbound_ack(options, 1000)
        // It counts all streams that are given up; HTTP2Budget those that may do harm, and has lower limits.
        unsafe nghttp2_option_set_stream_reset_rate_limit(options, 10_000, 10_000)
        // The host bounds heads; what is left to be kept of them here is one frame.
        unsafe nghttp2_option_set_max_send_header_block_length(options, 1 << 20)
        return unsafe options
    }

    private static func makeCallbacks() -> OpaquePointer? {
        var made: OpaquePointer?
        guard unsafe nghttp2_session_callbacks_new(&made) == 0, let made = unsafe made else { return nil }
        unsafe nghttp2_session_callbacks_set_send_callback(made) { _, data, count, _, user in
            unsafe HTTP2Callbacks.with(user, otherwise: -1) { session in
                unsafe session.writeFrame(UnsafeRawBufferPointer(start: data, count: count))
                return count
            }
        }
        unsafe nghttp2_session_callbacks_set_send_data_callback(made) { _, _, header, count, source, user in
            let failure = NGHTTP2_ERR_CALLBACK_FAILURE.rawValue
            guard let header = unsafe header, let stream = unsafe HTTP2Callbacks.stream(source?.pointee.ptr) else {
                return failure
            }
            let bytes = unsafe UnsafeRawBufferPointer(start: header, count: 9)
            return unsafe HTTP2Callbacks.with(user, otherwise: failure) { session in
                unsafe session.writeData(bytes, count, stream) ? 0 : NGHTTP2_ERR_WOULDBLOCK.rawValue
            }
        }
        unsafe nghttp2_session_callbacks_set_on_begin_headers_callback(made) { _, frame, user in
            guard let frame = unsafe frame else { return 0 }
            unsafe HTTP2Callbacks.with(user, otherwise: ()) { unsafe $0.fieldsBegin(frame.pointee) }
            return 0
        }
        unsafe nghttp2_session_callbacks_set_on_header_callback(made) { _, _, name, nameCount, value, count, _, user in
            let (name, value) = unsafe (
                UnsafeRawBufferPointer(start: name, count: nameCount),
                UnsafeRawBufferPointer(start: value, count: count)
            )
            unsafe HTTP2Callbacks.with(user, otherwise: ()) { unsafe $0.field(name, value) }
            return 0
        }
        unsafe nghttp2_session_callbacks_set_on_invalid_header_callback(made) { _, _, _, _, _, _, _, _ in
            // A field that breaks the rules is not passed over: the message is refused (RFC 9113 section 8.2.1).
            NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE.rawValue
        }
        unsafe nghttp2_session_callbacks_set_on_data_chunk_recv_callback(made) { _, _, id, data, count, user in
            let data = unsafe UnsafeRawBufferPointer(start: data, count: count)
            unsafe HTTP2Callbacks.with(user, otherwise: ()) { unsafe $0.dataCame(id, data) }
            return 0
        }
        unsafe nghttp2_session_callbacks_set_on_frame_recv_callback(made) { _, frame, user in
            guard let frame = unsafe frame else { return 0 }
            unsafe HTTP2Callbacks.with(user, otherwise: ()) { unsafe $0.frameCame(frame.pointee) }
            return 0
        }
        unsafe nghttp2_session_callbacks_set_on_frame_send_callback(made) { _, frame, user in
            guard let frame = unsafe frame else { return 0 }
            unsafe HTTP2Callbacks.with(user, otherwise: ()) { unsafe $0.frameWent(frame.pointee) }
            return 0
        }
        unsafe nghttp2_session_callbacks_set_on_stream_close_callback(made) { raw, id, code, user in
            guard let stream = unsafe HTTP2Callbacks.stream(nghttp2_session_get_stream_user_data(raw, id)) else {
                return 0
            }
            unsafe HTTP2Callbacks.with(user, otherwise: ()) { $0.wireClosed(stream, code) }
            return 0
        }
        return unsafe made
    }

    /// Where libnghttp2 gets the body of a stream from.
    static func source(of stream: HTTP2Stream) -> nghttp2_data_provider {
        var provider = unsafe nghttp2_data_provider()
        unsafe provider.source.ptr = Unmanaged.passUnretained(stream).toOpaque()
        unsafe provider.read_callback = { _, _, _, limit, flags, source, user in
            let failure = Int(NGHTTP2_ERR_CALLBACK_FAILURE.rawValue)
            guard let flags = unsafe flags, let stream = unsafe HTTP2Callbacks.stream(source?.pointee.ptr) else {
                return failure
            }
            return unsafe HTTP2Callbacks.with(user, otherwise: failure) { session in
                unsafe session.offer(stream, limit, &flags.pointee)
            }
        }
        return unsafe provider
    }

    /// Calls the session without a reference of its own, which would be counted up and down for each field and frame: it
    /// lives as long as libnghttp2's.
    @inline(__always)
    private static func with<R>(
        _ user: UnsafeMutableRawPointer?, otherwise: R, _ body: (HTTP2Session) -> R
    ) -> R {
        guard let user = unsafe user else { return otherwise }
        return unsafe Unmanaged<HTTP2Session>.fromOpaque(user)._withUnsafeGuaranteedRef(body)
    }

    @inline(__always)
    static func stream(_ user: UnsafeMutableRawPointer?) -> HTTP2Stream? {
        guard let user = unsafe user else { return nil }
        return unsafe Unmanaged<HTTP2Stream>.fromOpaque(user).takeUnretainedValue()
    }
}
