public import FilterAPI

/// Compresses responses for clients that accept `gzip`; if told so decompresses, and does the same for requests.
public final class Gzip: HTTPFilter {
    /// What is kept of one stream.
    public struct State {
        var client = ClientWish()
        var request = BodyWork.none
        var response = BodyWork.none
        /// It will be woken to let out what compressors have gathered.
        var isWakeDue = false
    }

    /// Everything but faults and where requests go.
    public static let interest: Interest = [
        .lifetime, .requestHead, .requestBody, .requestTrailers, .responseHead, .responseBody, .responseTrailers,
    ]

    /// Only the directions in which something is done.
    public var activeInterest: Interest {
        var interest = Self.interest
        if settings.requests == .off { interest.subtract([.requestBody, .requestTrailers]) }
        if settings.responses == .off { interest.subtract([.responseHead, .responseBody, .responseTrailers]) }
        return interest
    }

    /// Name, summary and counters.
    public static let manifest = Manifest(
        id: "gzip", summary: "Compresses responses for clients that accept it; can decompress, and do so for requests.",
        stats: GzipCounters.descriptions, reasons: GzipReasons.descriptions)

    let settings: Settings
    let types: MediaTypeList
    let limits: InflateLimits
    let counters: GzipCounters
    var fields = CodingFields()
    private let bodies: LimitedCount
    private let bodiesReached: ReachedLimit
    private var deflaters = SpareStates<Deflater>()
    private var inflaters = SpareStates<Inflater>()

    /// Finds the count of bodies that other workers have.
    public init(_ settings: Settings, on worker: inout WorkerContext) throws(ConfigurationFault) {
        self.settings = settings
        types = MediaTypeList(settings.contentTypes)
        limits = InflateLimits(ratio: settings.maxRatio, size: settings.maxSize.bytes)
        counters = GzipCounters(worker)
        bodies = worker.shared("bodies") { LimitedCount() }
        bodiesReached = ReachedLimit(
            text: "max_bodies: \(settings.maxBodies) of gzip", place: worker.place(of: "max_bodies"))
    }

    /// Begins with nothing to do.
    public func open(_ stream: inout Stream) throws(Fault) -> State? { State() }

    /// Looks at what the client accepts, and begins with the body.
    public func requestHead(
        _ head: inout RequestHead, last: Bool, _ state: inout State, _ stream: inout Stream
    ) throws(Fault) -> Step {
        if settings.responses != .off { state.client = ClientWish(head) }
        if !last { state.request = try work(on: &head, &stream) }
        if case .none = state.request { return .leave }
        return .next
    }

    /// Compresses or decompresses a piece.
    public func requestBody(
        _ chunk: inout ByteChunk, last: Bool, _ state: inout State, _ stream: inout Stream
    ) throws(Fault) -> Step {
        try change(&chunk, last: last, &state.request, .request, &state.isWakeDue, &stream)
    }

    /// Ends the body, of which no piece was the last.
    public func requestTrailers(
        _ trailers: inout Headers, _ state: inout State, _ stream: inout Stream
    ) throws(Fault) -> Step {
        try endBody(&trailers, &state.request, .request, &stream)
        return .next
    }

    /// Decides what is done with a response.
    public func responseHead(
        _ head: inout ResponseHead, last: Bool, _ state: inout State, _ stream: inout Stream
    ) throws(Fault) -> Step {
        state.response = try work(on: &head, last: last, state.client, &stream)
        if case .none = state.response { return .leave }
        return .next
    }

    /// Compresses or decompresses a piece.
    public func responseBody(
        _ chunk: inout ByteChunk, last: Bool, _ state: inout State, _ stream: inout Stream
    ) throws(Fault) -> Step {
        try change(&chunk, last: last, &state.response, .response, &state.isWakeDue, &stream)
    }

    /// Ends the body, of which no piece was the last.
    public func responseTrailers(
        _ trailers: inout Headers, _ state: inout State, _ stream: inout Stream
    ) throws(Fault) -> Step {
        try endBody(&trailers, &state.response, .response, &stream)
        return .next
    }

    /// Lets out what has been gathered since somebody sent something.
    public func wake(_ state: inout State, _ stream: inout Stream) throws(Fault) {
        state.isWakeDue = false
        letOut(state.request, .request, &stream)
        letOut(state.response, .response, &stream)
    }

    /// Takes compressors and decompressors back, whatever has become of the stream.
    public func close(_ state: inout State, _ ending: Ending, _ stream: inout Stream) {
        end(&state.request, now: stream.now)
        end(&state.response, now: stream.now)
    }

    // MARK: Compressors and decompressors

    /// How many compressors wait to be used again.
    var spareCompressors: Int { deflaters.count }
    /// How many decompressors do.
    var spareDecompressors: Int { inflaters.count }

    /// Takes a place among the bodies that are worked on.
    private func takePlace() -> Bool {
        if bodies.take(limit: settings.maxBodies) { return true }
        counters.maxBodies.add()
        return false
    }

    /// - Returns: a compressor; nil where too many are in use, or there is no memory for one.
    func beginCompressing(level: Int) -> Deflater? {
        guard takePlace() else { return nil }
        if let spare = deflaters.take() {
            spare.begin(level: level)
            return spare
        }
        let fresh = Deflater(level: level, windowBits: settings.windowBits, memoryLevel: settings.memoryLevel)
        if fresh == nil { bodies.give() }
        return fresh
    }

    /// - Throws: where too many are in use: what nobody can read cannot go on as it is.
    func beginDecompressing(_ coding: BodyCoding, _ stream: inout Stream) throws(Fault) -> Inflater {
        guard takePlace() else {
            stream.facts.limit = bodiesReached
            throw Fault(.overloaded, "gzip.max_bodies")
        }
        if let spare = inflaters.take() {
            spare.begin(coding)
            return spare
        }
        do throws(Fault) { return try Inflater(coding) } catch {
            bodies.give()
            throw error
        }
    }

    /// The body is over, or given up.
    func end(_ work: inout BodyWork, now: Instant) {
        switch work {
        case .none: return
        case .compress(let deflater, _):
            counters.uncompressedBytes.add(UInt64(deflater.bytesIn))
            counters.compressedBytes.add(UInt64(deflater.bytesOut))
            deflaters.put(deflater, now: now)
        case .decompress(let inflater):
            counters.decompressedBytesIn.add(UInt64(inflater.bytesIn))
            counters.decompressedBytesOut.add(UInt64(inflater.bytesOut))
            inflaters.put(inflater, now: now)
        }
        bodies.give()
        work = .none
    }
}
