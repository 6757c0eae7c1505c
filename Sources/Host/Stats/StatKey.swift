internal import FilterAPI
internal import Synchronization

/// Names the host's own statistics of one kind of thing: an enumeration whose raw values count from 0, scalars first, so
/// that the compiler knows where each stands.
protocol StatKey: CaseIterable, RawRepresentable, Sendable where RawValue == Int {
    /// What is kept, scalars in the order of the raw values, histograms behind them.
    static var entries: [StatSchema.Entry] { get }
    /// The same with their places in memory.
    static var schema: StatSchema { get }
}

/// One worker's share of a group whose scalars have the names of `Key`.
///
/// SAFETY: the group is kept alive by whoever keeps this, for as long.
@safe
struct StatSlots<Key: StatKey>: Sendable, BitwiseCopyable {
    private nonisolated(unsafe) let words: UnsafeMutablePointer<Atomic<UInt64>>

    init(_ group: StatGroup, slot: Int) { unsafe words = group.words(slot: slot) }

    /// Adds, also to what goes up and down; on the slot's own thread only.
    @inline(__always)
    func add(_ key: Key, _ amount: Int = 1) {
        let cell = unsafe words + key.rawValue
        unsafe cell.pointee.store(
            cell.pointee.load(ordering: .relaxed) &+ UInt64(bitPattern: Int64(amount)), ordering: .relaxed)
    }

    /// Sets what goes up and down.
    func set(_ key: Key, _ value: Int) {
        unsafe (words + key.rawValue).pointee.store(UInt64(bitPattern: Int64(value)), ordering: .relaxed)
    }

    func value(_ key: Key) -> Int {
        unsafe Int(Int64(bitPattern: (words + key.rawValue).pointee.load(ordering: .relaxed)))
    }

    /// The number by itself, for whoever sets it without knowing what it is.
    func gauge(_ key: Key) -> Gauge { unsafe Gauge(cell: words + key.rawValue) }

    /// The counter by itself, for whoever adds to it without knowing what it is.
    func counter(_ key: Key) -> FilterAPI.Counter { unsafe FilterAPI.Counter(cell: words + key.rawValue) }
}
