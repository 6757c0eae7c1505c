internal import Engine
internal import Synchronization

/// A file, or the standard output, that workers hand full buffers to. A thread of its own writes them, so that a slow
/// disk never holds a request up; what it cannot take is dropped and counted.
final class LogSink: Sendable {
    /// Bytes that may wait for the disk.
    private static let waitingLimit = 8 << 20

    let path: String?
    private let writer: LogWriter
    private let fd = Mutex<Int32>(-1)
    private let waiting = Atomic<Int>(0)
    private let dropped = Atomic<UInt64>(0)

    /// - Parameter path: nil for the standard output.
    /// - Throws: where the file cannot be opened.
    init(path: String?, writer: LogWriter) throws(SystemFault) {
        self.path = path
        self.writer = writer
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
            dropped.add(UInt64(bytes.lazy.filter { $0 == 0x0A }.count), ordering: .relaxed)
            return
        }
        waiting.add(bytes.count, ordering: .relaxed)
        writer.poster.post { [self] in
            writeAll(bytes)
            waiting.subtract(bytes.count, ordering: .relaxed)
        }
    }

    /// Lines that were lost.
    var droppedLines: UInt64 { dropped.load(ordering: .relaxed) }

    private func writeAll(_ bytes: [UInt8]) {
        let fd = fd.withLock { $0 }
        unsafe bytes.withUnsafeBytes { buffer in
            var rest = unsafe buffer[...]
            while unsafe !rest.isEmpty {
                guard case .bytes(let count) = unsafe Syscalls.write(fd, UnsafeRawBufferPointer(rebasing: rest)) else {
                    dropped.add(1, ordering: .relaxed)
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
