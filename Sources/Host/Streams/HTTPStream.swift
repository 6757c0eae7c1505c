internal import Engine
internal import FilterAPI

/// One request and its answer on their way through a chain. Pooled: a worker reuses it for stream after stream.
///
/// The work is spread over extensions: `+Request` walks down, `+Response` walks up, `+Holding` parks and resumes,
/// `+Upstream` has the cluster's connection, `+Ending` answers faults and ends the stream, `+Host` is what filters call.
///
/// SAFETY: the memory behind the pointers is allocated with the object and freed with it. The unowned references are
/// set by ``begin(on:chain:)`` and are good until ``release()``: a stream ends before its connection and its chain.
@safe
final class HTTPStream: LoopTimer {
    /// What is true of the stream now.
    struct Flags: OptionSet {
        let rawValue: UInt32
        static let active = Flags(rawValue: 1 << 0)
        /// The head has been handed to the chain.
        static let requestStarted = Flags(rawValue: 1 << 1)
        /// The client has sent its last byte.
        static let requestEnded = Flags(rawValue: 1 << 2)
        /// An answer was made here: what still comes of the request is dropped.
        static let requestDropped = Flags(rawValue: 1 << 3)
        /// A response's head from the cluster, or from here, has begun to walk up.
        static let responseStarted = Flags(rawValue: 1 << 4)
        /// The head has gone to the client.
        static let responseSent = Flags(rawValue: 1 << 5)
        /// The last byte has gone to the client.
        static let responseEnded = Flags(rawValue: 1 << 6)
        /// A cluster's connection was asked for.
        static let attached = Flags(rawValue: 1 << 7)
        /// The upstream has been given the head.
        static let upstreamStarted = Flags(rawValue: 1 << 8)
        /// The upstream has been given the end of the request, or has none coming.
        static let upstreamRequestEnded = Flags(rawValue: 1 << 9)
        /// The head has come to the bottom of the chain.
        static let reachedBottom = Flags(rawValue: 1 << 10)
        /// The one silent try on a fresh connection has been used.
        static let retriedFresh = Flags(rawValue: 1 << 11)
        /// Body bytes have been handed to the upstream connection, and are not kept.
        static let bodySent = Flags(rawValue: 1 << 12)
        /// Upstream reading was stopped because the response cannot go on.
        static let responseBlocked = Flags(rawValue: 1 << 13)
        /// The stream is a tunnel of bytes, or is about to become one.
        static let tunnel = Flags(rawValue: 1 << 14)
        /// The final request event waits in the backlog.
        static let backlogTrailers = Flags(rawValue: 1 << 15)
        /// A stage has given up what is below it, and has not gone on yet.
        static let abandoned = Flags(rawValue: 1 << 16)
        /// A stage holds the request before it goes to the cluster that was attached.
        static let heldAtCluster = Flags(rawValue: 1 << 17)
        /// The deadline was set by the client, or by a filter, and is no fault of the upstream.
        static let limited = Flags(rawValue: 1 << 18)
        /// The stream is one of the cluster's requests, and one of its further tries.
        static let counted = Flags(rawValue: 1 << 19)
        static let countedRetry = Flags(rawValue: 1 << 20)
        /// A filter has sent the request anew.
        static let replayed = Flags(rawValue: 1 << 21)
        /// A place among the cluster's further tries was taken for one that has not begun.
        static let claimedRetry = Flags(rawValue: 1 << 22)
        /// The stream is one of the listener's tunnels.
        static let countedTunnel = Flags(rawValue: 1 << 23)
        /// So much waits in the client's codec, or in the upstream's, that the other side is to stop; on connections that
        /// many streams share.
        static let responseFull = Flags(rawValue: 1 << 24)
        static let requestFull = Flags(rawValue: 1 << 25)
    }

    let worker: Worker
    let slot: UInt32
    /// Where the worker says which filter it calls.
    let calls: CallRecord
    var generation: UInt32 = 0

    let headMemory: UnsafeMutablePointer<RequestHead>
    var responseMemory: UnsafeMutablePointer<ResponseHead>
    let factsMemory: UnsafeMutablePointer<StreamFacts>
    let view: UnsafeMutablePointer<Stream>
    var requestTrailersMemory: UnsafeMutablePointer<Headers>?
    var responseTrailersMemory: UnsafeMutablePointer<Headers>?
    /// A head that was made by a filter, waiting for the filter to return.
    var replyMemory: UnsafeMutablePointer<ResponseHead>?
    var restartMemory: UnsafeMutablePointer<RequestHead>?
    var block: UnsafeMutableRawPointer
    private var blockSize: Int

