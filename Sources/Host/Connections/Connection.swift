internal import Engine
internal import FilterAPI

/// A socket with what waits to go out, and the byte filters between it and what it carries.
///
/// Reads as long as there is something and the inside wants it; writes once at the end of a turn. *Inward* is from the
/// socket, *outward* is to it. Subclasses say what is inside: a server codec, a client codec, raw bytes.
///
/// SAFETY: the memory behind `output` and `block` is allocated with the object and freed with it. Worker and chain
/// outlive their connections: the worker closes them before it ends, and `chain` is a counted reference.
@safe
class Connection: EventSource {
    /// Bytes that one connection may read in a turn before others have theirs.
    private static let turnBudget = 256 * 1024

    /// Stands in where a stream has lost its connection.
    static nonisolated(unsafe) let noFacts = ConnectionFacts()

    struct Flags: OptionSet {
        let rawValue: UInt32
        /// The kernel may have bytes for us.
        static let canRead = Flags(rawValue: 1 << 0)
        static let canWrite = Flags(rawValue: 1 << 1)
        /// The peer has ended its direction, and we have read all of it.
        static let readEnded = Flags(rawValue: 1 << 2)
        /// The kernel has told of the peer's end, which may lie behind unread bytes.
        static let peerClosed = Flags(rawValue: 1 << 3)
        static let writeEnded = Flags(rawValue: 1 << 4)
        static let closeAfterOutput = Flags(rawValue: 1 << 5)
        static let closed = Flags(rawValue: 1 << 6)
        /// Waiting bytes passed the high watermark.
        static let outputFull = Flags(rawValue: 1 << 7)
        /// Reads have been filling whole pages: take larger ones.
        static let bulk = Flags(rawValue: 1 << 8)
        static let connecting = Flags(rawValue: 1 << 9)
        /// Only waiting for the peer to close, dropping what it sends.
        static let lingering = Flags(rawValue: 1 << 10)
        static let shutWriteAfterOutput = Flags(rawValue: 1 << 11)
        static let stagesOpen = Flags(rawValue: 1 << 12)
        static let wantsDecode = Flags(rawValue: 1 << 13)
        static let working = Flags(rawValue: 1 << 14)
        /// Asked for its turn's end already.
        static let scheduled = Flags(rawValue: 1 << 15)
        /// It carried a request when its end began.
        static let endsBusy = Flags(rawValue: 1 << 16)
    }

    let worker: Worker
    let chain: Chain
    /// Above this many waiting bytes the source of them stops reading; below a quarter of them it goes on.
    let highWatermark: Int
    var flags: Flags = [.canWrite]
    /// Why it cannot be written to any more, where that is so and the rest is still read; else 0.
    private var broken: Int32 = 0
    /// Bytes for the socket.
    let output: UnsafeMutablePointer<ByteOutput>
    /// State of the codec and of the byte stages.
    let block: UnsafeMutableRawPointer
    let facts = ConnectionFacts()
    /// Where bytes are counted beside.
    private let traffic: Traffic
    /// Whether many streams share the connection (HTTP/2): then single streams are held back, and never the connection.
    final var isShared = false
    let begun: Nanoseconds
    var bytesSent = 0
    var bytesReceived = 0
    /// Place in the worker's list of those that only wait for their peer to close; -1 for none.
    var lingerIndex = -1
    /// Present only where there are byte stages.
    var pipe: BytePipe?

    /// Where all connections of a kind count their bytes.
    struct Traffic: BitwiseCopyable {
        let received: FilterAPI.Counter
        let sent: FilterAPI.Counter

        /// Of connections that belong to nobody's statistics.
        static let uncounted = Traffic(received: .detached(), sent: .detached())
    }

    init(worker: Worker, chain: Chain, bufferLimit: ByteSize, traffic: Traffic) {
        self.worker = worker
        self.traffic = traffic
        begun = worker.loop.now
        highWatermark = bufferLimit.bytes
        self.chain = chain
        unsafe output = .allocate(capacity: 1)
        unsafe output.initialize(to: ByteOutput(pool: worker.pages))
        unsafe block = .allocate(byteCount: max(16, chain.connectionBlock.size), alignment: 16)
        super.init()
    }

    deinit {
        unsafe output.deinitialize(count: 1).deallocate()
        unsafe block.deallocate()
    }

    // MARK: What subclasses do

