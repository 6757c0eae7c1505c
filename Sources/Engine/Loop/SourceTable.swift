/// The registered sources of a loop by slot, each with a generation that tells an old event from a new one.
///
/// SAFETY: `entries` is owned by this value's one holder (the loop), has `capacity` initialised entries, and never
/// shrinks, so a slot that was once handed out stays a valid index. A source in an entry is retained by it.
@safe struct SourceTable: ~Copyable {
    @unsafe struct Entry {
        var source: Unmanaged<EventSource>?
        var generation: UInt32 = 0
        var nextFree: UInt32 = EventSource.noSlot
    }

    private(set) var entries: UnsafeMutablePointer<Entry>
    private(set) var capacity: Int
    private var firstFree: UInt32 = 0
    private(set) var count = 0

    init() {
        capacity = 64
        unsafe entries = .allocate(capacity: capacity)
        initializeEntries(from: 0)
    }

    deinit {
        for slot in 0..<capacity { unsafe entries[slot].source?.release() }
        unsafe entries.deallocate()
    }

    /// Takes a free slot and retains the source in it.
    mutating func insert(_ source: EventSource) -> (slot: UInt32, generation: UInt32) {
        if firstFree == EventSource.noSlot { grow() }
        let slot = firstFree
        firstFree = unsafe entries[Int(slot)].nextFree
        unsafe entries[Int(slot)].source = Unmanaged.passRetained(source)
        count += 1
        return (slot, unsafe entries[Int(slot)].generation)
    }

    /// Frees a slot; events that were made for it are recognised as stale from now on.
    ///
    /// - Returns: the source, whose retain is now the caller's.
    mutating func remove(slot: UInt32) -> Unmanaged<EventSource>? {
        let source = unsafe entries[Int(slot)].source
        unsafe entries[Int(slot)].source = nil
        unsafe entries[Int(slot)].generation &+= 1
        unsafe entries[Int(slot)].nextFree = firstFree
        firstFree = slot
        count -= 1
        return unsafe source
    }

    /// The source a token was made for, unretained; nil if it has gone since.
    @inline(__always)
    func source(token: UInt64) -> Unmanaged<EventSource>? {
        let entry = unsafe entries[Int(truncatingIfNeeded: token >> 32)]
        return unsafe entry.generation == UInt32(truncatingIfNeeded: token) ? entry.source : nil
    }

    @inline(__always)
    func token(slot: UInt32) -> UInt64 {
        UInt64(slot) << 32 | UInt64(unsafe entries[Int(slot)].generation)
    }

    func holds(_ source: EventSource, slot: UInt32) -> Bool {
        guard Int(slot) < capacity, let held = unsafe entries[Int(slot)].source else { return false }
        return unsafe held.toOpaque() == Unmanaged.passUnretained(source).toOpaque()
    }

    private mutating func grow() {
        let old = capacity
        let bigger = UnsafeMutablePointer<Entry>.allocate(capacity: old * 2)
        unsafe bigger.moveInitialize(from: entries, count: old)
        unsafe entries.deallocate()
        unsafe entries = bigger
        capacity = old * 2
        initializeEntries(from: old)
    }

    private mutating func initializeEntries(from start: Int) {
        for slot in start..<capacity {
            let next = slot + 1 < capacity ? UInt32(slot + 1) : EventSource.noSlot
            unsafe (entries + slot).initialize(to: Entry(source: nil, generation: 0, nextFree: next))
        }
        firstFree = UInt32(start)
    }
}
