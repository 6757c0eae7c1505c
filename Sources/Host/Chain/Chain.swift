internal import FilterAPI

/// A chain as one worker runs it: the filters it has made, and where their states lie in memory.
///
/// Built once per worker and generation, never changed. The walk goes over the set bits of masks, so that a filter
/// costs nothing for the events it is not interested in.
///
/// SAFETY: `byteStages` and the table's `httpStages` have as many entries as there are stages; the filters that they point at
/// without counting are kept alive by `filters`, as long as the chain.
@safe
final class Chain {
    /// A filter of a byte chain: its type, by which its methods are found, itself, and where its states lie.
    @unsafe
    struct ByteStage {
        let type: any ByteEvents.Type
        let filter: UnsafeRawPointer
        let offset: Int
        /// See ``StageLabel/bits``.
        let label: UInt
    }

    /// A filter of the HTTP part of a chain, likewise.
    @unsafe
    struct HTTPStage {
        let type: any HTTPEvents.Type
        let filter: UnsafeRawPointer
        let offset: Int
        /// See ``StageLabel/bits``.
        let label: UInt
    }

    let plan: ChainPlan
    /// See ``StageLabel/bits``; 0 where there is no codec.
    let codecLabel: UInt
    /// The plugins that the HTTP stages come from; nil for filters that come with Sluice.
    let plugins: [PluginModule?]
    /// Those that the byte stages come from.
    let bytePlugins: [PluginModule?]
    private let filters: [any Filter]

    let byteStages: UnsafeMutablePointer<ByteStage>
    let byteCount: Int
    let httpCount: Int
    let serverCodec: (any ServerCodec)?
    let clientCodec: (any ClientCodec)?
    /// Memory per connection: the codec's state first, then the byte stages'.
    let connectionBlock: BlockLayout
    /// Memory per stream: the codec's state of the stream first, then the HTTP stages'.
    let streamBlock: BlockLayout

    /// What the walk looks at, for each event of each stream; in memory of its own, so that nothing is counted.
    let table: UnsafeMutablePointer<ChainTable>
    let byteLifetimeMask: UInt64
    /// Where it is kept how long filters take; nil where nobody wants to know.
    private(set) var times: ChainTimes?

    /// A chain of filters that were made.
    ///
    /// - Parameter owner: whose it is, for reports: `listener inbound`.
    init(plan: ChainPlan, filters: [any Filter], owner: String) {
        self.plan = plan
        let labels = plan.stages.map { StageLabel.of(stage: $0.name, owner: owner, plugin: $0.plugin?.path) }
        self.filters = filters
        serverCodec = filters.lazy.compactMap { $0 as? any ServerCodec }.first
        clientCodec = filters.lazy.compactMap { $0 as? any ClientCodec }.first
        let byteFilters = filters.compactMap { $0 as? any ByteEvents }
        let httpFilters = filters.compactMap { $0 as? any HTTPEvents }
        let byteLabels = zip(filters, labels).filter { $0.0 is any ByteEvents }.map(\.1)
        let httpLabels = zip(filters, labels).filter { $0.0 is any HTTPEvents }.map(\.1)
        codecLabel = zip(filters, labels).first { $0.0 is any ServerCodec || $0.0 is any ClientCodec }?.1.bits ?? 0
        plugins = plan.stages.filter { $0.role == .httpFilter || $0.role == .httpTerminal }.map(\.plugin)
        bytePlugins = plan.stages.filter { $0.role == .byteFilter || $0.role == .byteTerminal }.map(\.plugin)

        var connection = BlockLayout()
        var stream = BlockLayout()
        if let serverCodec {
            connection.add(type(of: serverCodec)._stateLayout)
            stream.add(type(of: serverCodec)._streamStateLayout)
        }
        if let clientCodec { connection.add(type(of: clientCodec)._stateLayout) }
        byteCount = byteFilters.count
        unsafe byteStages = .allocate(capacity: max(1, byteCount))
        for (index, filter) in byteFilters.enumerated() {
            let offset = connection.add(type(of: filter)._stateLayout)
            unsafe (byteStages + index).initialize(
                to: ByteStage(
                    type: type(of: filter), filter: Self.pointer(to: filter), offset: offset,
                    label: byteLabels[index].bits))
        }
        httpCount = httpFilters.count
        let httpStages = UnsafeMutablePointer<HTTPStage>.allocate(capacity: max(1, httpCount))
        for (index, filter) in httpFilters.enumerated() {
            let offset = stream.add(type(of: filter)._stateLayout)
            unsafe (httpStages + index).initialize(
                to: HTTPStage(
                    type: type(of: filter), filter: Self.pointer(to: filter), offset: offset,
                    label: httpLabels[index].bits))
        }
        connectionBlock = connection
        streamBlock = stream

        let interests = httpFilters.map { type(of: $0).interest.intersection($0.activeInterest) }
        func mask(_ event: Interest) -> UInt64 {
            var bits: UInt64 = 0
            for (index, interest) in interests.enumerated() where interest.contains(event) {
                bits |= 1 << UInt64(index)
            }
            return bits
        }
        // A filter with state is opened whatever it says of its interest: its slot must hold a value.
        var lifetime = mask(.lifetime)
        for (index, filter) in httpFilters.enumerated() where type(of: filter)._stateLayout.size > 0 {
            lifetime |= 1 << UInt64(index)
        }
        unsafe table = .allocate(capacity: 1)
        unsafe table.initialize(
            to: ChainTable(
                httpStages: httpStages, httpCount: httpCount, requestHeadMask: mask(.requestHead),
                requestBodyMask: mask(.requestBody), requestTrailersMask: mask(.requestTrailers),
                interimHeadMask: mask(.interimHead), responseHeadMask: mask(.responseHead),
                responseBodyMask: mask(.responseBody), responseTrailersMask: mask(.responseTrailers),
                faultMask: mask(.faultBelow), lifetimeMask: lifetime, clusterMask: mask(.clusterAttached),
                endpointMask: mask(.endpointPicked), pluginMask: Self.mask(plugins) { $0 != nil },
                terminalMask: Self.mask(httpFilters) { $0 is any HTTPTerminal }))
        byteLifetimeMask = byteCount == 0 ? 0 : (UInt64.max >> UInt64(64 - byteCount))
    }

