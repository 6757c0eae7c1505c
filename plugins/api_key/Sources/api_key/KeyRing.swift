import FilterAPI
import Synchronization

/// The keys of a config, and those of its file as it is now; shared by all workers.
final class KeyRing: WatchedState {
    private let path: String?
    private let fixed: [(name: String, key: String)]
    private let log: FilterLog
    private let current: Mutex<KeyTable>
    private let version = Atomic<Int>(0)

    init(path: String?, fixed: [(name: String, key: String)], log: FilterLog) throws(ConfigurationFault) {
        self.path = path
        self.fixed = fixed
        self.log = log
        do throws(KeyFile.Problem) {
            current = Mutex(KeyTable(try Self.all(path, fixed)))
        } catch {
            throw ConfigurationFault("`\(path ?? "")` \(error.message)", key: "file")
        }
    }

    private static func all(
        _ path: String?, _ fixed: [(name: String, key: String)]
    ) throws(KeyFile.Problem) -> [(name: String, key: String)] {
        guard let path else { return fixed }
        let all = fixed + (try KeyFile.read(path))
        if all.isEmpty { throw KeyFile.Problem(message: "has no key, so nobody could come in") }
        return all
    }

    /// Changes with each new table: workers keep the table, and look at this only.
    var number: Int { version.load(ordering: .acquiring) }
    var table: KeyTable { current.withLock { $0 } }

    var files: [String] { path.map { [$0] } ?? [] }

    func refresh(_ moment: Moment) -> Duration? {
        do throws(KeyFile.Problem) {
            let table = KeyTable(try Self.all(path, fixed))
            current.withLock { $0 = table }
            version.wrappingAdd(1, ordering: .releasing)
            log.write(.info, "keys were read", [("file", path ?? ""), ("keys", "\(table.count)")])
        } catch {
            log.write(.error, "keys stay as they were", [("file", path ?? ""), ("reason", error.message)])
        }
        return nil
    }
}
