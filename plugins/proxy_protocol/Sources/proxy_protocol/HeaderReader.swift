/// Reads a PROXY protocol header of either version, as haproxy.org's `proxy-protocol.txt` (2020/03/05) has it, from
/// bytes that come in any pieces.
///
/// A state machine without I/O: it takes the bytes of the header and not one more, so that what follows is untouched.
struct HeaderReader: ~Copyable {
    /// What is accepted.
    struct Rules: Sendable {
        /// The most bytes that a header of version 2 may have behind its first 16.
        var maxLength = 4096
        /// Which versions.
        var acceptsV1 = true
        var acceptsV2 = true
    }

    /// How far it is after some bytes.
    enum Result: Equatable {
        /// More bytes are needed.
        case needMore
        /// These are other bytes than a header, beginning with the first one.
        case absent
        /// The header is complete.
        case complete(ProxyHeader)
        /// A header that must not be believed; the word says why.
        case malformed(Problem)
    }

    /// Why a header is refused.
    enum Problem: Equatable, CaseIterable {
        case badText, tooLong, badCommand, badLength, badTLV, badChecksum, versionNotAccepted
    }

    private let rules: Rules
    private(set) var bytes: [UInt8] = []

    init(_ rules: Rules = Rules()) { self.rules = rules }

    /// The longest header of version 1, with its line end.
    static let longestV1 = 107

    /// Takes bytes up to the end of the header.
    ///
    /// - Parameters:
    ///   - count: how many bytes there are.
    ///   - byte: the byte at an offset.
    /// - Returns: how far it is, and how many of the bytes belong to the header; those that turned out not to be one
    ///   are in ``bytes``.
    mutating func take(_ count: Int, _ byte: (Int) -> UInt8) -> (result: Result, used: Int) {
        var used = 0
        while used < count {
            bytes.append(byte(used))
            used += 1
            let result = look()
            if result != .needMore { return (result, used) }
        }
        return (.needMore, used)
    }

    private func look() -> Result {
        let signature = bytes[0] == V2.signature[0] ? V2.signature : V1.signature
        let known = min(bytes.count, signature.count)
        guard bytes[..<known] == signature[..<known] else { return .absent }
        guard bytes.count >= signature.count else { return .needMore }
        return bytes[0] == V2.signature[0] ? lookAtV2() : lookAtV1()
    }

    private func lookAtV1() -> Result {
        guard rules.acceptsV1 else { return .malformed(.versionNotAccepted) }
        guard bytes.last == 0x0A else {
            // A CR stands before the end and nowhere else.
            if bytes.count >= 2, bytes[bytes.count - 2] == 0x0D { return .malformed(.badText) }
            return bytes.count < Self.longestV1 ? .needMore : .malformed(.tooLong)
        }
        guard bytes.count >= 2, bytes[bytes.count - 2] == 0x0D else { return .malformed(.badText) }
        return V1.read(bytes.dropLast(2)).map { .complete($0) } ?? .malformed(.badText)
    }

    private func lookAtV2() -> Result {
        guard rules.acceptsV2 else { return .malformed(.versionNotAccepted) }
        guard bytes.count >= V2.fixedLength else { return .needMore }
        let length = Int(bytes[14]) << 8 | Int(bytes[15])
        if bytes.count == V2.fixedLength, let problem = V2.problem(bytes, length: length, rules.maxLength) {
            return .malformed(problem)
        }
        return bytes.count == V2.fixedLength + length ? V2.read(bytes) : .needMore
    }
}
