/// The two messages of `grpc.health.v1`, in Protocol Buffers, with the five bytes that gRPC puts before each.
enum HealthMessage {
    /// How a service is, in the words of the protocol.
    enum Status: String {
        case unknown = "UNKNOWN"
        case serving = "SERVING"
        case notServing = "NOT_SERVING"
        case serviceUnknown = "SERVICE_UNKNOWN"
    }

    /// No answer is so long.
    static let limit = 4096

    /// `message HealthCheckRequest { string service = 1; }`
    static func request(for service: String) -> [UInt8] {
        var message: [UInt8] = []
        if !service.isEmpty {
            message.append(0x0A)
            var count = service.utf8.count
            while count > 0x7F {
                message.append(UInt8(truncatingIfNeeded: count) | 0x80)
                count >>= 7
            }
            message.append(UInt8(count))
            message += service.utf8
        }
        return [0] + (0..<4).map { UInt8(truncatingIfNeeded: message.count >> (24 - 8 * $0)) } + message
    }

    /// `message HealthCheckResponse { ServingStatus status = 1; }`; other fields are passed over.
    ///
    /// - Returns: nil where the bytes are not exactly one message that is not compressed.
    static func status(in bytes: [UInt8]) -> Status? {
        guard bytes.count >= 5, bytes[0] == 0, bytes[1..<5].reduce(0, { $0 << 8 | Int($1) }) == bytes.count - 5 else {
            return nil
        }
        var rest = bytes[5...]
        var number: UInt64 = 0
        while !rest.isEmpty {
            guard let tag = varint(&rest) else { return nil }
            if tag == 0x08 {
                guard let value = varint(&rest) else { return nil }
                number = value
            } else if tag >> 3 == 0 || !skip(&rest, type: tag & 7) {
                return nil
            }
        }
        switch number {
        case 1: return .serving
        case 2: return .notServing
        case 3: return .serviceUnknown
        default: return .unknown
        }
    }

    private static func varint(_ bytes: inout ArraySlice<UInt8>) -> UInt64? {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while let byte = bytes.popFirst() {
            guard shift < 64 else { return nil }
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return value }
            shift += 7
        }
        return nil
    }

    /// - Returns: whether there is a whole field of this type.
    private static func skip(_ bytes: inout ArraySlice<UInt8>, type: UInt64) -> Bool {
        let count: UInt64
        switch type {
        case 0: return varint(&bytes) != nil
        case 1: count = 8
        case 2:
            guard let length = varint(&bytes) else { return false }
            count = length
        case 5: count = 4
        default: return false
        }
        guard count <= UInt64(bytes.count) else { return false }
        bytes.removeFirst(Int(count))
        return true
    }
}
