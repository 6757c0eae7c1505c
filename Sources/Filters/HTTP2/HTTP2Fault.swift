internal import CNGHTTP2
internal import FilterAPI

/// What numbers of the protocol and of libnghttp2 mean as faults.
enum HTTP2Fault {
    /// The peer has given a stream up.
    static func ofReset(_ code: UInt32, _ role: HTTP2Session.Role) -> Fault {
        if role == .server {
            return Fault(.clientGone, code == cancel ? "http2.stream_cancelled" : "http2.stream_reset")
        }
        switch code {
        // Nothing was done with the request (RFC 9113 section 8.7).
        case refused: return Fault(.upstreamReset, "http2.stream_refused", replay: .always)
        case cancel: return Fault(.upstreamReset, "http2.stream_cancelled", replay: .ifIdempotent)
        case protocolError: return Fault(.upstreamProtocol, "http2.stream_protocol_error", replay: .never)
        default: return Fault(.upstreamReset, "http2.stream_reset", replay: .ifIdempotent)
        }
    }

    private static let protocolError = UInt32(NGHTTP2_PROTOCOL_ERROR.rawValue)
    private static let refused = UInt32(NGHTTP2_REFUSED_STREAM.rawValue)
    private static let cancel = UInt32(NGHTTP2_CANCEL.rawValue)

    /// The connection cannot go on, for what libnghttp2 says.
    static func ofConnection(_ error: Int, _ role: HTTP2Session.Role) -> Fault {
        let kind: Fault.Kind = role == .server ? .badRequest : .upstreamProtocol
        let reason: StaticString =
            switch Int32(error) {
            case NGHTTP2_ERR_BAD_CLIENT_MAGIC.rawValue: "http2.bad_preface"
            case NGHTTP2_ERR_FLOODED.rawValue: "http2.flooded"
            case NGHTTP2_ERR_TOO_MANY_CONTINUATIONS.rawValue: "http2.continuation_flood"
            case NGHTTP2_ERR_FLOW_CONTROL.rawValue: "http2.flow_control_error"
            case NGHTTP2_ERR_FRAME_SIZE_ERROR.rawValue: "http2.frame_size_error"
            case NGHTTP2_ERR_HEADER_COMP.rawValue: "http2.compression_error"
            case NGHTTP2_ERR_STREAM_CLOSED.rawValue: "http2.stream_closed"
            case NGHTTP2_ERR_TOO_MANY_SETTINGS.rawValue: "http2.too_many_settings"
            case NGHTTP2_ERR_NOMEM.rawValue: "http2.out_of_memory"
            default: "http2.protocol_error"
            }
        return Fault(kind, reason)
    }

    /// libnghttp2 has ended the connection, with this code in its GOAWAY.
    static func ofConnection(code: UInt32, _ role: HTTP2Session.Role) -> Fault {
        Fault(role == .server ? .badRequest : .upstreamProtocol, reason(of: code))
    }

    /// libnghttp2 has given a stream up, with this code, for what the peer has done.
    static func ofStream(code: UInt32, _ role: HTTP2Session.Role) -> Fault {
        Fault(role == .server ? .clientGone : .upstreamProtocol, reason(of: code), replay: .never)
    }

    private static func reason(of code: UInt32) -> StaticString {
        switch code {
        case NGHTTP2_FLOW_CONTROL_ERROR.rawValue: "http2.flow_control_error"
        case NGHTTP2_STREAM_CLOSED.rawValue: "http2.stream_closed"
        case NGHTTP2_FRAME_SIZE_ERROR.rawValue: "http2.frame_size_error"
        case NGHTTP2_COMPRESSION_ERROR.rawValue: "http2.compression_error"
        // The latter is what it says of its own limit of streams that are reset.
        case NGHTTP2_ENHANCE_YOUR_CALM.rawValue, NGHTTP2_INTERNAL_ERROR.rawValue: "http2.flooded"
        default: "http2.protocol_error"
        }
    }

    /// Whether a stream is given up with this code for what the peer has done.
    static func isBlame(_ code: UInt32) -> Bool {
        switch code {
        case NGHTTP2_PROTOCOL_ERROR.rawValue, NGHTTP2_FLOW_CONTROL_ERROR.rawValue, NGHTTP2_STREAM_CLOSED.rawValue,
            NGHTTP2_FRAME_SIZE_ERROR.rawValue, NGHTTP2_COMPRESSION_ERROR.rawValue:
            true
        default: false
        }
    }

    /// The code of the GOAWAY for what libnghttp2 says.
    static func code(of error: Int) -> UInt32 {
        let code: nghttp2_error_code =
            switch Int32(error) {
            case NGHTTP2_ERR_FLOODED.rawValue, NGHTTP2_ERR_TOO_MANY_CONTINUATIONS.rawValue,
                NGHTTP2_ERR_TOO_MANY_SETTINGS.rawValue:
                NGHTTP2_ENHANCE_YOUR_CALM
            case NGHTTP2_ERR_FLOW_CONTROL.rawValue: NGHTTP2_FLOW_CONTROL_ERROR
            case NGHTTP2_ERR_FRAME_SIZE_ERROR.rawValue: NGHTTP2_FRAME_SIZE_ERROR
            case NGHTTP2_ERR_HEADER_COMP.rawValue: NGHTTP2_COMPRESSION_ERROR
            case NGHTTP2_ERR_STREAM_CLOSED.rawValue: NGHTTP2_STREAM_CLOSED
            case NGHTTP2_ERR_NOMEM.rawValue, NGHTTP2_ERR_CALLBACK_FAILURE.rawValue: NGHTTP2_INTERNAL_ERROR
            default: NGHTTP2_PROTOCOL_ERROR
            }
        return UInt32(code.rawValue)
    }

    /// A message could not be handed to libnghttp2.
    static func ofSending(_ error: Int, _ role: HTTP2Session.Role) -> Fault {
        if role == .client {
            // There are no more numbers, or the connection is about to end: another one will do.
            return Fault(.upstreamClosed, "http2.cannot_send", replay: .always)
        }
        return Fault(.clientGone, "http2.cannot_send")
    }

    /// The code with which a stream is given up for a fault.
    static func code(of fault: Fault) -> nghttp2_error_code {
        switch fault.kind {
        case .clientGone: NGHTTP2_CANCEL
        case .draining, .overloaded: NGHTTP2_REFUSED_STREAM
        case .badRequest: NGHTTP2_PROTOCOL_ERROR
        default: NGHTTP2_INTERNAL_ERROR
        }
    }
}
