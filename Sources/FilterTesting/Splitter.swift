/// Shows the same bytes to a decoder in one piece, cut in two everywhere, byte by byte, and in random pieces.
///
/// How bytes are cut is up to the network, so nothing that a decoder says may depend on it.
///
/// ```swift
/// let result = Splitter("GET / HTTP/1.1\r\n\r\n").run { pieces in
///     let bench = ServerBench(codec)
///     for piece in pieces { bench.receive(piece) }
///     return bench.transcript.description
/// }
/// #expect(result.difference == nil)
/// ```
public struct Splitter {
    /// The bytes.
    public let input: [UInt8]
    /// How many cuts in two are tried where the input has more places for them; they are spread evenly.
    public var cutLimit = 512
    /// How many times the input is cut at random.
    public var randomRuns = 16
    /// Which random pieces are taken; with the same number they are the same.
    public var seed: UInt64 = 0
    /// Whether empty pieces are put before, between and behind others too.
    public var addsEmptyPieces = false

    /// What came out.
    public struct Result {
        /// The description of the input in one piece.
        public let whole: String
        /// The first way of cutting that gave another description; nil where there was none.
        public let difference: Difference?
    }

    /// A way of cutting that changed the outcome.
    public struct Difference: CustomStringConvertible {
        /// The pieces, as they were shown.
        public let pieces: [[UInt8]]
        /// What the input in one piece gave.
        public let whole: String
        /// What these pieces gave.
        public let cut: String

        /// Both outcomes, with the pieces.
        public var description: String {
            let shown = pieces.count > 64 ? "\(pieces.count) pieces" : pieces.map(printable).joined(separator: " | ")
            return "cut as \(shown)\n--- in one piece:\n\(whole)\n--- cut:\n\(cut)"
        }
    }

    /// For these bytes.
    public init(_ input: [UInt8]) { self.input = input }

    /// For the bytes of a text.
    public init(_ text: String) { self.init(Array(text.utf8)) }

    /// Runs the decoder over all ways of cutting.
    ///
    /// - Parameter body: takes the pieces into a fresh decoder, and describes what it said.
    /// - Returns: the description, and the first difference.
    public func run(_ body: ([[UInt8]]) throws -> String) rethrows -> Result {
        let whole = try body([input])
        for pieces in waysOfCutting {
            let cut = try body(pieces)
            if cut != whole {
                return Result(whole: whole, difference: Difference(pieces: pieces, whole: whole, cut: cut))
            }
        }
        return Result(whole: whole, difference: nil)
    }

    /// Does something with each way of cutting some bytes: in one piece, in two everywhere, byte by byte, at random, and
    /// with empty pieces. For tests that look at each outcome by themselves.
    ///
    /// ```swift
    /// try Splitter.forEachSplit(of: "hello") { pieces in
    ///     let stream = FakeStream(try worker.make(MyFilter.self))
    ///     stream.requestHead(last: true)
    ///     stream.responseHead()
    ///     for piece in pieces { stream.responseBody(bytes: piece) }
    ///     stream.responseBody("", last: true)
    ///     #expect(stream.above.text == "hello")
    ///     stream.close()
    /// }
    /// ```
    public static func forEachSplit(of text: String, _ body: ([[UInt8]]) throws -> Void) rethrows {
        try forEachSplit(of: Array(text.utf8), body)
    }

    /// Does something with each way of cutting some bytes.
    public static func forEachSplit(of bytes: [UInt8], _ body: ([[UInt8]]) throws -> Void) rethrows {
        var splitter = Splitter(bytes)
        splitter.addsEmptyPieces = true
        try body([bytes])
        for pieces in splitter.waysOfCutting { try body(pieces) }
    }

    private var waysOfCutting: some Sequence<[[UInt8]]> {
        let twos = cutPoints.lazy.map { [Array(input[..<$0]), Array(input[$0...])] }
        let bytes = CollectionOfOne(input.map { [$0] })
        var generator = SmallGenerator(seed: UInt64(input.count) ^ seed)
        let randoms = (0..<(input.count > 2 ? randomRuns : 0)).map { _ in randomPieces(&generator) }
        let empties = addsEmptyPieces ? withEmptyPieces : []
        return [AnySequence(twos), AnySequence(bytes), AnySequence(randoms), AnySequence(empties)].joined()
    }

    private var withEmptyPieces: [[[UInt8]]] {
        let middle = input.count / 2
        return [
            [[], input], [input, []], [Array(input[..<middle]), [], [], Array(input[middle...])],
            [[]] + input.flatMap { [[$0], []] },
        ]
    }

    private var cutPoints: [Int] {
        guard input.count > 1 else { return [] }
        let places = input.count - 1
        if places <= cutLimit { return Array(1...places) }
        return (0..<cutLimit).map { 1 + $0 * places / cutLimit }
    }

    private func randomPieces(_ generator: inout SmallGenerator) -> [[UInt8]] {
        let largest = max(2, min(input.count / 2, 1 << Int.random(in: 1...12, using: &generator)))
        var pieces: [[UInt8]] = []
        var start = 0
        while start < input.count {
            let end = min(input.count, start + Int.random(in: 1...largest, using: &generator))
            pieces.append(Array(input[start..<end]))
            start = end
        }
        return pieces
    }
}

/// Random numbers that are the same in every run (splitmix64).
public struct SmallGenerator: RandomNumberGenerator {
    private var state: UInt64

    /// From a seed.
    public init(seed: UInt64) { state = seed }

    /// The next number.
    public mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
