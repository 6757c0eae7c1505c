import CHiredis
import Glibc

/// A connection to Redis that is ready to take tokens. Blocks; for one thread.
///
/// SAFETY: `context` is made with the object and freed with it. Replies are freed where they are read, and nothing of them is
/// kept.
@safe
final class RedisConnection {
    /// Why there is no connection, or no answer, in words for the log.
    struct Problem: Error {
        var message: String
        var isTimeout = false
    }

    /// What Redis has answered.
    enum Answer {
        case verdict(Verdict)
        /// It does not have the script any more.
        case noScript
        case error(String)
    }

    private let context: UnsafeMutablePointer<redisContext>
    /// The beginning of the commands that take a token: by the script's hash, and by the script.
    private var byHash: [UInt8] = []
    private static let byText = beginning("EVAL", BucketScript.text)

    /// Making a connection may take longer than an answer: no request waits for it but the first.
    private static let connectTimeout = Duration.seconds(1)

    /// Connects, logs in, and brings the script.
    init(_ server: RedisServer) throws(Problem) {
        let time = Self.timeval(Self.connectTimeout)
        let made =
            switch server.address {
            case .network(let host, let port): unsafe redisConnectWithTimeout(host, port, time)
            case .unix(let path): unsafe redisConnectUnixWithTimeout(path, time)
            }
        guard let context = unsafe made else { throw Problem(message: "there is no memory") }
        unsafe self.context = context
        try check()
        if case .network = server.address { unsafe redisEnableKeepAlive(context) }
        unsafe redisSetTimeout(context, time)
        try begin(server)
        unsafe redisSetTimeout(context, Self.timeval(server.timeout))
    }

    deinit { unsafe redisFree(context) }

    var descriptor: Int32 { unsafe context.pointee.fd }

    /// All in one go: who waits for each answer waits several times as long.
    private func begin(_ server: RedisServer) throws(Problem) {
        var expected = 1
        if let password = server.password {
            append(server.user.map { RESP.command("AUTH", $0, password) } ?? RESP.command("AUTH", password))
            expected += 1
        }
        if server.database != 0 {
            append(RESP.command("SELECT", "\(server.database)"))
            expected += 1
        }
        append(RESP.command("SCRIPT", "LOAD", BucketScript.text))
        for _ in 0..<expected {
            let word = unsafe try read { reply in unsafe Self.text(reply) }
            switch word {
            case .success(let text): byHash = Self.beginning("EVALSHA", text)
            case .failure(let problem): throw problem
            }
        }
    }

    private static func beginning(_ command: String, _ script: String) -> [UInt8] {
        RESP.command(of: 6) + RESP.word(command) + RESP.word(script) + RESP.word("1")
    }

    private static func timeval(_ time: Duration) -> Glibc.timeval {
        let (seconds, attoseconds) = time.components
        return Glibc.timeval(tv_sec: Int(seconds), tv_usec: Int(attoseconds / 1_000_000_000_000))
    }

    private func append(_ command: [UInt8]) {
        // SAFETY: what is copied of the array is as long as the array.
        unsafe command.withUnsafeBytes { bytes in
            _ = unsafe redisAppendFormattedCommand(
                context, bytes.baseAddress?.assumingMemoryBound(to: CChar.self), bytes.count)
        }
    }

    /// Writes down a question, to be sent when the first answer is read.
    ///
    /// - Parameter isScriptGone: the script is sent too.
    func ask(_ decision: Decision, isScriptGone: Bool = false) {
        append((isScriptGone ? Self.byText : byHash) + RESP.word(decision.key) + decision.limit.arguments)
    }

    /// The answer to the first question that has none.
    func answer() throws(Problem) -> Answer {
        unsafe try read { reply in
            if unsafe reply.type == REDIS_REPLY_ARRAY, unsafe reply.elements == 2,
                let first = unsafe reply.element[0], let second = unsafe reply.element[1]
            {
                let missing = unsafe Int64(second.pointee.integer)
                return unsafe .verdict(
                    first.pointee.integer == 1 ? .passed(missing: missing) : .limited(missing: missing))
            }
            switch unsafe Self.text(reply) {
            case .success: return .error("the answer is not one of the script's")
            case .failure(let problem):
                return problem.message.hasPrefix("NOSCRIPT") ? .noScript : .error(problem.message)
            }
        }
    }

    private func read<R>(_ body: (redisReply) -> R) throws(Problem) -> R {
        var memory: UnsafeMutableRawPointer?
        guard unsafe redisGetReply(context, &memory) == REDIS_OK,
            let reply = unsafe memory?.assumingMemoryBound(to: redisReply.self)
        else {
            let isTimeout = unsafe context.pointee.err == REDIS_ERR_IO && (errno == EAGAIN || errno == EWOULDBLOCK)
            throw isTimeout
                ? Problem(message: "no answer came in time", isTimeout: true)
                : Problem(message: unsafe String(cString: sluice_redis_error(context)))
        }
        defer { unsafe freeReplyObject(reply) }
        return unsafe body(reply.pointee)
    }

    /// The text of a reply, or of an error.
    private static func text(_ reply: redisReply) -> Result<String, Problem> {
        guard let bytes = unsafe reply.str else { return .success("") }
        let text = unsafe String(cString: bytes)
        return unsafe reply.type == REDIS_REPLY_ERROR ? .failure(Problem(message: text)) : .success(text)
    }

    private func check() throws(Problem) {
        guard unsafe context.pointee.err != 0 else { return }
        throw Problem(message: unsafe String(cString: sluice_redis_error(context)))
    }
}
