/// What a client says about content codings (RFC 9110 section 12.5.3); for filters that compress.
///
/// Weights are in thousandths; where a coding is listed twice, the lower one counts: what is not wanted is never sent.
public struct AcceptEncoding: Sendable {
    /// Whether there is such a field.
    public private(set) var isPresent = false
    /// Whether something in it could not be read. It counts as if it were not there.
    public private(set) var isMalformed = false
    private var gzip = unlisted
    private var deflate = unlisted
    private var brotli = unlisted
    private var identity = unlisted
    private var any = unlisted

    private static let unlisted: Int16 = -1

    /// What follows for a coding.
    public enum Verdict: UInt8, Sendable {
        /// There is no field. Any coding would do, but clients of this kind rather expect none.
        case noHeader
        /// It names the coding, and does not rather have none.
        case named
        /// It accepts anything.
        case wildcard
        /// It does not accept the coding, or rather has none.
        case identity
        /// It could not be read.
        case notValid
    }

    /// Reads all fields of a request.
    public init(_ headers: borrowing Headers) {
        var index = headers.index(of: .acceptEncoding)
        while index >= 0 {
            isPresent = true
            add(headers.value(at: index))
            index = headers.index(of: .acceptEncoding, from: index + 1)
        }
    }

    /// What follows for a coding.
    public func verdict(for coding: ContentCoding) -> Verdict {
        guard isPresent else { return .noHeader }
        let weight = weight(of: coding)
        if accepts(coding) {
            if weight == Self.unlisted { return identity > any ? .identity : .wildcard }
            return identity > weight ? .identity : .named
        }
        return isMalformed && weight == Self.unlisted ? .notValid : .identity
    }

    /// Whether a body in a coding may be sent.
    public func accepts(_ coding: ContentCoding) -> Bool {
        let weight = weight(of: coding)
        return (weight == Self.unlisted ? any : weight) > 0
    }

    private func weight(of coding: ContentCoding) -> Int16 {
        switch coding {
        case .gzip: gzip
        case .deflate: deflate
        case .brotli: brotli
        }
    }

    private mutating func add(_ list: RawSpan) {
        var start = 0
        while start <= list.byteCount {
            let comma = list.firstIndex(of: UInt8(ascii: ","), from: start)
            let end = comma < 0 ? list.byteCount : comma
            addMember(ASCII.trimmed(list.extracting(start..<end)))
            start = end + 1
        }
    }

    private mutating func addMember(_ member: RawSpan) {
        if member.byteCount == 0 { return }
        let semicolon = member.firstIndex(of: UInt8(ascii: ";"))
        let end = semicolon < 0 ? member.byteCount : semicolon
        var weight: Int16 = 1000
        if semicolon >= 0 {
            guard let read = Self.weight(member.extracting(end + 1..<member.byteCount)) else {
                isMalformed = true
                return
            }
            weight = read
        }
        let coding = ASCII.trimmed(member.extracting(0..<end))
        if ASCII.equalIgnoringCase(coding, "gzip") || ASCII.equalIgnoringCase(coding, "x-gzip") {
            Self.lower(&gzip, to: weight)
        } else if ASCII.equalIgnoringCase(coding, "deflate") {
            Self.lower(&deflate, to: weight)
        } else if ASCII.equalIgnoringCase(coding, "br") {
            Self.lower(&brotli, to: weight)
        } else if ASCII.equalIgnoringCase(coding, "identity") {
            Self.lower(&identity, to: weight)
        } else if ASCII.equal(coding, "*") {
            Self.lower(&any, to: weight)
        }
    }

    private static func lower(_ weight: inout Int16, to other: Int16) {
        weight = weight == unlisted ? other : min(weight, other)
    }

    /// `q=0.5` (RFC 9110 section 12.4.2); nil for anything else.
    private static func weight(_ text: RawSpan) -> Int16? {
        let text = ASCII.trimmed(text)
        guard text.byteCount >= 3, ASCII.lower(text.byte(at: 0)) == UInt8(ascii: "q"),
            text.byte(at: 1) == UInt8(ascii: "="), text.byteCount <= 7
        else { return nil }
        let whole = text.byte(at: 2) &- UInt8(ascii: "0")
        guard whole <= 1 else { return nil }
        var weight = Int16(whole) * 1000
        if text.byteCount == 3 { return weight }
        guard text.byte(at: 3) == UInt8(ascii: ".") else { return nil }
        var unit: Int16 = 100
        for index in 4..<text.byteCount {
            let digit = text.byte(at: index) &- UInt8(ascii: "0")
            guard digit <= 9 else { return nil }
            weight += Int16(digit) * unit
            unit /= 10
        }
        return weight <= 1000 ? weight : nil
    }
}
