internal import FilterAPI

/// Answers from here in the form that gRPC clients read: status 200, and the outcome in the head, which is the whole
/// answer (gRPC over HTTP/2, Trailers-Only).
enum GRPCReply {
    /// Whether a head is one for anybody: a filter that answers a call well has made the message itself.
    static func isWanted(_ head: borrowing ResponseHead) -> Bool {
        head.status.code >= 300 || head.headers.contains(.grpcStatus) && !head.headers.isGRPC
    }

    /// Turns a head that was made for anybody into one for a gRPC client.
    ///
    /// - Parameters:
    ///   - head: the head; what it has of `grpc-status` and `grpc-message` stays.
    ///   - outcome: the status where the head has none; nil for what the status of HTTP means.
    ///   - text: what would have been the body.
    static func shape(_ head: inout ResponseHead, outcome: GRPCStatus?, text: String) {
        fill(&head.headers, outcome: outcome ?? GRPCStatus(for: head.status), text: text)
        head.headers.set(.contentType, "application/grpc")
        head.headers.remove(.contentLength)
        head.status = 200
        head.bodyLength = .none
    }

    /// Says how a call has ended, where the fields do not say it already.
    static func fill(_ fields: inout Headers, outcome: GRPCStatus, text: String) {
        if !fields.contains(.grpcStatus) { fields.set(.grpcStatus, outcome.code) }
        if !fields.contains(.grpcMessage) { fields.set(.grpcMessage, encoded(text)) }
    }

    /// What a fault means to a gRPC client, where the status of HTTP does not tell; nil elsewhere.
    static func outcome(of fault: Fault) -> GRPCStatus? {
        fault.kind == .upstreamTimeout ? .deadlineExceeded : nil
    }

    /// Whether an answer that has begun can end with trailers that its client is sure to read.
    static func canEnd(_ head: borrowing ResponseHead, isHTTP2: Bool) -> Bool {
        guard head.status == 200, !head.headers.contains(.contentLength) else { return false }
        if isHTTP2, head.headers.isGRPC { return true }
        let isWeb = head.headers.withValue(.contentType) { type in
            type.byteCount >= 20 && ASCII.equalIgnoringCase(type.extracting(0..<20), "application/grpc-web")
        }
        return isWeb ?? false
    }

    /// Percent-encodes all but printable ASCII, and the end of the line away (gRPC over HTTP/2, Status-Message).
    static func encoded(_ text: String) -> String {
        var bytes = text.utf8[...]
        while bytes.last == UInt8(ascii: "\n") { bytes = bytes.dropLast() }
        let digits = Array("0123456789ABCDEF")
        var encoded = ""
        for byte in bytes {
            if byte >= 0x20, byte <= 0x7E, byte != UInt8(ascii: "%") {
                encoded.unicodeScalars.append(Unicode.Scalar(byte))
            } else {
                encoded += "%\(digits[Int(byte >> 4)])\(digits[Int(byte & 15)])"
            }
        }
        return encoded
    }
}
