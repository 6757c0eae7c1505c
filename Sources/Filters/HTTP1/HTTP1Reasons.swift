internal import FilterAPI

/// What the reasons of HTTP/1 mean.
enum HTTP1Reasons {
    private typealias Kinds = [Fault.Kind]

    private static let client: Kinds = [.badRequest]
    private static let upstream: Kinds = [.upstreamProtocol]
    /// Heads and bodies of both sides are read by the same rules.
    private static let both: Kinds = [.badRequest, .upstreamProtocol]

    private static let hostile = """
        Who sent it: two parties may read such a message in two ways, which is how requests are smuggled, so nobody is \
        passed one on.
        """
    private static let broken = "What made the message: no library for HTTP writes one like this."

    /// Those of messages that clients send, and of the rules that both sides are read by.
    static let server: [ReasonDescription] = startLine + fields + bodies + requests + answers

    private static let startLine: [ReasonDescription] = [
        .init(
            "http1.not_http", both, "What came first is no HTTP.",
            lookAt:
                """
                Whether the other side speaks HTTP/1 here; TLS sent to a listener without `tls`, and HTTP/2 \
                without ALPN, look like this.
                """
        ),
        .init("http1.empty_lines", both, "More empty lines before a message than are overlooked.", lookAt: broken),
        .init("http1.bad_method", client, "The method is not a token.", lookAt: broken),
        .init("http1.method_too_long", client, "The method is longer than 32 bytes.", lookAt: broken),
        .init("http1.no_target", client, "There is no target behind the method.", lookAt: broken),
        .init(
            "http1.no_version", client, "There is no version behind the target: HTTP/0.9, or a space in the target.",
            lookAt: "Whether the client escapes spaces in URLs."),
        .init(
            "http1.bad_target", client,
            "The target holds a byte that cannot stand in one, or is of no form that a request may have.",
            lookAt: "Whether the client escapes what it puts into URLs."),
        .init(
            "http1.target_too_long", [.targetTooLong], "The target is longer than `max_target` of `http`.",
            lookAt: "What the client puts into its URLs; or raise `max_target`."),
        .init("http1.bad_version", both, "The version is not written as one.", lookAt: broken),
        .init(
            "http1.version_not_supported", [.versionNotSupported, .upstreamProtocol],
            "A version of HTTP that is neither 1.0 nor 1.1.", lookAt: "What the other side speaks."),
        .init(
            "http1.http10_not_accepted", [.versionNotSupported],
            "The client speaks HTTP/1.0, and `accept_http_10` says no.", lookAt: "`accept_http_10` of `http`."),
        .init(
            "http1.bad_status_line", upstream, "The first line of the answer is not one.",
            lookAt: "Whether the endpoint speaks HTTP/1; TLS without `tls` in the cluster's chain looks like this."),
        .init(
            "http1.bad_status", upstream + [.filterFailed], "The status is no number from 100 to 599.",
            lookAt: "What the upstream answers, or the filter that made the answer."),
        .init(
            "http1.bad_reason", upstream, "The words behind the status hold a control character.",
            lookAt: "What the upstream answers."),
        .init("http1.bare_lf", both, "A line ends without a carriage return.", lookAt: hostile),
        .init("http1.bare_cr", both, "A carriage return stands by itself.", lookAt: hostile),
    ]

    private static let fields: [ReasonDescription] = [
        .init(
            "http1.head_too_large", [.headTooLarge], "The request's head is larger than `max_head` of `http`.",
            lookAt: "Mostly cookies that grow; or raise `max_head`."),
        .init(
            "http1.field_too_large", [.headTooLarge] + upstream, "One field is larger than `max_header`.",
            lookAt: "Mostly a cookie or a token; or raise `max_header`."),
        .init(
            "http1.too_many_fields", [.headTooLarge] + upstream, "There are more fields than `max_headers`.",
            lookAt: "Who adds them: proxies in a circle do; or raise `max_headers`."),
        .init("http1.bad_name", both, "A field's name is not a token.", lookAt: broken),
        .init("http1.empty_name", both, "A line begins with a colon.", lookAt: broken),
        .init("http1.no_colon", both, "A line of the head has no colon.", lookAt: broken),
        .init(
            "http1.space_before_colon", both,
            """
            There is a space between a field's name and the colon.
            """, lookAt: hostile),
        .init("http1.folded_field", both, "A field goes on in the next line, which is obsolete.", lookAt: hostile),
        .init("http1.bad_value", both, "A field's value holds a control character.", lookAt: hostile),
        .init(
            "http1.underscore_in_name", client,
            "A field's name has an underscore, and `underscores_in_headers` is `reject`.",
            lookAt: "What the client sends; applications may take it for another field with a hyphen."),
        .init(
            "http1.bad_content_length", both + [.filterFailed], "`Content-Length` is no number that can be.",
            lookAt: hostile),
        .init("http1.repeated_content_length", both, "`Content-Length` is there twice.", lookAt: hostile),
        .init("http1.differing_content_lengths", both, "There are two `Content-Length` that differ.", lookAt: hostile),
        .init("http1.repeated_transfer_encoding", both, "`Transfer-Encoding` is there twice.", lookAt: hostile),
        .init(
            "http1.bad_transfer_encoding", client,
            "`Transfer-Encoding` does not end in `chunked`, so nobody knows where the body ends.", lookAt: hostile),
        .init(
            "http1.unknown_transfer_encoding", [.notImplemented] + upstream, "A transfer coding that is not `chunked`.",
            lookAt: "What the other side sends; use `Content-Encoding` for compression."),
        .init(
            "http1.length_and_transfer_encoding", both, "There are both `Content-Length` and `Transfer-Encoding`.",
            lookAt: hostile),
        .init(
            "http1.transfer_encoding_on_http10", both,
            """
            `Transfer-Encoding` in a message of HTTP/1.0.
            """, lookAt: hostile),
        .init(
            "http1.too_many_connection_options", both, "`Connection` names more fields than anybody would.",
            lookAt: broken),
        .init(
            "http1.unknown_expectation", [.expectationFailed], "`Expect` asks for something else than `100-continue`.",
            lookAt: "What the client sends."),
    ]