    /// Bytes have come in, through the byte stages if there are any.
    func received(_ chunk: consuming ByteChunk, last: Bool) {}
    /// Whether more bytes are wanted now.
    var wantsInput: Bool { true }
    /// Waiting output has passed the high watermark: its source stands still.
    func outputFilled() {}
    /// Waiting output has fallen below the low watermark.
    func outputDrained() {}
    /// Everything was written, and the flags say that this was it.
    func outputEnded() {}
    /// The connection broke; `errno` is 0 where the peer just vanished.
    func failed(_ errno: Int32) { close() }
    /// A byte filter gave the connection up; what it had to say to the peer waits in the output.
    func stagesFailed(_ fault: Fault) { failed(0) }
    /// All byte filters are ready, after at least one of them was not.
    func handshakesEnded() {}
    /// A connection that was begun is made.
    func connected() {}
    /// Lets go of whatever is inside; called once by ``close()``.
    func closing() {}
    /// The socket has been closed; whoever counts connections may count on it.
    func closed() {}
    /// The inside may write what it holds back, so many bytes of bodies at most; for codecs whose connections carry many
    /// streams.
    func fillOutput(_ room: Int) {}
    /// Runs before the flush at the end of a turn.
    func beforeFlush() {}
    /// The kernel takes no more now, and some output is left.
    func outputWaits() {}
    /// Whether what came before the connection broke is still of use.
    var hearsLastWords: Bool { false }

    // MARK: Events

    final override func ready(_ readiness: Readiness) {
        if flags.contains(.closed) { return }
        if flags.contains(.connecting) {
            guard finishConnect(readiness) else { return }
        }
        if readiness.contains(.error), readiness.contains(.readable), hearsLastWords {
            // Reading comes to the error in the end.
            flags.formUnion([.peerClosed, .canRead])
            return read()
        }
        if readiness.contains(.error) {
            let errno = Syscalls.socketError(fd)
            if errno != 0 { return broke(errno) }
        }
        if readiness.contains(.peerClosed) || readiness.contains(.hangup) { flags.formUnion([.peerClosed, .canRead]) }
        if readiness.contains(.readable) { flags.insert(.canRead) }
        if readiness.contains(.writable), !flags.contains(.canWrite) {
            flags.insert(.canWrite)
            flush()
        }
        guard flags.contains(.canRead) else { return }
        let isShakingHands = pipe?.isReady == false
        read()
        // A handshake takes long, and its peer can do nothing meanwhile: it does not wait for the others of this turn.
        if isShakingHands, flags.contains(.scheduled) { flush() }
    }

    final override func turnEnded() {
        flags.remove(.scheduled)
        if flags.contains(.closed) { return }
        beforeFlush()
        flush()
    }

    /// Asks for a flush at the end of the turn.
    @inline(__always)
    final func scheduleFlush() {
        if flags.contains(.scheduled) { return }
        flags.insert(.scheduled)
        worker.loop.atTurnEnd(self)
    }

    private func finishConnect(_ readiness: Readiness) -> Bool {
        guard !readiness.isDisjoint(with: [.writable, .error, .hangup]) else { return false }
        let errno = Syscalls.socketError(fd)
        flags.remove(.connecting)
        if errno != 0 {
            failed(errno)
            return false
        }
        flags.insert(.canWrite)
        facts.connectedAt = worker.instant
        if let local = Syscalls.localAddress(fd), local.family != .unix { facts.localAddress = local.description }
        connected()
        return !flags.contains(.closed)
    }

    // MARK: Reading

    /// Reads while there is something, the inside wants it, and the turn's share is not used up.
    final func read() {
        if flags.contains(.lingering) { return dropInput() }
        var left = Self.turnBudget
        while flags.contains(.canRead), !flags.contains(.closed), !flags.contains(.connecting), wantsInput {
            if left <= 0 {
                worker.loop.again(self)
                return
            }
            let isBulk = flags.contains(.bulk)
            let capacity = isBulk ? PagePool.bulkRead : PagePool.pageRead
            let page = unsafe worker.pages.acquire(capacity: isBulk ? PagePool.bulkCapacity : PagePool.pageCapacity)
            let memory = unsafe PagePool.payload(of: page)
            let room = unsafe UnsafeMutableRawBufferPointer(start: memory, count: capacity)
            switch unsafe Syscalls.read(fd, into: room) {
            case .bytes(let count):
                bytesReceived += count
                traffic.received.add(UInt64(count))
                left -= count
                if count < capacity {
                    flags.remove(.bulk)
                    if !flags.contains(.peerClosed) { flags.remove(.canRead) }
                } else {
                    flags.insert(.bulk)
                }
                arrived(unsafe ByteChunk(page: page, start: memory, count: count), last: false)
            case .wouldBlock:
                unsafe PagePool.dropReference(page)
                flags.remove(.canRead)
                if broken != 0 { return failed(broken) }
            case .ended:
                unsafe PagePool.dropReference(page)
                flags.remove(.canRead)
                // What a broken connection ends with is no end.
                if broken != 0 { return failed(broken) }
                flags.insert(.readEnded)
                arrived(ByteChunk(), last: true)
            case .failed(let errno):
                unsafe PagePool.dropReference(page)
                flags.remove(.canRead)
                return broke(errno)
            }
        }
    }