    unowned(unsafe) var connection: ServerConnection?
    unowned(unsafe) var chainReference: Chain?
    /// The chain's table; good as long as the chain.
    private var tableMemory: UnsafeMutablePointer<ChainTable>
    var flags: Flags = []
    /// Stages that were opened and must be closed.
    var opened: UInt64 = 0
    /// Stages that are still shown the direction.
    var requestMask: UInt64 = 0
    var responseMask: UInt64 = 0
    /// Stages that the stream goes without: those of plugins that have failed.
    var skipped: UInt64 = 0
    /// Stages of plugins that were shown bytes of a body.
    var touched: UInt64 = 0
    /// Stages that hold something, per direction.
    var parkedRequest: UInt64 = 0
    var parkedResponse: UInt64 = 0
    var parks: [Park] = []
    /// The highest stage that let the final response's head go on; `Int.max` while none did.
    var responseTop = Int.max
    var tokenSerial: UInt32 = 0
    var pendingToken: UInt32 = 0

    // What filters asked for during a call; see `settle`.
    var replyStage = 0
    var replyBody = ""
    var pendingFault: Fault?
    var restartStage = 0
    var restartLast = false
    var sentRequest = SentChunks()
    var sentResponse = SentChunks()
    var sentRequestEnd = false
    /// Another number each time that what was sent is dropped.
    var sentRound: UInt32 = 0

    // The cluster's side.
    var attachedCluster: ClusterID?
    var attachment = Attachment()
    unowned(unsafe) var upstream: ClientConnection?
    /// Keeps the pool of a running stream alive over reloads.
    var pool: ClusterPool?
    /// Where the stream waits in the pool's line.
    unowned(unsafe) var nextWaiting: HTTPStream?
    unowned(unsafe) var previousWaiting: HTTPStream?
    var isWaiting = false
    /// The connection that is being made for it.
    unowned(unsafe) var awaited: ClientConnection?
    /// The stage that holds the request before its cluster, and its token.
    var clusterStage = 0
    var clusterToken: UInt32 = 0
    /// Since when, in ticks; 0 where nobody wants to know.
    var clusterHeldAt: UInt64 = 0
    /// Request bytes that wait for a connection.
    var backlog = ChunkQueue()
    var lastEndpoint: Endpoint?
    /// Endpoints of earlier tries, which a replay passes over.
    var triedEndpoints: [Endpoint] = []
    /// How the present try ends is still to be noted.
    var awaitsOutcome = false

    // Time.
    /// When the whole answer must be there, over all tries; 0 for no such time.
    var timeoutAt: Nanoseconds = 0
    var idleLimit: Nanoseconds = 0
    var lastActivity: Nanoseconds = 0
    var timerDue: Nanoseconds = 0
    var stageTimers: [StageTimer?] = []
    var routeTable: RouteSettingsTable?
    /// Set where the stream carries a filter's own request and has no client.
    var fetch: Fetch?
    /// Requests of the stages' own, by the stage that sent them.
    var fetches: [(stage: Int, fetch: Fetch)] = []
    /// Kept for the next stream whose filters are measured.
    var spareTimes: FilterTimes?

    /// Bytes for which the peer is given no credit yet, where the connection is shared.
    var owedRequest = 0
    var owedResponse = 0
    /// How much the upstream's connection had received when the present try began.
    var receivedBefore = 0
    /// The upstream codec's state of the stream.
    let upstreamState: UnsafeMutableRawPointer
    static let upstreamStateSize = 32
    // The upstream connection's list of its streams.
    unowned(unsafe) var nextOnUpstream: HTTPStream?
    unowned(unsafe) var previousOnUpstream: HTTPStream?

    // The connection's list of its streams.
    unowned(unsafe) var nextOnConnection: HTTPStream?
    unowned(unsafe) var previousOnConnection: HTTPStream?

    init(worker: Worker, slot: UInt32) {
        self.worker = worker
        calls = worker.calls
        self.slot = slot
        unsafe tableMemory = UnsafeMutablePointer(bitPattern: 8).unsafelyUnwrapped
        unsafe headMemory = .allocate(capacity: 1)
        unsafe headMemory.initialize(to: RequestHead())
        unsafe responseMemory = .allocate(capacity: 1)
        unsafe responseMemory.initialize(to: ResponseHead())
        unsafe factsMemory = .allocate(capacity: 1)
        unsafe factsMemory.initialize(to: StreamFacts())
        unsafe view = .allocate(capacity: 1)
        blockSize = 256
        unsafe block = .allocate(byteCount: 256, alignment: 16)
        unsafe upstreamState = .allocate(byteCount: Self.upstreamStateSize, alignment: 16)
        super.init()
        unsafe view.initialize(to: Stream(host: self, facts: factsMemory))
    }