    /// Measures how long filters take; before the chain is used.
    func measure(_ times: ChainTimes) {
        self.times = times
        unsafe table.pointee.isTimed = true
    }

    private static func mask<T>(_ stages: [T], _ isIn: (T) -> Bool) -> UInt64 {
        stages.enumerated().reduce(0) { isIn($1.element) ? $0 | 1 << UInt64($1.offset) : $0 }
    }

    private static func pointer(to filter: AnyObject) -> UnsafeRawPointer {
        unsafe UnsafeRawPointer(Unmanaged.passUnretained(filter).toOpaque())
    }

    deinit {
        unsafe byteStages.deallocate()
        unsafe table.pointee.httpStages.deallocate()
        unsafe table.deallocate()
    }

    /// The name of a stage of the HTTP part, for messages.
    func httpStageName(_ index: Int) -> String {
        let names = plan.stages.filter { $0.role == .httpFilter || $0.role == .httpTerminal }
        return index < names.count ? names[index].name : "?"
    }
}

/// The HTTP stages of a chain, and which of them want to see which event.
///
/// SAFETY: `httpStages` has `httpCount` entries, as long as the chain lives.
@safe
struct ChainTable {
    let httpStages: UnsafeMutablePointer<Chain.HTTPStage>
    let httpCount: Int
    let requestHeadMask: UInt64
    let requestBodyMask: UInt64
    let requestTrailersMask: UInt64
    let interimHeadMask: UInt64
    let responseHeadMask: UInt64
    let responseBodyMask: UInt64
    let responseTrailersMask: UInt64
    let faultMask: UInt64
    let lifetimeMask: UInt64
    let clusterMask: UInt64
    let endpointMask: UInt64
    /// The stages that come from plugins, and those that end the chain.
    let pluginMask: UInt64
    let terminalMask: UInt64
    /// Whether it is measured how long filters take.
    var isTimed = false
}

/// Where slots lie in a block of memory.
struct BlockLayout {
    private(set) var size = 0

    /// Reserves a slot and returns its offset.
    @discardableResult
    mutating func add(_ layout: _SlotLayout) -> Int {
        let alignment = max(1, layout.alignment)
        size = (size + alignment - 1) / alignment * alignment
        defer { size += layout.size }
        return size
    }
}
