/// Which numbers of streams a client has used, and what has become of those that are not open (RFC 9113 section 5.1).
///
/// Streams are numbered upwards. What a client leaves out can never be used, and of what was given up by us more may be on
/// its way; both are rare, and kept. All others that are not open have ended.
struct HTTP2Numbers {
    enum State { case idle, leftOut, ended, cut }

    private var last: Int32 = -1
    private var gaps: [ClosedRange<Int32>] = []
    private var cuts: [Int32] = []
    private var nextCut = 0
    /// More was given up than is kept: what is not known may be one of those.
    private var hasForgotten = false

    private static let mostGaps = 16
    private static let mostCuts = 512

    /// A stream has begun.
    mutating func begin(_ id: Int32) {
        if id > last + 2, gaps.count < Self.mostGaps { gaps.append(last + 2...id - 2) }
        last = max(last, id)
    }

    /// A stream has ended before the client had sent all of it.
    mutating func cut(_ id: Int32) {
        if cuts.count < Self.mostCuts { return cuts.append(id) }
        hasForgotten = true
        cuts[nextCut] = id
        nextCut = (nextCut + 1) % Self.mostCuts
    }

    /// What has become of a stream that is not open.
    func state(of id: Int32) -> State {
        if id > last || id % 2 == 0 { return .idle }
        if gaps.contains(where: { $0.contains(id) }) { return .leftOut }
        return hasForgotten || cuts.contains(id) ? .cut : .ended
    }
}