    /// Takes bytes that somebody else has read from the socket, as if they had just come.
    final func takeEarlyBytes(_ bytes: RawSpan) {
        var start = 0
        while start < bytes.byteCount, !flags.contains(.closed) {
            let end = min(bytes.byteCount, start + PagePool.pageRead)
            arrived(worker.pages.chunk(copying: bytes.extracting(start..<end)), last: false)
            start = end
        }
    }

    /// Looks again whether the inside wants bytes; anyone may call it at any time.
    func resumeReading() {
        guard !flags.contains(.closed) else { return }
        flags.insert(.wantsDecode)
        scheduleFlush()
    }

    @inline(__always)
    private func arrived(_ chunk: consuming ByteChunk, last: Bool) {
        if let pipe { return pipe.inward(chunk, last: last) }
        received(chunk, last: last)
    }

    // MARK: Writing

    /// Whether so much waits that the source of it should stop.
    final var isOutputFull: Bool {
        if waitingWeight < highWatermark { return false }
        // It may only wait for the end of the turn: try before the source is stopped.
        flush()
        if waitingWeight < highWatermark { return false }
        if !flags.contains(.outputFull) { outputFilled() }
        flags.insert(.outputFull)
        return true
    }

    /// What waits for the socket, byte filters included.
    private var waitingWeight: Int { unsafe output.pointee.queue.weight + (pipe?.outwardWeight ?? 0) }

    /// Where the inside writes: straight to the socket's output, or to the byte stages.
    final var innerOutput: UnsafeMutablePointer<ByteOutput> { unsafe pipe?.inner ?? output }

    /// Lets the inside write more, and passes it through the byte filters.
    private func fill() {
        if flags.contains(.closed) { return }
        fillOutput(max(0, highWatermark - waitingWeight))
        pipe?.outwardPending()
    }

    /// So much waits for the socket, beside what bodies are held to, that the peer is to read before it says more.
    final var isJammed: Bool {
        guard waitingWeight > highWatermark * 4 else { return false }
        flags.insert(.outputFull)
        return true
    }

    /// Writes as much as the kernel takes.
    final func flush() {
        if flags.contains(.closed) { return }
        if isShared { fillOutput(max(0, highWatermark - waitingWeight)) }
        // Before the connection is made the stages are not open, and would let everything pass unseen.
        if let pipe, !flags.contains(.connecting) {
            pipe.outwardPending()
            // What the byte filters say at the end goes out with the last answer, not behind it.
            if flags.contains(.closeAfterOutput), pipe.mayTakeLeave, pipe.outwardWeight == 0 {
                pipe.outward(ByteChunk(), last: true)
            }
        }
        while flags.contains(.canWrite), !flags.contains(.connecting) {
            if unsafe output.pointee.queue.isEmpty {
                fill()
                if unsafe output.pointee.queue.isEmpty { break }
            }
            var offered = 0
            switch unsafe SendVector.send(fd, output.pointee.queue, offered: &offered) {
            case .bytes(let count):
                bytesSent += count
                traffic.sent.add(UInt64(count))
                unsafe output.pointee.queue.removeFirst(count)
                if count < offered { flags.remove(.canWrite) }
            case .wouldBlock: flags.remove(.canWrite)
            case .ended: return failed(0)
            case .failed(let errno): return cannotWrite(errno)
            }
        }
        afterFlush()
    }

    /// The connection broke while it was written to. What the peer said before may be why.
    private func cannotWrite(_ errno: Int32) {
        guard hearsLastWords, !flags.contains(.readEnded) else { return broke(errno) }
        if broken == 0 { broken = errno }
        unsafe output.pointee.queue.removeAll()
        flags.formUnion([.peerClosed, .canRead, .writeEnded])
        resumeReading()
    }

