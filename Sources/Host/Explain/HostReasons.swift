internal import FilterAPI

/// What the reasons mean that the host itself gives; those of filters are in their manifests.
enum HostReasons {
    static let all: [ReasonDescription] = connecting + answering + limits + clients + streams + filters + chains

    private static let connecting: [ReasonDescription] = [
        .init(
            "upstream.connect_refused", [.connectFailed],
            "The endpoint refused the connection: nothing listens at this address and port.",
            lookAt: "Whether the application runs, and where it listens; the endpoints of the cluster."),
        .init(
            "upstream.connect_timeout", [.connectTimeout],
            "The connection was not made within `connect_timeout`, TLS included.",
            lookAt: "The network, a firewall that drops packets, or a machine that is gone."),
        .init(
            "upstream.connect_reset", [.connectFailed], "The endpoint reset the connection while it was being made.",
            lookAt: "What stands in front of the application; its queue of new connections may be full."),
        .init(
            "upstream.connect_failed", [.connectFailed], "The kernel could not make the connection.",
            lookAt: "The process log, and the addresses of the cluster."),
        .init(
            "upstream.unreachable", [.connectFailed], "There is no way to the endpoint's address.",
            lookAt: "Routes and addresses of this machine; IPv6 where there is none."),
        .init(
            "upstream.socket_missing", [.connectFailed], "The Unix socket of the endpoint is not there.",
            lookAt: "Whether the application runs, and the path."),
        .init(
            "upstream.no_descriptors", [.connectFailed], "This process has no file descriptor left.",
            lookAt: "`ulimit -n`, `max_connections`.", origin: .sluice),
        .init(
            "upstream.name_not_resolved", [.nameNotResolved],
            "No address is known for the endpoint's name, now or from before.",
            lookAt: "The name, and the name servers (`dns`)."),
        .init(
            "upstream.no_endpoint", [.noEndpoint], "The cluster has no endpoint that may be used.",
            lookAt:
                """
                Health checks and outlier detection: `endpoint became unhealthy` and `endpoint ejected` in the \
                process log.
                """
        ),
        .init(
            "upstream.endpoints_refused", [.overflow], "A filter has accepted none of the endpoints that were picked.",
            lookAt: "`circuit_breaker` with `scope: endpoint`: the breakers of all that were picked are open."),
    ]

    private static let answering: [ReasonDescription] = [
        .init(
            "upstream.closed", [.upstreamClosed], "The upstream closed the connection before it answered.",
            lookAt:
                """
                The upstream's log: it has crashed, been stopped, or closes connections that are idle before \
                `idle_timeout` of the cluster does.
                """
        ),
        .init(
            "upstream.reset", [.upstreamClosed], "The upstream reset the connection.",
            lookAt: "The upstream's log: it has crashed, been killed, or closes with bytes unread."),
        .init(
            "upstream.reset_in_head", [.upstreamProtocol],
            "The upstream reset the connection within the head of its answer.", lookAt: "The upstream's log."),
        .init(
            "upstream.response_timeout", [.upstreamTimeout],
            "The whole answer was not there within `timeout` of the route.",
            lookAt: "What the upstream was busy with; or raise `timeout`."),
        .init(
            "upstream.given_up", [.upstreamTimeout], "A filter gave the try up, mostly to make another one.",
            lookAt: "`retry`, `per_try_timeout`."),
        .init(
            "upstream.answer_before_request", [.upstreamProtocol],
            "The upstream sent something on a used connection before it had the request.",
            lookAt: "The upstream: it sends two answers, or more than it says."),
        .init(
            "upstream.out_of_step", [.upstreamProtocol],
            "The upstream ended or sent something where that has no meaning.", lookAt: "The upstream."),
        .init(
            "upstream.opened_stream", [.upstreamProtocol],
            "The upstream began a stream of its own, which nobody has asked for.", lookAt: "The upstream."),
        .init(
            "upstream.no_cluster", [], "A health check was due for a cluster that a reload has just taken away.",
            outcome: "nothing: no request is concerned", origin: .sluice),
    ]

    private static let limits: [ReasonDescription] = [
        .init(
            "upstream.too_many_requests", [.overflow], "The cluster has `max_requests` running already.",
            lookAt:
                """
                `%REACHED_LIMIT%` says the limit and where it is set. The upstream is slow, or there is more to \
                do than it can.
                """
        ),
        .init(
            "upstream.too_many_retries", [.overflow], "The cluster has `max_retries` further tries running already.",
            lookAt: "Why so many tries fail: that limit keeps a failing upstream from being flooded."),
        .init(
            "upstream.too_many_pending", [.overflow], "`max_pending` requests wait for a connection already.",
            lookAt: "`max_connections` and `max_pending` of the cluster; the upstream is slow."),
        .init(
            "upstream.too_many_connections", [.overflow],
            "The cluster has `max_connections` already, and one of `tcp_proxy` cannot wait.",
            lookAt: "`max_connections` of the cluster."),
    ]

