internal import FilterAPI

/// What a route asks of a request and its connection beside host and path.
final class Conditions {
    /// One bit per known method, by its code; 0 for all methods.
    private let methods: UInt16
    private let otherMethods: [String]
    private let headers: [(name: HeaderName, test: ValueTest)]
    private let query: [(name: String, test: ValueTest)]
    private let serverName: ValueTest?
    private let certificate: CertificateTest?
    /// For the path, where it is an expression.
    let pattern: Pattern?

    /// - Returns: nil where the route asks nothing more.
    init?(_ settings: Router.MatchSettings) throws(Pattern.Problem) {
        var methods: UInt16 = 0
        var others: [String] = []
        for text in settings.methods {
            // SAFETY: the string outlives the span.
            let method = Method(named: unsafe text.utf8Span.span.bytes)
            if method == .other { others.append(text) } else { methods |= 1 << UInt16(method.code) }
        }
        // Bit 0 belongs to no method: it keeps a route for other methods only from taking all.
        if !others.isEmpty { methods |= 1 }
        self.methods = methods
        otherMethods = others
        var headers: [(HeaderName, ValueTest)] = []
        for (name, test) in settings.headers.sorted(by: { $0.key < $1.key }) {
            if let name = HeaderName(name) { headers.append((name, try ValueTest(test))) }
        }
        self.headers = headers
        var query: [(String, ValueTest)] = []
        for (name, test) in settings.query.sorted(by: { $0.key < $1.key }) {
            query.append((name, try ValueTest(test)))
        }
        self.query = query
        pattern = if let regex = settings.regex { try Pattern(regex) } else { nil }
        serverName =
            if let test = settings.serverName { try ValueTest(test.mappingTexts { $0.lowercased() }) } else { nil }
        certificate = if let test = settings.clientCertificate { try CertificateTest(test) } else { nil }
        if methods == 0, headers.isEmpty, query.isEmpty, pattern == nil, !needsConnection { return nil }
    }

    /// Whether a request passes; the path is not looked at.
    ///
    /// - Parameter scratch: memory for values that have to be put together.
    func pass(_ head: borrowing RequestHead, _ connection: ConnectionFacts, scratch: inout ByteText) -> Bool {
        if methods != 0, !passesMethod(head) { return false }
        for (name, test) in headers where !Self.passes(test, name, head.headers, &scratch) { return false }
        for (name, test) in query where !QueryText.passes(test, name, head.query, &scratch) { return false }
        return !needsConnection || passes(connection)
    }

    private var needsConnection: Bool { serverName != nil || certificate != nil }

    private func passes(_ connection: ConnectionFacts) -> Bool {
        if let serverName {
            let passes = connection.serverName.map { serverName.passes($0) } ?? serverName.passesAbsence
            if !passes { return false }
        }
        return certificate?.passes(connection.tls?.peer) ?? true
    }

    private func passesMethod(_ head: borrowing RequestHead) -> Bool {
        if head.method != .other { return methods & (1 << UInt16(head.method.code)) != 0 }
        for text in otherMethods {
            // SAFETY: the string outlives the span.
            if ASCII.equal(head.methodText, unsafe text.utf8Span.span.bytes) { return true }
        }
        return false
    }

    /// Several fields with one name are one value, joined by commas (RFC 9110 section 5.3).
    private static func passes(
        _ test: ValueTest, _ name: HeaderName, _ headers: borrowing Headers, _ scratch: inout ByteText
    ) -> Bool {
        var index = headers.index(of: name)
        guard index >= 0 else { return test.passesAbsence }
        var next = headers.index(of: name, from: index + 1)
        if next < 0 { return test.passes(headers.value(at: index)) }
        scratch.removeAll()
        scratch.append(headers.value(at: index))
        while next >= 0 {
            index = next
            scratch.append(",")
            scratch.append(headers.value(at: index))
            next = headers.index(of: name, from: index + 1)
        }
        return test.passes(scratch.bytes)
    }
}