    /// The connection broke, and with it what is said of who has ended it.
    private func broke(_ errno: Int32) {
        if broken == 0 { broken = errno }
        failed(errno)
    }

    private func afterFlush() {
        let waiting = unsafe output.pointee.byteCount
        if flags.contains(.outputFull), waitingWeight <= highWatermark / 4 {
            flags.remove(.outputFull)
            outputDrained()
        }
        if waiting > 0 { return outputWaits() }
        guard !flags.contains(.closed), !flags.contains(.connecting) else { return }
        if flags.contains(.shutWriteAfterOutput), !flags.contains(.writeEnded) {
            flags.insert(.writeEnded)
            Syscalls.shutdownWrite(fd)
        }
        guard flags.contains(.closeAfterOutput) || flags.contains(.shutWriteAfterOutput) else { return }
        if let pipe, pipe.mayTakeLeave {
            // The byte filters have not been told of the end: what they say goes out first.
            pipe.outward(ByteChunk(), last: true)
            if unsafe !output.pointee.queue.isEmpty { return flush() }
        }
        outputEnded()
    }

    // MARK: Connecting

    /// Begins to connect to an address.
    ///
    /// - Throws: where the kernel refuses at once.
    final func dial(_ address: SocketAddress, keepAlive: SocketOption?) throws(SystemFault) {
        let fd = try Dialer.dial(address, keepAlive: keepAlive)
        do throws(SystemFault) {
            try worker.loop.register(self, fd: fd)
        } catch {
            Syscalls.close(fd)
            throw error
        }
        flags.insert(.connecting)
    }

    // MARK: Closing

    /// Whether the peer has ended the connection, as far as that is known.
    final var isEndedByPeer: Bool { !flags.isDisjoint(with: [.readEnded, .peerClosed]) || broken != 0 }

    /// Closes now; what waits is lost.
    final func close() {
        if flags.contains(.closed) { return }
        flags.insert(.closed)
        if lingerIndex >= 0 { worker.lingering.remove(self) }
        if let pipe, pipe.mayTakeLeave, flags.isDisjoint(with: [.connecting, .writeEnded]) { takeLeave(pipe) }
        closing()
        pipe?.closeStages(.complete)
        unsafe output.pointee.queue.removeAll()
        if isRegistered { worker.loop.close(self) }
        closed()
    }

    /// Writes what waits, if the kernel takes it at once, before the connection is given up.
    final func flushLastWords() {
        guard isRegistered, broken == 0, unsafe !output.pointee.queue.isEmpty else { return }
        var offered = 0
        _ = unsafe SendVector.send(fd, output.pointee.queue, offered: &offered)
    }

    /// Lets the byte filters say goodbye, where everything else has been said and the kernel takes it at once.
    private func takeLeave(_ pipe: BytePipe) {
        guard isRegistered, broken == 0, unsafe output.pointee.queue.isEmpty, unsafe pipe.inner.pointee.queue.isEmpty
        else { return }
        pipe.outward(ByteChunk(), last: true)
        flushLastWords()
    }

    /// Closes so that the peer sees a connection that broke, not one that ended: what it has got may not be all.
    final func reset() {
        if isRegistered, !flags.contains(.closed) { try? Syscalls.set(.resetOnClose, on: fd) }
        pipe?.forbidLeave()
        close()
    }

    /// Ends our direction, and waits a moment for the peer to end its own, so that the last answer is not lost to a
    /// reset for bytes that nobody reads (RFC 9112 section 9.6).
    final func linger() {
        guard !flags.contains(.closed), !flags.contains(.lingering) else { return }
        if flags.contains(.readEnded) { return close() }
        flags.insert(.lingering)
        if !flags.contains(.writeEnded) {
            flags.insert(.writeEnded)
            Syscalls.shutdownWrite(fd)
        }
        worker.lingering.add(self)
        flags.insert(.canRead)
        dropInput()
    }

    private func dropInput() {
        var left = Self.turnBudget
        while left > 0, !flags.contains(.closed) {
            switch unsafe Syscalls.read(fd, into: worker.scratch) {
            case .bytes(let count): left -= count
            case .wouldBlock: return
            case .ended, .failed: return close()
            }
        }
        // Whoever sends this much after its answer does not want to hear it.
        close()
    }
}
