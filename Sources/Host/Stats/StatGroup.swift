internal import FilterAPI
internal import Synchronization

/// The statistics of one thing: numbers for each thread that writes them, and nothing else.
///
/// SAFETY: `memory` has the schema's words for each slot; it is freed once, with the group. What a thread writes are the
/// words of its own slot; any thread may read. Whoever writes holds the group, or it is never let go.
@safe
final class StatGroup: Sendable {
    let scope: StatScope
    let schema: StatSchema
    let writers: StatWriters
    var slots: Int { writers.slots }
    private nonisolated(unsafe) let memory: UnsafeMutablePointer<Atomic<UInt64>>
    /// Which entries have been something else than 0 when somebody looked.
    private let seen = Mutex<(UInt64, UInt64)>((0, 0))

    init(_ scope: StatScope, _ schema: StatSchema, _ writers: StatWriters) {
        self.scope = scope
        self.schema = schema
        self.writers = writers
        unsafe memory = StatWords.allocate(max(8, schema.slotWords * writers.slots))
    }

    deinit {
        for entry in schema.entries where entry.description.kind == .histogram {
            for slot in 0..<slots { histogram(entry, slot: slot).free() }
        }
        unsafe memory.deallocate()
    }

    /// The words of one writer.
    func words(slot: Int) -> UnsafeMutablePointer<Atomic<UInt64>> { unsafe memory + slot * schema.slotWords }

    func histogram(_ entry: StatSchema.Entry, slot: Int) -> Histogram {
        unsafe Histogram(at: words(slot: slot) + entry.position)
    }

    /// A histogram by its place among those of a key type.
    func histogram(named name: String, slot: Int) -> Histogram {
        guard let index = schema.index(of: name, .histogram) else { return .detached() }
        return histogram(schema.entries[index], slot: slot)
    }

    /// The sum over all slots; any thread.
    func value(_ entry: StatSchema.Entry) -> Int64 {
        var sum: UInt64 = 0
        for slot in 0..<slots { unsafe sum &+= (words(slot: slot) + entry.position).pointee.load(ordering: .relaxed) }
        return Int64(bitPattern: sum)
    }

    /// What all slots have recorded.
    func read(_ entry: StatSchema.Entry, into totals: inout HistogramTotals) {
        totals.removeAll()
        for slot in 0..<slots { histogram(entry, slot: slot).add(to: &totals) }
    }

    /// Whether a value is shown: one that is 0 now is, where it was something else before.
    func notes(_ index: Int, isZero: Bool) -> Bool {
        let bit = UInt64(1) << UInt64(index % 64)
        return seen.withLock { seen in
            switch index / 64 {
            case 0:
                if !isZero { seen.0 |= bit }
                return seen.0 & bit != 0
            case 1:
                if !isZero { seen.1 |= bit }
                return seen.1 & bit != 0
            default: return true
            }
        }
    }

    /// Sets the counters of one slot to 0; on the thread that writes them.
    func resetCounters(slot: Int) {
        for entry in schema.entries {
            switch entry.description.kind {
            case .counter: unsafe (words(slot: slot) + entry.position).pointee.store(0, ordering: .relaxed)
            case .histogram: histogram(entry, slot: slot).reset()
            case .gauge: break
            }
        }
    }

    /// Bytes that it takes, histograms' decades included; for the measure of what statistics cost.
    var footprint: Int {
        var bytes = schema.slotWords * slots * 8
        for entry in schema.entries where entry.description.kind == .histogram {
            for slot in 0..<slots {
                bytes += histogram(entry, slot: slot).valueBytes
            }
        }
        return bytes
    }
}
