internal import Engine
internal import FilterAPI

/// Looks names up, on the control thread: one record for each name, however many clusters use it.
final class Resolver {
    /// Lookups at once; others wait.
    private static let limit = 64

    let loop: EventLoop
    private let processLog: Log?
    private var servers: NameServers
    private var records: [Key: NameRecord] = [:]
    private var waiting: [NameRecord] = []
    private(set) var runningCount = 0
    private let lookups: FilterAPI.Counter?
    private let failures: FilterAPI.Counter?
    private let timeouts: FilterAPI.Counter?

    private struct Key: Hashable {
        let name: String
        let settings: NameSettings
    }

    /// - Parameters:
    ///   - servers: as in a config; empty for those of the system.
    ///   - log: told when a name begins to fail, and when it is found again.
    /// - Throws: for a server that is no address.
    init(loop: EventLoop, servers: [String], log: Log? = nil, registry: StatRegistry? = nil) throws {
        self.loop = loop
        self.servers = try NameServers(servers)
        processLog = log
        let slots = registry.map { StatSlots<DNSStat>($0.lastingGroup(.dns, DNSStat.schema, .control), slot: 0) }
        lookups = slots?.counter(.lookups)
        failures = slots?.counter(.failed)
        timeouts = slots?.counter(.timedOut)
    }

    /// The record of a name, which is looked up from now on.
    func record(_ name: String, _ settings: NameSettings) -> NameRecord {
        let key = Key(name: name, settings: settings)
        if let known = records[key] { return known }
        let record = NameRecord(name, settings, resolver: self)
        records[key] = record
        return record
    }

    /// Names that are known.
    var recordCount: Int { records.count }

    /// Asks other servers from now on, for all names at once; they have been checked with the config.
    func change(servers: [String]) {
        guard let next = try? NameServers(servers), next != self.servers else { return }
        self.servers = next
        for record in records.values { record.refresh() }
    }

    // MARK: What records call

    func begin(_ record: NameRecord) {
        guard runningCount < Self.limit else {
            if !waiting.contains(where: { $0 === record }) { waiting.append(record) }
            return
        }
        runningCount += 1
        lookups?.add()
        record.start(servers)
    }

    func ended(_ record: NameRecord) {
        runningCount -= 1
        if runningCount < Self.limit, !waiting.isEmpty { begin(waiting.removeFirst()) }
    }

    func drop(_ record: NameRecord) {
        records[Key(name: record.name, settings: record.settings)] = nil
    }

    func count(_ fault: NameFault) {
        failures?.add()
        if fault.isTimeout { timeouts?.add() }
    }

    func log(_ level: LogLevel, _ message: String, _ fields: [(String, String)]) {
        processLog?.write(level, message, fields)
    }
}
