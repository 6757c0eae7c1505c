public import FilterAPI

extension Router {
    /// Which requests a route takes: those for which all that is said here is true.
    public struct MatchSettings: SettingsStruct {
        /// Names, `*.suffix` for all names below one, or `*`. Letters' case and the request's port do not matter.
        public var host: [String] = []
        /// The whole path.
        public var path: String?
        /// How the path begins, letter by letter: `/v1` is also the beginning of `/v10`.
        public var prefix: String?
        /// An expression (RE2) for the whole path.
        public var regex: String?
        /// Methods; all of them where none is named.
        public var methods: [String] = []
        /// Tests of header fields.
        public var headers: [String: ValueSettings] = [:]
        /// Tests of parameters in the query.
        public var query: [String: ValueSettings] = [:]

        /// A test of the host name that the client asked for in TLS; letters' case does not matter.
        public var serverName: ValueSettings?
        /// Tests of the certificate that the client has shown.
        public var clientCertificate: ClientCertificateSettings?

        /// Every request.
        public init() {}

        var hasPath: Bool { path != nil || prefix != nil || regex != nil }

        var isEverything: Bool {
            !hasPath && methods.isEmpty && headers.isEmpty && query.isEmpty && (host.isEmpty || host.contains("*"))
                && serverName == nil && clientCertificate == nil
        }

        /// Checks each test.
        public func validate(_ check: inout SettingsCheck) {
            for (index, host) in host.enumerated() {
                if let problem = HostPattern.problem(host) { check.error("host[\(index)]", problem) }
            }
            let paths = [path.map { _ in "path" }, prefix.map { _ in "prefix" }, regex.map { _ in "regex" }]
                .compactMap { $0 }
            if paths.count > 1 { check.error(paths[1], "`\(paths[0])` and `\(paths[1])` exclude each other") }
            for (key, text) in [("path", path), ("prefix", prefix)] {
                guard let text else { continue }
                if !text.hasPrefix("/") { check.error(key, "a path begins with `/`") }
                if text.utf8.contains(where: { $0 == UInt8(ascii: "?") || $0 == UInt8(ascii: "#") }) {
                    check.error(key, "the query is not part of the path", hint: "test it under `query`")
                }
            }
            if let regex { PatternCheck.check(regex, at: "regex", &check) }
            for (index, method) in methods.enumerated() {
                if method.isEmpty || !method.utf8.allSatisfy(HeaderName.isTokenByte) {
                    check.error("methods[\(index)]", "`\(method)` cannot be a method")
                } else if method != method.uppercased() {
                    check.warning(
                        "methods[\(index)]", "methods are case-sensitive",
                        hint: "did you mean `\(method.uppercased())`?")
                }
            }
            for name in headers.keys where HeaderName(name) == nil {
                check.error("headers.\(name)", "`\(name)` cannot be the name of a header field")
            }
        }
    }

    /// A test of one value: of a header field, a parameter or a name.
    public struct ValueSettings: SettingsStruct {
        /// The whole value.
        public var exact: String?
        /// Whether there is a value at all.
        public var present: Bool?
        /// How it begins.
        public var prefix: String?
        /// How it ends.
        public var suffix: String?
        /// What is somewhere in it.
        public var contains: String?
        /// An expression (RE2) for the whole value.
        public var regex: String?
        /// Whether the test must fail.
        public var invert = false

        /// No test.
        public init() {}

        /// The whole value: `x-version: "2"`.
        public init?(shorthand: String) { exact = shorthand }

        /// Checks that there is exactly one test.
        public func validate(_ check: inout SettingsCheck) {
            let tests = [
                exact.map { _ in "exact" }, present.map { _ in "present" }, prefix.map { _ in "prefix" },
                suffix.map { _ in "suffix" }, contains.map { _ in "contains" }, regex.map { _ in "regex" },
            ].compactMap { $0 }
            if tests.isEmpty {
                check.error(
                    "", "there is no test", hint: "one of `exact`, `present`, `prefix`, `suffix`, `contains`, `regex`")
            } else if tests.count > 1 {
                check.error(tests[1], "`\(tests[0])` and `\(tests[1])` exclude each other")
            }
            if let regex { PatternCheck.check(regex, at: "regex", &check) }
        }
    }
}

/// Reports what is wrong with patterns.
enum PatternCheck {
    static func check(_ text: String, at key: String, _ check: inout SettingsCheck) {
        do throws(Pattern.Problem) {
            _ = try Pattern(text)
        } catch {
            check.error(key, "the expression cannot be used: \(error.message) (at byte \(error.offset))")
        }
    }
}
