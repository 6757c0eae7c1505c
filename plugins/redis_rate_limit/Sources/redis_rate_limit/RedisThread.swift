import CHiredis
import FilterAPI
import Glibc

/// The one thread that speaks with a Redis, for all workers: what waits when it comes by goes there together, so that one
/// way there and back serves as many requests as have come meanwhile.
final class RedisThread {
    private let server: RedisServer
    private let queue: DecisionQueue
    private let log: FilterLog
    private var connection: RedisConnection?
    private var connectedAt: UInt64 = 0
    /// Attempts that have failed in a row, and connections that did not last.
    private var failures = 0
    /// Whether the log is told of the next connection.
    private var isMissed = true
    /// When to connect; on the clock of ``monotonicNow()``.
    private var connectAt: UInt64 = 0
    private var complainedAt: UInt64 = 0

    private static let second: UInt64 = 1_000_000_000

    private init(_ server: RedisServer, _ queue: DecisionQueue, _ log: FilterLog) {
        self.server = server
        self.queue = queue
        self.log = log
    }

    /// Starts it. It ends when the queue is stopped.
    ///
    /// - Returns: whether the system had one.
    static func start(_ server: RedisServer, _ queue: DecisionQueue, _ log: FilterLog) -> Bool {
        // SAFETY: the retain taken here is given to the new thread, or taken back if there is none. Signals stay with the
        // threads that had them: those of workers, which start this one, are blocked.
        let one = unsafe Unmanaged.passRetained(RedisThread(server, queue, log))
        var thread = pthread_t()
        let failure = unsafe pthread_create(
            &thread, nil,
            { argument in
                guard let argument = unsafe argument else { return nil }
                sluice_redis_name_this_thread()
                unsafe Unmanaged<RedisThread>.fromOpaque(argument).takeRetainedValue().run()
                return nil
            }, one.toOpaque())
        guard failure == 0 else {
            unsafe one.release()
            return false
        }
        pthread_detach(thread)
        return true
    }

    private func run() {
        while true {
            let now = monotonicNow()
            let isWaiting = connection == nil && failures > 0
            let time = isWaiting ? (connectAt > now ? connectAt - now : 0) : nil
            switch queue.next(watching: connection?.descriptor ?? -1, for: time) {
            case .stop: return
            case .look: look()
            case .ask(let decisions):
                look()
                ask(decisions)
            }
        }
    }

    /// Sees to the connection. Nothing is asked: what it has to say is that it is over.
    private func look() {
        if let connection, isReadable(connection.descriptor) {
            lose(RedisConnection.Problem(message: "Redis has closed the connection"))
        }
        connectIfDue()
    }

    private func isReadable(_ descriptor: Int32) -> Bool {
        var ready = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        return unsafe poll(&ready, 1, 0) > 0
    }

    private func connectIfDue() {
        guard connection == nil, monotonicNow() >= connectAt else { return }
        do throws(RedisConnection.Problem) {
            connection = try RedisConnection(server)
            connectedAt = monotonicNow()
            queue.isDown = false
            if isMissed { log.write(.info, "connected to Redis", [("server", server.name)]) }
            isMissed = false
        } catch {
            failed("Redis cannot be reached", error)
        }
    }

    private func lose(_ problem: RedisConnection.Problem) {
        connection = nil
        // One that breaks as soon as it is made is no better than none.
        if monotonicNow() - connectedAt > Self.second { failures = 0 }
        failed("the connection to Redis is lost\(failures == 0 ? "" : " again and again")", problem)
    }

    /// There is no connection. It is tried again at once, then after ever more time, from 62 ms to a second, and not by all
    /// proxies together. Nobody need wait meanwhile.
    private func failed(_ message: String, _ problem: RedisConnection.Problem) {
        queue.isDown = true
        failures = min(failures + 1, 6)
        // What goes on for long is said once.
        if failures == 1 || failures == 2 && !isMissed { say(message, problem) }
        if failures == 1 { isMissed = true }
        let most = failures == 1 ? 0 : Self.second >> UInt64(6 - failures)
        connectAt = monotonicNow() + UInt64.random(in: most / 2...most)
    }

    private func say(_ message: String, _ problem: RedisConnection.Problem) {
        log.write(.warning, message, [("server", server.name), ("reason", problem.message)])
    }

    // MARK: Questions

    private func ask(_ decisions: [Decision]) {
        guard let connection else {
            for decision in decisions { finish(decision, .failed(.unavailable)) }
            return
        }
        var asked: [Decision] = []
        for decision in decisions {
            // Who has waited for too long, or has gone, takes no token.
            guard decision.isOpen else {
                queue.give()
                continue
            }
            connection.ask(decision)
            asked.append(decision)
        }
        let again = readAnswers(to: asked[...], connection)
        for decision in again { connection.ask(decision, isScriptGone: true) }
        for decision in readAnswers(to: again[...], connection) { finish(decision, .failed(.refused)) }
    }

    /// - Returns: those that must be asked with the script.
    private func readAnswers(to asked: ArraySlice<Decision>, _ connection: RedisConnection) -> [Decision] {
        var again: [Decision] = []
        var rest = asked
        while let decision = rest.first {
            do throws(RedisConnection.Problem) {
                switch try connection.answer() {
                case .verdict(let verdict): finish(decision, verdict)
                case .noScript: again.append(decision)
                case .error(let text):
                    complain(text)
                    finish(decision, .failed(.refused))
                }
            } catch {
                let failure = error.isTimeout ? Failure.timeout : .unavailable
                // What was asked over a connection that is lost may have been done, and is not asked again.
                for decision in again + rest { finish(decision, .failed(failure)) }
                lose(error)
                return []
            }
            rest = rest.dropFirst()
        }
        return again
    }

    private func finish(_ decision: Decision, _ verdict: Verdict) {
        decision.finish(verdict)
        queue.give()
    }

    /// Says what Redis has against a question; now and then, as each request may bring it about.
    private func complain(_ text: String) {
        let now = monotonicNow()
        guard complainedAt == 0 || now - complainedAt > 10 * Self.second else { return }
        complainedAt = now
        say("Redis does not decide", RedisConnection.Problem(message: text))
    }
}
