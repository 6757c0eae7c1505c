internal import FilterAPI

/// A request that every endpoint of a cluster is sent, and the answer that a good one gives.
struct HTTPCheckSettings: SettingsStruct, Equatable {
    /// Path and query.
    var path = ""
    /// The `Host` of the request; the endpoint as the config knows it unless it is set.
    var host: String?
    var method = "GET"
    /// Fields of the request, besides `Host`.
    var headers: [String: String] = [:]
    /// Statuses of a good endpoint, as numbers or as `200-299`.
    var expectedStatuses = ["200"]
    /// Statuses that count like no answer at all. All others make the endpoint bad at once.
    var retriableStatuses: [String] = []
    /// What the first 64 KiB of the answer's body must have somewhere; nothing unless it is set.
    var body: PayloadSettings?

    init() {}

    init?(shorthand: String) { path = shorthand }

    func validate(_ check: inout SettingsCheck) {
        var head = RequestHead()
        if path.isEmpty {
            check.error("path", "a health check over HTTP needs a path", hint: "for example `path: /healthz`")
        } else if !path.hasPrefix("/") || !head.setTarget(path) {
            check.error("path", "`\(path)` cannot be the target of a request", hint: "for example `/healthz`")
        }
        if !head.setMethod(method) {
            check.error("method", "`\(method)` cannot be a method")
        } else if head.method == .connect {
            check.error("method", "a tunnel is no check", hint: "use `tcp`")
        }
        if let host, host.isEmpty || !head.setAuthority(host) { check.error("host", "`\(host)` cannot be a host") }
        checkHeaders(&check, &head)
        if expectedStatuses.isEmpty { check.error("expected_statuses", "no answer could be good") }
        for (key, list) in [("expected_statuses", expectedStatuses), ("retriable_statuses", retriableStatuses)] {
            for (index, text) in list.enumerated() where StatusSet.range(text) == nil {
                check.error(
                    "\(key)[\(index)]", "`\(text)` is no status",
                    hint: "numbers between 200 and 599, or ranges of them such as `200-299`")
            }
        }
    }

    private func checkHeaders(_ check: inout SettingsCheck, _ head: inout RequestHead) {
        for (text, value) in headers.sorted(by: { $0.key < $1.key }) {
            guard let name = HeaderName(text) else {
                check.error("headers.\(text)", "`\(text)` cannot be the name of a header field")
                continue
            }
            if name == .host {
                check.error("headers.\(text)", "the host has a key of its own", hint: "`host: \(value)`")
            } else if Self.framing.contains(name) {
                check.error("headers.\(text)", "`\(name.text)` belongs to the connection", hint: "leave it out")
            } else if !head.headers.add(name, value) {
                check.error("headers.\(text)", "the value has bytes that a header field cannot have")
            }
        }
    }

    /// Fields by which the message's end or the connection's use is told.
    private static let framing: [HeaderName] = [
        .connection, .contentLength, .transferEncoding, .keepAlive, .te, .trailer, .upgrade, .expect,
    ]
}
