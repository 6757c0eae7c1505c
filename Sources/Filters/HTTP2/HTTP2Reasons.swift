internal import FilterAPI

/// What the reasons of HTTP/2 mean.
enum HTTP2Reasons {
    private typealias Kinds = [Fault.Kind]

    private static let client: Kinds = [.badRequest]
    private static let both: Kinds = [.badRequest, .upstreamProtocol, .clientGone]
    private static let broken = "What made the message: no library for HTTP/2 writes one like this."
    private static let hostile = "Who the peer is: frames like these are sent to keep a server busy."

    /// Those of clients, and of the rules that both sides are read by.
    static let server: [ReasonDescription] =
        connections + floods + heads + [
            .init(
                "http2.head_timeout", [.requestTimeout], "A head was begun, and did not come whole in `head_timeout`.",
                lookAt: "Who the client is, and its network."),
            .init(
                "http2.body_timeout", [.requestTimeout], "No more of a request's body came for `body_idle_timeout`.",
                lookAt: "The client and its network; or raise `body_idle_timeout`."),
            .init(
                "http2.ping_timeout", [.clientGone], "The client did not answer a PING in `ping_timeout`.",
                lookAt: "The network between."),
            .init(
                "http2.cannot_send", [.clientGone, .upstreamClosed], "The connection ended as something was to be sent."
            ),
            .init(
                "http2.stream_cancelled", [.clientGone, .upstreamReset], "The peer gave the stream up, with CANCEL.",
                lookAt: "Timeouts of the peer."),
            .init(
                "http2.stream_reset", [.clientGone, .upstreamReset], "The peer gave the stream up.",
                lookAt: "The peer's log."),
        ]

    /// Those of upstreams.
    static let upstreams: [ReasonDescription] = [
        .init(
            "http2.stream_refused", [.upstreamReset],
            "The upstream refused the stream, and has done nothing with the request.",
            lookAt: "How many streams the upstream takes, and whether it is about to end."),
        .init(
            "http2.stream_protocol_error", [.upstreamProtocol],
            "The upstream says that the request breaks the protocol.", lookAt: "The upstream's log."),
        .init(
            "http2.upstream_ping_timeout", [.upstreamClosed], "The upstream did not answer a PING in `ping_timeout`.",
            lookAt: "The upstream, and the network between."),
        .init("http2.no_status", [.upstreamProtocol], "An answer without a status.", lookAt: broken),
        .init(
            "http2.too_many_interim_responses", [.upstreamProtocol],
            "More answers before the answer than are passed on.", lookAt: "The upstream."),
        .init(
            "http2.no_extended_connect", [.upstreamProtocol],
            "A WebSocket was asked for, and the upstream takes none over HTTP/2 (RFC 8441).",
            lookAt: "The upstream; or `protocol: http1` in the cluster's `http`."),
        .init(
            "http2.connect_to_upstream", [.notImplemented], "CONNECT is not sent to upstreams over HTTP/2.",
            lookAt: "`protocol` of the cluster's `http`."),
    ]

    private static let connections: [ReasonDescription] = [
        .init("http2.bad_preface", both, "The first bytes are not those of HTTP/2.", lookAt: "What the peer speaks."),
        .init("http2.protocol_error", both, "A frame that may not come as it is, or where it is.", lookAt: broken),
        .init(
            "http2.flow_control_error", both, "More credit than there can be, or more bytes than there was credit for.",
            lookAt: broken),
        .init("http2.frame_size_error", both, "A frame of a length that it may not have.", lookAt: broken),
        .init("http2.compression_error", both, "A block of fields that cannot be unpacked.", lookAt: broken),
        .init("http2.stream_closed", both, "A frame of a stream that has ended.", lookAt: broken),
        .init(
            "http2.out_of_memory", both + [.overloaded], "There is no memory left for the connection.",
            lookAt: "Limits of the process."),
    ]

    private static let floods: [ReasonDescription] = [
        .init("http2.flooded", both, "libnghttp2 has counted too many frames that it had to answer.", lookAt: hostile),
        .init("http2.too_many_settings", both, "More settings in one frame than anybody has.", lookAt: hostile),
        .init("http2.continuation_flood", both, "A head in more than eight pieces after the first.", lookAt: hostile),
        .init("http2.empty_data_flood", both, "Too many frames of DATA with nothing in them.", lookAt: hostile),
        .init("http2.ping_flood", both, "Too many PINGs.", lookAt: hostile),
        .init("http2.settings_flood", both, "Too many SETTINGS.", lookAt: hostile),
        .init("http2.window_update_flood", both, "Credit in too many small pieces.", lookAt: hostile),
        .init(
            "http2.frame_flood", both,
            "Too many PRIORITY frames, frames of no known kind, or frames of streams that were given up.",
            lookAt: hostile),
        .init(
            "http2.reset_flood", both, "Too many streams that were begun and given up, or that had to be.",
            lookAt: hostile),
        .init("http2.stream_flood", both, "Again and again more streams at once than are taken.", lookAt: hostile),
        .init("http2.head_flood", both, "A head many times as large as `max_head`.", lookAt: hostile),
    ]

    private static let heads: [ReasonDescription] = [
        .init("http2.bad_scheme", client, "The scheme is neither `http` nor `https`.", lookAt: broken),
        .init("http2.unknown_protocol", [.notImplemented], "A tunnel for a protocol that is not `websocket`."),
        .init("http2.repeated_host", client, "More than one `Host`.", lookAt: broken),
        .init("http2.host_mismatch", client, "`Host` names another host than `:authority`.", lookAt: broken),
        .init("http2.bad_authority", client, "`:authority` is not a host with or without a port.", lookAt: broken),
        .init(
            "http2.bad_target", client, "The path holds a byte that cannot stand in one, or does not begin with `/`.",
            lookAt: "Whether the client escapes what it puts into URLs."),
        .init(
            "http2.target_too_long", [.targetTooLong], "The path is longer than `max_target` of `http`.",
            lookAt: "What the client puts into its URLs; or raise `max_target`."),
        .init("http2.bad_connect_target", client, "CONNECT without a port.", lookAt: broken),
        .init(
            "http2.connect_without_stream", client, "A tunnel whose own direction has ended already.", lookAt: broken),
        .init("http2.unknown_expectation", [.expectationFailed], "`Expect` with something else than `100-continue`."),
        .init(
            "http2.body_too_large", [.bodyTooLarge], "The body is longer than `max_body` of `http`.",
            lookAt: "What is uploaded; or raise `max_body`."),
        .init(
            "http2.field_too_large", [.headTooLarge, .upstreamProtocol], "A field is longer than `max_header`.",
            lookAt: "Cookies, mostly."),
        .init(
            "http2.too_many_fields", [.headTooLarge, .upstreamProtocol], "More fields than `max_headers`.",
            lookAt: "Who sent it; each piece of a cookie counts."),
        .init(
            "http2.head_too_large", [.headTooLarge, .upstreamProtocol], "The head is longer than `max_head`.",
            lookAt: "Cookies, mostly."),
        .init("http2.bad_status", [.filterFailed], "A status that is no number from 200 to 599."),
        .init("http2.unexpected_101", [.upstreamProtocol], "A switch of protocols that nobody asked for."),
        .init(
            "http2.bad_content_length", both + [.filterFailed], "`content-length` is no number that can be.",
            lookAt: broken),
        .init(
            "http2.body_length_mismatch", [.filterFailed],
            "A filter has made a body longer or shorter than its `content-length` says."),
    ]
}
