public import FilterAPI
public import FilterAsync

/// Asks a service over HTTP whether a request may come in.
public final class ExtAuthz: AsyncHTTPFilter {
    /// Name, statistics, reasons.
    public static let manifest = Manifest(
        id: "ext_authz", summary: "Asks a service over HTTP whether a request may come in.", status: .trial,
        stats: [
            .counter("ok", "Requests that the service let in."),
            .counter("denied", "Requests that the service turned away."),
            .counter("error", "Requests of which the service said nothing that counts, timeouts among them."),
            .counter("timeout", "Requests of which the service said nothing in time."),
            .counter("failure_mode_allowed", "Requests that went on although the service said nothing that counts."),
        ],
        reasons: [
            .init(
                "ext_authz.denied", [], "The authorization service has turned the request away.",
                lookAt: "The service; whether it is shown the fields that it decides by (`allowed_headers`).",
                outcome: "the service's status, with the flag UAEX", origin: .client),
            .init(
                "ext_authz.error", [],
                "The authorization service has given no answer that counts: none, none in time, too large a one, or an error.",
                lookAt: "The service and its cluster; `timeout`, `max_body` and `failure_mode_allow` of the filter.",
                outcome: "403, or the `status_on_error` of the filter, with the flag UAEX", origin: .upstream),
            .init(
                "ext_authz.not_askable", [], "The service cannot be asked about a `CONNECT` request.",
                lookAt: "The client; have another listener for tunnels.",
                outcome: "403, or the `status_on_error` of the filter, with the flag UAEX", origin: .client),
        ])

    private let cluster: ClusterID
    private let settings: Settings
    private let shown: [HeaderName]
    private let taken: [HeaderName]
    private let told: [HeaderName]
    private let ok: Counter
    private let denied: Counter
    private let error: Counter
    private let timeout: Counter
    private let failureModeAllowed: Counter

    /// Makes names of the settings.
    public init(_ settings: Settings, on worker: inout WorkerContext) throws(ConfigurationFault) {
        self.settings = settings
        cluster = worker.cluster(settings.cluster ?? "")
        shown = settings.allowedHeaders.compactMap { HeaderName($0) }
        taken = settings.allowedUpstreamHeaders.compactMap { HeaderName($0) }
        told = settings.allowedClientHeaders.compactMap { HeaderName($0) }
        ok = worker.counter("ok")
        denied = worker.counter("denied")
        error = worker.counter("error")
        timeout = worker.counter("timeout")
        failureModeAllowed = worker.counter("failure_mode_allowed")
    }

    /// Asks, and does what the service says.
    public func handle(_ request: consuming AsyncRequest, next: consuming Next) async throws -> AsyncResponse {
        guard let question = question(about: request.head) else {
            error.add()
            mark(request.stream, "ext_authz.not_askable")
            return request.reply(Status(settings.statusOnError))
        }
        // What the client says under these names nobody has vouched for, whatever becomes of the question.
        for name in taken { request.head.headers.remove(name) }
        switch try await answer(to: question, request.stream) {
        case .allowed(let fields):
            ok.add()
            for field in fields { request.head.headers.add(field.name, field.value) }
            return try await next(request)
        case .denied(let status, let fields, let body):
            denied.add()
            mark(request.stream, "ext_authz.denied")
            return request.reply(status, body: body, fields: fields)
        case .failed(let isTimeout):
            error.add()
            if isTimeout { timeout.add() }
            if settings.failureModeAllow {
                failureModeAllowed.add()
                return try await next(request)
            }
            mark(request.stream, "ext_authz.error")
            return request.reply(Status(settings.statusOnError))
        }
    }

    private func mark(_ stream: AsyncStreamHandle, _ reason: StaticString) {
        var facts = stream.facts
        facts.flags.insert(.unauthorizedExternalService)
        facts.reason = reason
        stream.facts = facts
    }

    /// The request without its body, as far as the service is to see it.
    ///
    /// - Returns: nil where it cannot be written as a request of its own. To ask about something else instead would let in
    ///   what nobody has looked at.
    private func question(about head: borrowing RequestHead) -> FetchRequest? {
        // The service would take a CONNECT for a tunnel to be opened.
        guard head.method != .connect else { return nil }
        var question = FetchRequest()
        question.timeout = settings.timeout
        let isTargetRight =
            settings.pathPrefix.isEmpty
            ? question.head.setTarget(head.target)
            : question.head.setTarget(path(of: head.target))
        guard isTargetRight, question.head.setMethod(ASCII.string(head.methodText)),
            head.authority.byteCount == 0 || question.head.setAuthority(head.authority)
        else { return nil }
        for name in shown {
            var index = head.headers.index(of: name)
            while index >= 0 {
                question.head.headers.add(name, head.headers.value(at: index))
                index = head.headers.index(of: name, from: index + 1)
            }
        }
        return question
    }

    /// With the prefix; `*`, which begins with no slash, gets one.
    private func path(of target: borrowing RawSpan) -> String {
        let text = ASCII.string(target)
        return settings.pathPrefix + (text.hasPrefix("/") ? "" : "/") + text
    }

    /// - Throws: `CancellationError` only: the client has left, or the stream has ended otherwise.
    private func answer(to question: consuming FetchRequest, _ stream: AsyncStreamHandle) async throws -> Verdict {
        do {
            let answer = try await stream.fetch(question, from: cluster)
            // Read to its end, so that the connection can be used again.
            let body = try await answer.body.collect(upTo: settings.maxBody)
            return verdict(of: answer, body)
        } catch is CancellationError {
            throw CancellationError()
        } catch {
            return .failed(isTimeout: (error as? Fault)?.kind == .upstreamTimeout)
        }
    }

    private func verdict(of answer: FetchedResponse, _ body: [UInt8]) -> Verdict {
        switch answer.status.code {
        case 200..<300:
            var fields: [(name: HeaderName, value: String)] = []
            for name in taken { for value in answer.head.headers.values(name) { fields.append((name, value)) } }
            return .allowed(fields)
        case 300..<500:
            var fields: [(name: HeaderName, value: String)] = []
            for name in told {
                let values = answer.head.headers.values(name)
                // An answer of a filter's own has each field once.
                if !values.isEmpty {
                    fields.append((name, name == .setCookie ? values[0] : values.joined(separator: ", ")))
                }
            }
            return .denied(answer.status, fields, body: String(decoding: body, as: UTF8.self))
        default:
            return .failed(isTimeout: false)
        }
    }
}
