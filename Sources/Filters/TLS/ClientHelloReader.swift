internal import FilterAPI

/// Looks into the first bytes of a connection: whether they are TLS, and what the client's first message says.
///
/// Does no I/O and decrypts nothing: it is shown bytes as they come, in pieces of any size, and keeps a copy of the
/// message only. The bytes stay the caller's, to be passed on to whoever ends TLS.
///
/// Its memory is bounded, and so is what it has to be shown: a message of at most 16 KiB, in records of which each has
/// at least one byte, except for 32 empty ones.
public struct ClientHelloReader: Sendable {
    /// What is known after the bytes so far.
    public enum Answer: Sendable, Equatable {
        /// Nothing yet.
        case needMore
        /// The client speaks something else.
        case notTLS
        /// It looks like TLS, but no client may say this; with a stable word for what is wrong.
        case malformed(StaticString)
        /// The whole message has come.
        case hello(ClientHello)

        /// The same case with the same content.
        public static func == (left: Answer, right: Answer) -> Bool {
            switch (left, right) {
            case (.needMore, .needMore), (.notTLS, .notTLS): true
            case (.hello(let left), .hello(let right)): left == right
            case (.malformed(let left), .malformed(let right)): left.description == right.description
            default: false
            }
        }
    }

    /// The largest message that is read, without its four bytes of header.
    public static let mostBytes = 16 * 1024
    private static let mostEmptyRecords = 32
    private static let headerSize = 5
    private static let handshakeHeaderSize = 4

    private var answer = Answer.needMore
    /// The header of the record that is being read: type, version, length.
    private var header: [5 of UInt8] = .init(repeating: 0)
    private var headerCount = 0
    /// What the record still has.
    private var recordLeft = 0
    private var emptyRecords = 0
    private var message: [UInt8] = []

    /// A reader that has seen nothing.
    public init() {}

    /// Takes the next bytes. Once the answer is another than `needMore` it stays, and further bytes change nothing.
    public mutating func read(_ bytes: RawSpan) -> Answer {
        var index = 0
        while index < bytes.byteCount, answer == .needMore {
            if headerCount < Self.headerSize {
                headerByte(bytes.byte(at: index))
                index += 1
            } else {
                let count = min(recordLeft, bytes.byteCount - index)
                payload(bytes.extracting(index..<(index + count)))
                index += count
            }
        }
        return answer
    }

    private mutating func headerByte(_ byte: UInt8) {
        let isFirst = message.isEmpty && emptyRecords == 0
        header[headerCount] = byte
        headerCount += 1
        switch headerCount {
        case 1 where byte != 22, 2 where byte != 3:
            // 22 is a handshake, 3 the major version that all of SSL 3 and TLS have. Others do not begin like this.
            answer = isFirst ? .notTLS : .malformed("tls.hello_interrupted")
        case Self.headerSize: beginRecord()
        default: break
        }
    }

    private mutating func beginRecord() {
        recordLeft = Int(header[3]) << 8 | Int(header[4])
        if recordLeft > 1 << 14 {
            answer = .malformed("tls.record_too_large")
            return
        }
        guard recordLeft == 0 else { return }
        emptyRecords += 1
        headerCount = 0
        if emptyRecords > Self.mostEmptyRecords { answer = .malformed("tls.empty_records") }
    }

    private mutating func payload(_ bytes: RawSpan) {
        for index in 0..<bytes.byteCount { message.append(bytes.byte(at: index)) }
        recordLeft -= bytes.byteCount
        if recordLeft == 0 { headerCount = 0 }
        // 1 is the kind of message that a client begins with.
        if message[0] != 1 {
            answer = .malformed("tls.no_client_hello")
            return
        }
        guard message.count >= Self.handshakeHeaderSize else { return }
        let length = Int(message[1]) << 16 | Int(message[2]) << 8 | Int(message[3])
        if length > Self.mostBytes {
            answer = .malformed("tls.hello_too_large")
            return
        }
        let end = Self.handshakeHeaderSize + length
        guard message.count >= end else { return }
        var parser = ClientHelloParser(message[Self.handshakeHeaderSize..<end])
        answer = parser.parse()
        message = []
    }
}
