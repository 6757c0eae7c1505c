/// The records of one filter: those in use, and those that wait to be used again.
///
/// SAFETY: `all` keeps every record alive as long as the filter, so that a request can have one without counting.
@safe
struct RetryRecords {
    private var all: [RetryRecord] = []
    private var free: [Unmanaged<RetryRecord>] = unsafe []

    /// One to use.
    mutating func take() -> Unmanaged<RetryRecord> {
        if let record = unsafe free.popLast() { return unsafe record }
        let record = RetryRecord()
        all.append(record)
        unsafe free.reserveCapacity(all.count)
        return unsafe Unmanaged.passUnretained(record)
    }

    /// Gives one back.
    mutating func put(_ record: Unmanaged<RetryRecord>) {
        unsafe record._withUnsafeGuaranteedRef { $0.end() }
        unsafe free.append(record)
    }
}
