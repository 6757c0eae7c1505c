internal import Engine
internal import FilterAPI
internal import Filters
internal import Synchronization

/// Writes long answers of the admin interface on a thread that everything else goes before: statistics of a thousand
/// clusters are some megabytes of text, and no request waits for them.
///
/// The thread begins with the first such answer.
final class Scribe: Sendable {
    private let poster = Mutex<LoopPoster?>(nil)
    private let log: Log

    init(_ log: Log) { self.log = log }

    /// Writes an answer, and hands it to the stream that waits for it.
    func write(
        _ status: Status, _ text: @escaping @Sendable () -> ByteText, _ fields: [(name: HeaderName, value: String)],
        _ letter: Letter
    ) {
        let work: @Sendable () -> Void = {
            let written = text()
            guard let token = letter.open() else { return }
            guard let body = DonatedBytes(copying: written.bytes) else { return token.reply(500) }
            token.reply(status, donated: body, fields: fields)
        }
        // A process without descriptors has no thread to spare, and then more than ever something to tell.
        guard let poster = thread() else { return work() }
        poster.post(work)
    }

    private func thread() -> LoopPoster? {
        poster.withLock { known in
            if let known { return known }
            do throws(SystemFault) {
                let loop = try EventLoop()
                let made = loop.poster
                let handover = Handover(loop)
                _ = try WorkerThread.start(name: "sluice-scribe", isLow: true) { unsafe handover.value.run() }
                known = made
                return made
            } catch {
                log.write(.error, "cannot start a thread for the admin interface", [("error", error.description)])
                return nil
            }
        }
    }
}
