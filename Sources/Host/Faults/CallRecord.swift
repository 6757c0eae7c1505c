internal import CLinux
internal import Synchronization

/// Which filter a worker is calling now, where crash reports and the watchdog can see it.
///
/// One plain store before a call and one after: it costs the calls nothing that can be measured.
///
/// SAFETY: the memory is allocated with the worker and never freed, as workers live as long as the process. The worker's
/// thread writes the word and others read it, as a whole: it is one machine word.
@safe
struct CallRecord: BitwiseCopyable, @unchecked Sendable {
    private let memory: UnsafeMutablePointer<sluice_call_record>

    init(worker: Int) {
        unsafe memory = .allocate(capacity: 1)
        unsafe memory.initialize(to: sluice_call_record(word: 0, worker: UInt32(worker)))
    }

    private var word: UnsafeMutablePointer<Atomic<UInt>> {
        @inline(__always)
        get {
            unsafe UnsafeMutableRawPointer(memory).assumingMemoryBound(to: Atomic<UInt>.self)
        }
    }

    /// A filter is about to be called.
    @inline(__always)
    func begin(_ label: UInt, _ phase: FilterPhase) {
        unsafe word.pointee.store(label | phase.rawValue, ordering: .relaxed)
    }

    /// It has returned.
    @inline(__always)
    func end() { unsafe word.pointee.store(0, ordering: .relaxed) }

    /// Which one is called now; from any thread.
    var present: (label: StageLabel, phase: FilterPhase)? {
        let bits = unsafe word.pointee.load(ordering: .relaxed)
        guard let label = StageLabel(bits: bits), let phase = FilterPhase(rawValue: bits & 31) else { return nil }
        return (label, phase)
    }

    /// The calling thread is the worker's.
    func adopt() { unsafe sluice_crash_adopt(memory) }
}
