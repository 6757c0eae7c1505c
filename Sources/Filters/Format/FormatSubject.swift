package import FilterAPI

/// What a format is rendered for: one stream, or one connection without HTTP.
///
/// SAFETY: made for one call, by somebody who keeps all that it points at alive and unchanged for so long.
@safe
package struct FormatSubject: ~Copyable {
    private let requestMemory: UnsafePointer<RequestHead>
    private let responseMemory: UnsafePointer<ResponseHead>?
    private let trailersMemory: UnsafePointer<Headers>?
    private let factsMemory: UnsafePointer<StreamFacts>
    package let connection: ConnectionFacts
    package let moment: FormatMoment

    /// A subject.
    ///
    /// - Parameters:
    ///   - response: nil where there is none yet, or none began.
    ///   - trailers: of the response; nil where there are none.
    @unsafe
    package init(
        request: UnsafePointer<RequestHead>, response: UnsafePointer<ResponseHead>?,
        trailers: UnsafePointer<Headers>? = nil, facts: UnsafePointer<StreamFacts>, connection: ConnectionFacts,
        at moment: FormatMoment
    ) {
        unsafe requestMemory = request
        unsafe responseMemory = response
        unsafe trailersMemory = trailers
        unsafe factsMemory = facts
        self.connection = connection
        self.moment = moment
    }

    var request: RequestHead { _read { yield unsafe requestMemory.pointee } }
    var facts: StreamFacts { _read { yield unsafe factsMemory.pointee } }

    /// The client's head without a method is that of a connection which carried bytes only.
    package var isHTTP: Bool { unsafe requestMemory.pointee.methodText.byteCount > 0 }

    /// Shows what is known of the stream, and its request: for other modules, to which an accessor would cost an
    /// allocation.
    package func withFacts<R>(_ body: (borrowing StreamFacts, borrowing RequestHead) -> R) -> R {
        unsafe body(factsMemory.pointee, requestMemory.pointee)
    }

    /// Shows the response, if there is one.
    func withResponse<R>(_ body: (borrowing ResponseHead) -> R) -> R? {
        guard let response = unsafe responseMemory else { return nil }
        return unsafe body(response.pointee)
    }

    /// Shows the response's trailers, if there are any.
    func withTrailers<R>(_ body: (borrowing Headers) -> R) -> R? {
        guard let trailers = unsafe trailersMemory else { return nil }
        return unsafe body(trailers.pointee)
    }
}

/// When a format is rendered, and what for.
package struct FormatMoment {
    /// The time on the clock that ``StreamFacts`` uses.
    package var now: Instant
    /// The same time in nanoseconds since 1970; 0 where ``TextFormat/needsWallClock`` is false.
    package var wallClock: UInt64
    /// What has ended: the status is then the one that the client was given.
    package var occasion: Occasion
    /// The endpoints of earlier tries, in the order in which they were tried.
    package var tried: [FactName] = []

    /// What a format is rendered for.
    package enum Occasion: Sendable {
        /// A field of a message that is on its way.
        case field
        /// The log line of a request and its answer.
        case stream
        /// The log line of a connection without HTTP.
        case connection
    }

    /// A moment.
    package init(now: Instant, wallClock: UInt64 = 0, occasion: Occasion = .field, tried: [FactName] = []) {
        self.now = now
        self.wallClock = wallClock
        self.occasion = occasion
        self.tried = tried
    }
}
