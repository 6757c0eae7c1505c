/// Who writes to a group, each to a slot of its own.
enum StatWriters: Sendable, Equatable {
    /// So many workers.
    case workers(Int)
    /// So many workers, and behind them the control thread.
    case everybody(Int)
    /// One worker, by its number.
    case worker(Int)
    /// The control thread.
    case control
    /// Whoever comes: there is one number, and the last one is right.
    case anybody

    /// How many slots there are.
    var slots: Int {
        switch self {
        case .workers(let count): count
        case .everybody(let count): count + 1
        case .worker, .control, .anybody: 1
        }
    }

    /// The slot that a worker writes to; nil for none.
    func slot(ofWorker index: Int) -> Int? {
        switch self {
        case .workers(let count), .everybody(let count): index < count ? index : nil
        case .worker(let own): own == index ? 0 : nil
        case .control, .anybody: nil
        }
    }

    /// The slot that the control thread writes to; nil for none.
    var controlSlot: Int? {
        switch self {
        case .everybody(let count): count
        case .control: 0
        case .workers, .worker, .anybody: nil
        }
    }
}
