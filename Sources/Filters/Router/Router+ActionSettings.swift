public import FilterAPI

extension Router {
    /// An answer that sends the client elsewhere. What is not said here stays as in the request.
    public struct RedirectSettings: SettingsStruct {
        /// 301, 302, 303, 307 or 308.
        public var status = 301
        /// `http` or `https`.
        public var scheme: String?
        /// The host, without a port.
        public var host: String?
        /// The port.
        public var port: Int?
        /// The whole path; a query in it takes the place of the request's.
        public var path: String?
        /// What takes the place of the part of the path that the route matched.
        public var prefix: String?
        /// Whether the query is dropped.
        public var stripQuery = false

        /// To where the request came from.
        public init() {}

        /// A scheme or a path: `redirect: https`, `redirect: /elsewhere`.
        public init?(shorthand: String) {
            if shorthand.hasPrefix("/") {
                path = shorthand
            } else if shorthand == "http" || shorthand == "https" {
                scheme = shorthand
            } else {
                return nil
            }
        }

        /// Checks each part.
        public func validate(_ check: inout SettingsCheck) {
            if ![301, 302, 303, 307, 308].contains(status) {
                check.error("status", "\(status) does not redirect", hint: "one of 301, 302, 303, 307, 308")
            }
            if let scheme, scheme != "http", scheme != "https" { check.error("scheme", "expected `http` or `https`") }
            if let host, !HostPattern.isHost(host) { check.error("host", "`\(host)` is not a host name") }
            if let port, port < 1 || port > 65_535 { check.error("port", "a port is between 1 and 65535") }
            if path != nil, prefix != nil { check.error("prefix", "`path` and `prefix` exclude each other") }
            for (key, text) in [("path", path), ("prefix", prefix)] {
                guard let text else { continue }
                if let problem = PathText.problem(text) { check.error(key, problem) }
            }
            if scheme == nil, host == nil, port == nil, path == nil, prefix == nil, !stripQuery {
                check.error(
                    "", "the client would be sent to where it came from",
                    hint: "give it one of `scheme`, `host`, `port`, `path`, `prefix`")
            }
        }
    }

    /// An answer that Sluice gives itself.
    public struct RespondSettings: SettingsStruct {
        /// The status, 200 to 599.
        public var status = 200
        /// The body.
        public var body = ""
        /// The body's type.
        public var contentType = "text/plain"

        /// 200 without a body.
        public init() {}

        /// A status: `respond: 404`.
        public init?(shorthand: String) {
            guard let status = Int(shorthand) else { return nil }
            self.status = status
        }

        /// Checks that the parts make a response.
        public func validate(_ check: inout SettingsCheck) {
            if status < 200 || status > 599 { check.error("status", "a status is between 200 and 599") }
            if !body.isEmpty, Status(status).forbidsBody { check.error("body", "a response \(status) has no body") }
            if !contentType.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7F }) {
                check.error("content_type", "expected printable ASCII")
            }
        }
    }

    /// Changes to where a request goes, before the cluster gets it.
    public struct RewriteSettings: SettingsStruct {
        /// What takes the place of the part of the path that the route matched.
        public var prefix: String?
        /// The whole path; the query stays.
        public var path: String?
        /// A replacement in the path.
        public var regex: ReplaceSettings?
        /// The host, with a port if need be.
        public var host: String?

        /// No changes.
        public init() {}

        var isEmpty: Bool { prefix == nil && path == nil && regex == nil && host == nil }

        /// Checks each part.
        public func validate(_ check: inout SettingsCheck) {
            let paths = [prefix.map { _ in "prefix" }, path.map { _ in "path" }, regex.map { _ in "regex" }]
                .compactMap { $0 }
            if paths.count > 1 { check.error(paths[1], "`\(paths[0])` and `\(paths[1])` exclude each other") }
            for (key, text) in [("prefix", prefix), ("path", path)] {
                guard let text else { continue }
                if let problem = PathText.problem(text) {
                    check.error(key, problem)
                } else if text.utf8.contains(UInt8(ascii: "?")) {
                    check.error(key, "the query is not part of the path")
                }
            }
            if let host, !HostPattern.isAuthority(host) { check.error("host", "`\(host)` is not a host name") }
        }
    }

    /// The first match of an expression in the path is replaced.
    public struct ReplaceSettings: SettingsStruct {
        /// An expression (RE2).
        public var pattern = ""
        /// What takes the place of the match; `\1` is what the first group matched.
        public var with = ""

        /// Nothing yet.
        public init() {}

        /// Checks that the two fit together.
        public func validate(_ check: inout SettingsCheck) {
            if pattern.isEmpty {
                check.error("pattern", "there is no expression")
                return
            }
            do throws(Pattern.Problem) {
                let pattern = try Pattern(pattern)
                if let problem = pattern.problem(withReplacement: with) {
                    check.error("with", "the replacement does not fit the pattern: \(problem)")
                }
            } catch {
                check.error("pattern", "the expression cannot be used: \(error.message) (at byte \(error.offset))")
            }
        }
    }

    /// What a request is hashed by; the first that the request has counts.
    public struct HashSettings: SettingsStruct {
        /// A header field.
        public var header: String?
        /// A cookie.
        public var cookie: String?
        /// The client's address.
        public var source = false

        /// Nothing yet.
        public init() {}

        /// The client's address: `hash: source`.
        public init?(shorthand: String) {
            guard shorthand == "source" else { return nil }
            source = true
        }

        /// Checks that there is something to hash.
        public func validate(_ check: inout SettingsCheck) {
            if header == nil, cookie == nil, !source {
                check.error("", "there is nothing to hash", hint: "one of `header`, `cookie`, `source`")
            }
            if let header, HeaderName(header) == nil {
                check.error("header", "`\(header)` cannot be the name of a header field")
            }
            if let cookie, cookie.isEmpty || !cookie.utf8.allSatisfy(HeaderName.isTokenByte) {
                check.error("cookie", "`\(cookie)` cannot be the name of a cookie")
            }
        }
    }
}

/// Paths in settings.
enum PathText {
    /// Why a text cannot be a path; nil where it can.
    static func problem(_ text: String) -> String? {
        if !text.hasPrefix("/") { return "a path begins with `/`" }
        if !text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "#") }) {
            return "a path is printable ASCII without spaces and `#`"
        }
        return nil
    }
}