    deinit {
        unsafe headMemory.deinitialize(count: 1).deallocate()
        unsafe responseMemory.deinitialize(count: 1).deallocate()
        unsafe factsMemory.deinitialize(count: 1).deallocate()
        unsafe view.deinitialize(count: 1).deallocate()
        if let memory = unsafe requestTrailersMemory { unsafe memory.deinitialize(count: 1).deallocate() }
        if let memory = unsafe responseTrailersMemory { unsafe memory.deinitialize(count: 1).deallocate() }
        if let memory = unsafe replyMemory { unsafe memory.deinitialize(count: 1).deallocate() }
        if let memory = unsafe restartMemory { unsafe memory.deinitialize(count: 1).deallocate() }
        unsafe block.deallocate()
        unsafe upstreamState.deallocate()
    }

    var handle: StreamHandle { StreamHandle(slot: slot, generation: generation) }

    /// Where codecs find the stream's values. An answer from a filter takes the response's memory away, but then no
    /// codec fills it any more.
    var memory: StreamMemory {
        unsafe StreamMemory(
            handle: handle, requestHead: headMemory, responseHead: responseMemory, facts: factsMemory, state: block)
    }

    /// The same for the upstream's codec, which has a state of its own.
    var memoryForUpstream: StreamMemory {
        unsafe StreamMemory(
            handle: handle, requestHead: headMemory, responseHead: responseMemory, facts: factsMemory,
            state: upstreamState)
    }

    /// The chain of a running stream.
    var chain: Chain {
        @inline(__always) get { unsafe chainReference.unsafelyUnwrapped }
    }

    /// What the walk looks at.
    var table: ChainTable {
        @inline(__always) get { unsafe tableMemory.pointee }
    }

    /// Starts life as a new stream of a connection.
    func begin(on connection: ServerConnection?, chain: Chain) {
        unsafe self.connection = connection
        unsafe chainReference = chain
        unsafe tableMemory = chain.table
        flags = .active
        if chain.streamBlock.size > blockSize {
            unsafe block.deallocate()
            blockSize = chain.streamBlock.size
            unsafe block = .allocate(byteCount: blockSize, alignment: 16)
        }
        if let codec = chain.serverCodec {
            let size = type(of: codec)._streamStateLayout.size
            if size > 0 { unsafe block.initializeMemory(as: UInt8.self, repeating: 0, count: size) }
        }
        lastActivity = worker.loop.now
        if let times = chain.times { beginTimes(times) }
    }

    /// Makes the object as good as new and gives it back to the worker.
    func release() {
        generation &+= 1
        flags = []
        opened = 0
        skipped = 0
        touched = 0
        parkedRequest = 0
        parkedResponse = 0
        if !parks.isEmpty { parks.removeAll() }
        responseTop = Int.max
        pendingToken = 0
        pendingFault = nil
        dropSent()
        backlog.removeAll()
        attachedCluster = nil
        pool = nil
        lastEndpoint = nil
        if !triedEndpoints.isEmpty { triedEndpoints.removeAll(keepingCapacity: true) }
        if routeTable != nil {
            routeTable = nil
            unsafe view.pointee.routeTable = nil
        }
        timeoutAt = 0
        idleLimit = 0
        owedRequest = 0
        owedResponse = 0
        for timer in stageTimers { timer?.disarm() }
        unsafe headMemory.pointee.reset()
        unsafe responseMemory.pointee.reset()
        if let trailers = unsafe requestTrailersMemory { unsafe trailers.pointee.reset() }
        if let trailers = unsafe responseTrailersMemory { unsafe trailers.pointee.reset() }
        if let times = unsafe factsMemory.pointee.filterTimes { forget(times) }
        unsafe factsMemory.pointee = StreamFacts()
        unsafe connection = nil
        unsafe chainReference = nil
        worker.streams.put(self)
    }

    override func fired() { checkTime() }
}

/// Calls a filter's `wake` when its time has come.
final class StageTimer: LoopTimer {
    unowned(unsafe) let stream: HTTPStream
    let stage: Int

    init(stream: HTTPStream, stage: Int) {
        unsafe self.stream = stream
        self.stage = stage
        super.init()
    }

    override func fired() { unsafe stream.wakeStage(stage) }

    func disarm() { if isArmed { unsafe stream.worker.loop.cancel(self) } }
}