    private static let bodies: [ReasonDescription] = [
        .init("http1.bad_chunk_size", both, "A chunk's size is no hexadecimal number.", lookAt: hostile),
        .init("http1.chunk_too_large", both, "A chunk's size is larger than any body can be.", lookAt: hostile),
        .init("http1.bad_chunk_end", both, "A chunk does not end where its size says.", lookAt: hostile),
        .init("http1.bad_chunk_line_end", both, "The line with a chunk's size ends wrongly.", lookAt: hostile),
        .init("http1.bad_chunk_extension", both, "A chunk's extension holds a control character.", lookAt: hostile),
        .init(
            "http1.chunk_extension_too_large", both, "Chunks' extensions are larger than anybody needs.",
            lookAt: "Who sent it: it costs the sender little and a reader much."),
        .init(
            "http1.body_too_large", [.bodyTooLarge], "The body is larger than `max_body` of `http`.",
            lookAt: "What the client sends; or raise `max_body`."),
        .init(
            "http1.body_length_mismatch", [.filterFailed],
            "The body that went by is longer or shorter than its head says.",
            lookAt: "The filter that changes bodies: it has to remove `Content-Length`."),
    ]

    private static let requests: [ReasonDescription] = [
        .init(
            "http1.no_host", client, "A request of HTTP/1.1 without `Host`.",
            lookAt: "What the client sends; health checkers forget it."),
        .init("http1.repeated_host", client, "`Host` is there twice.", lookAt: hostile),
        .init(
            "http1.bad_host", client, "`Host` is no host name and port, or differs from the one in the target.",
            lookAt: hostile),
        .init(
            "http1.bad_connect_target", client, "The target of CONNECT has no port.", lookAt: "What the client sends."),
        .init("http1.connect_with_body", client, "CONNECT with a body.", lookAt: hostile),
        .init(
            "http1.asterisk_target", client, "The target is `*`, and the method is not OPTIONS.",
            lookAt: "What the client sends."),
        .init(
            "http1.https_target", [.misdirected], "The target begins with `https:`, and this listener has no TLS.",
            lookAt: "How the client is set up: it takes Sluice for a forward proxy."),
        .init(
            "http1.bad_escape", client, "A `%` in the path begins no escape.",
            lookAt: "Whether the client escapes what it puts into URLs."),
        .init("http1.escaped_nul", client, "The path holds `%00`.", lookAt: hostile),
        .init(
            "http1.escaped_slash", client, "The path holds `%2F` or `%5C`, and `escaped_slashes` is `reject`.",
            lookAt: "`escaped_slashes` of `http`, if the application needs them."),
        .init(
            "http1.head_timeout", [.requestTimeout], "The client has not sent a whole head within `head_timeout`.",
            lookAt: "The client's network; many at once from one place are an attack that ties connections up."),
        .init(
            "http1.body_timeout", [.requestTimeout],
            "Nothing of the request's body came for `body_idle_timeout`, or not all of it within `request_timeout`.",
            lookAt: "The client's network; or raise the limits for slow uploads."),
    ]

    private static let answers: [ReasonDescription] = [
        .init(
            "http1.unexpected_101", upstream, "The upstream changes protocols, and nobody has asked for it.",
            lookAt: "The upstream."),
        .init(
            "client.closed_in_head", [.clientGone], "The client has closed the connection within a request's head.",
            lookAt: "The client; scanners and health checks over TCP do so."),
        .init(
            "client.closed_in_body", [.clientGone], "The client has closed the connection within a request's body.",
            lookAt: "The client: it was stopped, or its network was."),
    ]

    /// Those of answers that only upstreams give.
    static let upstreams: [ReasonDescription] = [
        .init(
            "http1.response_head_too_large", upstream,
            "The head of the answer is larger than `max_head` of the cluster's `http`.",
            lookAt: "What the upstream sends, mostly `Set-Cookie`; or raise `max_head`."),
        .init(
            "http1.response_head_cut_short", upstream, "The upstream has closed within the head of its answer.",
            lookAt: "The upstream's log: it has crashed, or been stopped, at this time."),
        .init(
            "http1.too_many_interim_responses", upstream, "The upstream sends one interim answer (1xx) after another.",
            lookAt: "The upstream."),
        .init(
            "upstream.body_cut_short", [.upstreamClosed],
            "The upstream has closed before its answer was complete; the client's is cut off too.",
            lookAt: "The upstream's log: it has crashed, been stopped, or run into a time limit of its own."),
    ]
}
