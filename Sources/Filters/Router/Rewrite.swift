internal import FilterAPI

/// Changes a request's path and host before its cluster gets it.
struct Rewrite {
    private var path: PathChange?
    private var host: String?

    /// - Returns: nil where there is nothing to change.
    init?(_ settings: Router.RewriteSettings, matched: Router.MatchSettings) throws(ConfigurationFault) {
        if settings.isEmpty { return nil }
        host = settings.host
        if let prefix = settings.prefix {
            path = .prefix(prefix, count: (matched.prefix ?? matched.path ?? "").utf8.count)
        } else if let whole = settings.path {
            path = .whole(whole)
        } else if let regex = settings.regex {
            do throws(Pattern.Problem) {
                path = .pattern(try Pattern(regex.pattern), with: regex.with)
            } catch {
                throw ConfigurationFault(error.message, key: "rewrite.regex.pattern")
            }
        }
    }

    /// Changes a request; the path that it had is kept in `x-envoy-original-path`.
    func apply(to head: inout RequestHead, scratch: inout ByteText) throws(Fault) {
        if let host, !head.setAuthority(host) { throw Fault(.filterFailed, "router.bad_rewrite") }
        // What is no path (`*`, or the target of CONNECT) stays as it is.
        guard let path, head.path.byteCount > 0, head.path.byte(at: 0) == UInt8(ascii: "/") else { return }
        scratch.removeAll()
        guard path.apply(to: head.path, into: &scratch) else { return }
        scratch.append(head.target.extracting(head.pathCount..<head.target.byteCount))
        if ASCII.equal(head.target, scratch.bytes) { return }
        head.headers.setText(.xEnvoyOriginalPath, head.targetRange)
        guard head.setTarget(scratch.bytes) else { throw Fault(.filterFailed, "router.bad_rewrite") }
    }
}