    private static let clients: [ReasonDescription] = [
        .init(
            "client.closed", [.clientGone], "The client closed the connection before it had its answer.",
            lookAt:
                "How long the answer took: clients and what stands in front of Sluice have time limits of their own."),
        .init(
            "client.reset", [.clientGone], "The client reset the connection, or gave the request up.",
            lookAt:
                "How long the answer took: clients and what stands in front of Sluice have time limits of their own."),
        .init(
            "client.does_not_read", [.clientGone],
            "The client has taken nothing of the last answer for `flush_timeout`.",
            lookAt: "The client's network; many from one place are an attack that ties memory up."),
        .init(
            "listener.no_chain", [.misdirected], "None of the listener's `chains` is for this client.",
            lookAt: "`match` of the `chains`; an entry without one, at the end, is for everybody.",
            outcome: "no answer: the connection is closed"),
        .init(
            "listener.match_timeout", [.requestTimeout],
            "The client has not said enough within `match_timeout` for a chain to be picked.",
            lookAt: "Whether the protocol is one in which the server speaks first: `match` by addresses then.",
            outcome: "no answer: the connection is closed"),
        .init(
            "sluice.stopped", [.draining], "The process ended, and `drain_timeout` was over.",
            lookAt: "`drain_timeout`, and who has stopped it.",
            outcome: "no answer, or one that is cut off; the log has the flag LR"),
    ]

    private static let streams: [ReasonDescription] = [
        .init(
            "stream.idle_timeout", [.idleTimeout],
            "Nothing moved in the request or its answer for `idle_timeout` of the route.",
            lookAt:
                """
                Who was silent: the client while the request was read, else the upstream; streams that wait for \
                long need a longer `idle_timeout`.
                """
        ),
        .init(
            "stream.deadline", [.upstreamTimeout], "The time is over that the client has set, or a filter.",
            lookAt: "`grpc-timeout` and its like in the request; it speaks not against the upstream.", origin: .client),
        .init(
            "tcp.idle_timeout", [.idleTimeout], "Nothing moved in either direction for `idle_timeout` of `tcp_proxy`.",
            lookAt: "`idle_timeout`; protocols that are silent for long need keep-alives.",
            outcome: "no answer: the connection is closed; the log has the flag SI"),
    ]

    private static let bug =
        "The filter: this is a bug in it. The name of the filter is in the process log where it is known."

    private static let filters: [ReasonDescription] = [
        .init(
            "filter.dropped_token", [.filterStalled],
            "A filter held the request and has lost what it would let it go on with.", lookAt: bug),
        .init(
            "filter.held_end_without_token", [.filterStalled],
            "A filter held the end of a message and can never let it go on.", lookAt: bug),
        .init(
            "filter.held_bytes_without_token", [.filterStalled],
            "A byte filter held bytes and can never let them go on.", lookAt: bug),
        .init(
            "filter.held_bytes_not_resumed", [.filterStalled], "A byte filter let bytes go on and kept them.",
            lookAt: bug),
        .init(
            "filter.held_too_much", [.bodyTooLarge, .filterFailed],
            "A filter holds more of a message than `hold_limit` of the listener.",
            lookAt: "Which filter needs whole bodies; or raise `hold_limit`.", origin: .sluice),
        .init(
            "filter.took_head", [.filterFailed], "A filter took a head away, and put nothing in its place.", lookAt: bug
        ),
        .init(
            "filter.second_response", [.filterFailed],
            "A filter answered a request whose answer had gone to the client already.", lookAt: bug),
        .init("filter.replied_twice", [.filterFailed], "A filter answered a request twice in one call.", lookAt: bug),
        .init(
            "filter.replay_after_response", [.filterFailed],
            "A filter wanted to send the request anew after the answer had passed it.", lookAt: bug),
        .init(
            "filter.replay_of_bytes", [.filterFailed],
            "A byte filter wanted to send something anew, which only requests can be.", lookAt: bug),
        .init(
            "filter.reply_on_bytes", [.filterFailed], "A byte filter wanted to answer like a filter of HTTP.",
            lookAt: bug),
        .init(
            "filter.failed_in_open", [.filterFailed], "A byte filter gave a connection up at its beginning.",
            lookAt: bug),
        .init(
            "async.threw", [.filterFailed], "An asynchronous filter threw something that is no fault.",
            lookAt: "The process's log, which has what was thrown, once a second at most."),
        .init(
            "async.no_answer", [.filterFailed],
            "An asynchronous filter returned an answer that had been given up.", lookAt: bug),
        .init(
            "async.body_too_large", [.bodyTooLarge], "A body was longer than an asynchronous filter reads.",
            lookAt: "The filter's settings."),
        .init(
            "fetch.body_too_large", [.filterFailed],
            "The answer to a filter's own request was larger than the filter wanted.",
            lookAt: "What the filter asks, and its settings."),
        .init(
            "fetch.cancelled", [.clientGone],
            "A filter's own request was given up: the client's request that it was for had ended."),
    ]

    private static let chains: [ReasonDescription] = [
        .init(
            "chain.unknown_cluster", [.noCluster],
            "The cluster of the route is not there any more: a reload has taken it away under the request.",
            lookAt: "The config: running requests finish on the routes that they began with."),
        .init("chain.nothing_attached", [.noCluster], "The terminal of the chain named no cluster.", lookAt: bug),
        .init(
            "chain.no_client_codec", [.noCluster], "The cluster's chain cannot speak HTTP.",
            lookAt: "The cluster's `chain`."),
    ]
}
