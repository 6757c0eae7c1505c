internal import FilterAPI

/// What a session keeps of one stream. Pooled: see ``HTTP2Streams``.
final class HTTP2Stream {
    struct Flags: OptionSet {
        let rawValue: UInt32
        /// The fields that come now are trailers.
        static let inTrailers = Flags(rawValue: 1 << 0)
        /// The final head has come.
        static let headDone = Flags(rawValue: 1 << 1)
        /// The peer has sent its last byte.
        static let peerEnded = Flags(rawValue: 1 << 2)
        /// Our last byte has been handed over.
        static let ended = Flags(rawValue: 1 << 3)
        /// Our last byte has gone to the output.
        static let endSent = Flags(rawValue: 1 << 4)
        /// libnghttp2 has asked for bytes when there were none.
        static let deferred = Flags(rawValue: 1 << 5)
        /// The host has been told that enough waits.
        static let full = Flags(rawValue: 1 << 6)
        /// The host is done with the stream.
        static let hostDone = Flags(rawValue: 1 << 7)
        /// libnghttp2 is done with the stream.
        static let wireDone = Flags(rawValue: 1 << 8)
        /// Trailers follow the body.
        static let trailers = Flags(rawValue: 1 << 9)
        /// HEAD: there is a length and no body.
        static let isHead = Flags(rawValue: 1 << 10)
        /// CONNECT, extended or not.
        static let isTunnel = Flags(rawValue: 1 << 11)
        /// Extended CONNECT (RFC 8441), which stands for an upgrade of HTTP/1.
        static let isUpgrade = Flags(rawValue: 1 << 12)
        /// We have sent a final head.
        static let answered = Flags(rawValue: 1 << 13)
        /// It was reset by us already.
        static let reset = Flags(rawValue: 1 << 14)
        /// A tunnel was asked for and not given: what comes of it is of no use.
        static let declined = Flags(rawValue: 1 << 16)
        /// The answer cannot be used, and the host has been told.
        static let stopped = Flags(rawValue: 1 << 17)
        /// It was reset by the peer.
        static let peerReset = Flags(rawValue: 1 << 18)
        /// A tunnel that is asked for when the upstream has said what it takes.
        static let waits = Flags(rawValue: 1 << 19)
    }

    var flags: Flags = []
    var id: Int32 = 0
    var handle = StreamHandle.none
    /// Place in the session's list of open streams.
    var place = 0
    /// Bytes of our body that wait for credit or room.
    var outgoing = ChunkQueue()
    /// Made for the first trailers, then kept.
    private(set) var trailers: HTTP2Trailers?
    /// What our `content-length` says is still to come; -1 where it says nothing.
    var owed = -1
    /// Bytes that have come and that the host has not let go.
    var held = 0
    /// Fields of the block that is being read, and their size (RFC 9113 section 6.5.2).
    var fieldCount = 0
    var fieldBytes = 0
    /// Why the head cannot be served, where libnghttp2 does not mind.
    var fault: Fault?
    var cookies = 0
    /// Heads with a status 1xx.
    var interims = 0
    /// When its first byte came, or went.
    var began = Instant.none
    /// When bytes of a body last moved, in either direction.
    var lastMoved = Instant.none
    /// The key that a client of HTTP/1 sent for its upgrade, to be answered.
    var upgradeKey = ""

    /// Keeps trailers until the body has gone.
    func keep(_ fields: borrowing Headers) {
        let trailers = trailers ?? HTTP2Trailers()
        trailers.fields.copy(from: fields)
        self.trailers = trailers
        flags.formUnion([.trailers, .ended])
    }

    /// As good as new.
    func clear() {
        flags = []
        handle = .none
        outgoing.removeAll()
        owed = -1
        held = 0
        fieldCount = 0
        fieldBytes = 0
        fault = nil
        cookies = 0
        interims = 0
        if !upgradeKey.isEmpty { upgradeKey = "" }
        trailers?.fields.reset()
    }

    /// Whether both directions have ended as they should.
    var isComplete: Bool { flags.isSuperset(of: [.peerEnded, .endSent]) }
}

/// Trailers that wait.
final class HTTP2Trailers {
    var fields = Headers()
}
