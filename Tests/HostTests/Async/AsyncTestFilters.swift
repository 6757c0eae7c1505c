import FilterAPI
import FilterAsync

/// Does what its setting says.
final class Scripted: AsyncHTTPFilter {
    enum Act: String, Codable, Sendable, CaseIterable {
        case pass, reply, ask, read, readAnswer = "read-answer", sleep, change, slowChange = "slow-change", rescue
        case replace, askLate = "ask-late", throwing, fault, hang, askWhileFaulted = "ask-while-faulted", children
    }

    struct Settings: FilterSettings {
        var act = Act.pass
    }

    struct Odd: Error {}

    static let manifest = Manifest(id: "scripted", summary: "Does what it is told.")
    private let act: Act
    private let asked: ClusterID
    private let cancelled: Counter
    private let finished: Counter
    private let name = HeaderName("x-scripted")

    init(_ settings: Settings, on worker: inout WorkerContext) throws(ConfigurationFault) {
        act = settings.act
        asked = worker.cluster("asked")
        cancelled = worker.counter("cancelled")
        finished = worker.counter("finished")
    }

    nonisolated(nonsending) func handle(
        _ request: consuming AsyncRequest, next: consuming Next
    ) async throws -> AsyncResponse {
        defer { finished.add() }
        switch act {
        case .pass: return try await next(request)
        case .reply: return request.reply(403, body: "no", fields: [(name: .contentType, value: "text/x-no")])
        case .ask: return try await ask(request, next)
        case .askLate:
            var response = try await next(request)
            mark(&response, try await response.fetch(FetchRequest(), from: asked).text())
            return response
        case .read:
            let length = try await request.body.collect().count
            request.head.headers.set(.xRequestID, length)
            var response = try await next(request)
            mark(&response, "\(length)")
            return response
        case .readAnswer:
            var response = try await next(request)
            let text = try await response.body.collect(upTo: .mebibytes(1))
            mark(&response, "\(text.count)")
            return response
        case .sleep:
            let begin = request.now
            try await request.sleep(for: .milliseconds(20))
            let waited = request.now.since(begin)
            var response = try await next(request)
            mark(&response, waited >= .milliseconds(20) ? "slept" : "woken early")
            return response
        case .change: return try await change(request, next, slowly: false)
        case .slowChange: return try await change(request, next, slowly: true)
        case .rescue:
            let handle = request.stream
            do { return try await next(request) } catch let fault as Fault {
                return handle.reply(200, body: "rescued from \(fault.reason)")
            }
        case .askWhileFaulted:
            let handle = request.stream
            do { return try await next(request) } catch {
                let answer = try await handle.fetch(FetchRequest(), from: asked).text()
                return handle.reply(200, body: "asked: \(answer)")
            }
        case .replace:
            let response = try await next(request)
            return response.reply(418, body: "was \(response.status.code)")
        case .throwing: throw Odd()
        case .fault: throw Fault(.badRequest, "scripted.refused")
        case .children: return try await children(request, next)
        case .hang:
            do {
                try await request.sleep(for: .seconds(3600))
            } catch {
                if Task.isCancelled, error is CancellationError { cancelled.add() }
            }
            return request.reply(500)
        }
    }

    private nonisolated(nonsending) func ask(
        _ request: consuming AsyncRequest, _ next: consuming Next
    ) async throws -> AsyncResponse {
        var question = FetchRequest("POST", "/echo")
        question.body = request.makeChunk(copying: Array("may I".utf8))
        let answer = try await request.fetch(question, from: asked)
        let text = try await answer.text()
        guard answer.status == 200 else { return request.reply(403, body: text) }
        var response = try await next(request)
        mark(&response, text)
        return response
    }

    /// Tasks of one's own run on the worker's thread too.
    private nonisolated(nonsending) func children(
        _ request: consuming AsyncRequest, _ next: consuming Next
    ) async throws -> AsyncResponse {
        let sum = await withTaskGroup(of: Int.self) { group in
            for number in 1...3 {
                group.addTask {
                    await Task.yield()
                    return number
                }
            }
            var sum = 0
            for await number in group { sum += number }
            return sum
        }
        var response = try await next(request)
        mark(&response, "\(sum)")
        return response
    }

    private nonisolated(nonsending) func change(
        _ request: consuming AsyncRequest, _ next: consuming Next, slowly: Bool
    ) async throws -> AsyncResponse {
        let handle = request.stream
        let asked = asked
        request.mapBody { piece in
            if slowly { _ = try await handle.fetch(FetchRequest(), from: asked).text() }
            return piece.bytes.map { $0 == UInt8(ascii: "a") ? UInt8(ascii: "b") : $0 }
        }
        var response = try await next(request)
        response.mapBody { piece in
            if slowly { _ = try await handle.fetch(FetchRequest(), from: asked).text() }
            return piece.bytes + piece.bytes
        }
        return response
    }

    private func mark(_ response: inout AsyncResponse, _ text: String) {
        if let name { response.head.headers.set(name, text) }
    }
}
