internal import Engine
internal import FilterAPI
internal import Synchronization

/// A file, or the standard output, that workers hand full buffers to. A thread of its own writes them, so that a slow
/// disk never holds a request up; what it cannot take is dropped, counted, and told in the process log.
final class LogSink: Sendable {
    /// Bytes that may wait for the disk.
    private static let waitingLimit = 8 << 20
    /// Losses are told at most this often.
    private static let quiet: UInt64 = 10_000_000_000

    let path: String?
    private let writer: LogWriter
    private let log: Log
    private let fd = Mutex<Int32>(-1)
    private let waiting = Atomic<Int>(0)
    private let dropped = Atomic<UInt64>(0)
    /// When losses were told last, and how many lines had been lost then.
    private let told = Mutex<(at: UInt64, lines: UInt64)>((0, 0))

    /// - Parameter path: nil for the standard output.
    /// - Throws: where the file cannot be opened.
    init(path: String?, writer: LogWriter, log: Log) throws(SystemFault) {
        self.path = path
        self.writer = writer
        self.log = log
        try reopen()
    }

    deinit {
        let old = fd.withLock { $0 }
        if path != nil && old >= 0 { Syscalls.close(old) }
    }

    /// Opens the file anew, after it was moved away.
    func reopen() throws(SystemFault) {
        guard let path else {
            fd.withLock { $0 = 1 }
            return
        }
        let fresh = try Syscalls.open(path, .append)
        let old = fd.withLock { fd in
            let old = fd
            fd = fresh
            return old
        }
        // After what was handed over before: a line is never written to a descriptor that means another file.
        if old >= 0 { writer.poster.post { Syscalls.close(old) } }
    }

    /// Hands bytes to the writing thread. Any thread.
    func write(_ bytes: [UInt8]) {
        guard !bytes.isEmpty else { return }
        if waiting.load(ordering: .relaxed) + bytes.count > Self.waitingLimit {
            dropped.add(UInt64(bytes.count { $0 == 0x0A }), ordering: .relaxed)
            return
        }
        waiting.add(bytes.count, ordering: .relaxed)
        writer.poster.post { [self] in
            writeAll(bytes)
            waiting.subtract(bytes.count, ordering: .relaxed)
            tellLosses(atOnce: false)
        }
    }

    /// Says in the process log how many lines were lost since it was said last.
    func tellLosses(atOnce: Bool) {
        let now = Syscalls.wallClock()
        let lost = dropped.load(ordering: .relaxed)
        let lines: UInt64? = told.withLock { told in
            guard lost > told.lines, atOnce || now > told.at + Self.quiet else { return nil }
            defer { told = (now, lost) }
            return lost - told.lines
        }
        guard let lines else { return }
        log.write(.warning, "lines of the access log are lost", [("path", path ?? "stdout"), ("lines", String(lines))])
    }

    private func writeAll(_ bytes: [UInt8]) {
        let fd = fd.withLock { $0 }
        unsafe bytes.withUnsafeBytes { buffer in
            var rest = unsafe buffer[...]
            while unsafe !rest.isEmpty {
                guard case .bytes(let count) = unsafe Syscalls.write(fd, UnsafeRawBufferPointer(rebasing: rest)) else {
                    unsafe dropped.add(UInt64(rest.count { $0 == 0x0A }), ordering: .relaxed)
                    return
                }
                unsafe rest = rest.dropFirst(count)
            }
        }
    }
}

/// The thread that writes logs.
final class LogWriter: Sendable {
    let poster: LoopPoster
    private let thread: WorkerThread

    init() throws(SystemFault) {
        let loop = try EventLoop()
        poster = loop.poster
        let handover = Handover(loop)
        thread = try WorkerThread.start(name: "sluice-log") { unsafe handover.value.run() }
    }

    /// Ends the thread when everything that was handed over is written.
    func finish() {
        poster.post(withLoop: { $0.stop() })
        thread.join()
    }
}

/// Carries a value to the thread that owns it from then on.
///
/// SAFETY: used only where the giving thread does not touch the value again.
struct Handover<Value>: @unchecked Sendable {
    nonisolated(unsafe) let value: Value

    init(_ value: Value) { unsafe self.value = value }
}
