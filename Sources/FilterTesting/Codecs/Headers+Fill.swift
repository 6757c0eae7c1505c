public import FilterAPI

extension Headers {
    /// Adds fields, in order. A name that is no token is a mistake in the test.
    public mutating func fill(_ fields: KeyValuePairs<String, String>) {
        fill(fields.map { ($0.key, $0.value) })
    }

    /// Adds fields, in order. A name that is no token is a mistake in the test.
    public mutating func fill(_ fields: [(name: String, value: String)]) {
        for (name, value) in fields {
            guard let name = HeaderName(name) else { preconditionFailure("\(name) is not a field name") }
            add(name, value)
        }
    }
}

extension RequestHead {
    /// A request, as a codec would have read it.
    ///
    /// - Parameters:
    ///   - method: the method.
    ///   - target: path and query.
    ///   - fields: the fields; `Host` comes first where it is not among them.
    public static func fake(
        _ method: String = "GET", _ target: String = "/", host: String = "a.test",
        fields: KeyValuePairs<String, String> = [:]
    ) -> RequestHead {
        var head = RequestHead()
        head.setMethod(method)
        head.setTarget(target)
        if !host.isEmpty { head.setAuthority(host) }
        head.headers.fill(fields)
        return head
    }
}
