internal import Engine
internal import FilterAPI

/// One name: its addresses now, and the lookups that keep them up to date.
///
/// Addresses stay until others are found: a failed lookup takes nothing away.
final class NameRecord {
    /// An answer is not trusted longer than this, whatever it says.
    private static let longestLife = 300
    /// How often the machine's own files are looked at.
    private static let localLife = 30
    /// Where lookups fail, the time between them doubles from one second up to this many.
    private static let longestPause = 8

    let name: String
    let settings: NameSettings
    /// With port 0; empty until one is found.
    private(set) var addresses: [SocketAddress] = []
    /// Whether a lookup has ended, well or not.
    private(set) var isKnown = false
    private unowned let resolver: Resolver
    private var observers: [ObjectIdentifier: () -> Void] = [:]
    private var lookup: NameLookup?
    private var failures = 0
    private var hasBegun = false
    private lazy var timer = CallbackTimer { [unowned self] in self.refresh() }

    init(_ name: String, _ settings: NameSettings, resolver: Resolver) {
        self.name = name
        self.settings = settings
        self.resolver = resolver
    }

    /// Calls `onChange` whenever the addresses are others, and when the first lookup has found none, until
    /// ``remove(observer:)``.
    func add(observer: AnyObject, onChange: @escaping () -> Void) { observers[ObjectIdentifier(observer)] = onChange }

    func remove(observer: AnyObject) { observers[ObjectIdentifier(observer)] = nil }

    /// Looks the name up, where that has never been done.
    func begin() {
        guard !hasBegun else { return }
        hasBegun = true
        refresh()
    }

    /// Looks the name up now; does nothing while a lookup runs.
    ///
    /// A name that nobody wants any more is not looked up again but dropped; until then its addresses are there for
    /// whoever comes back, so that a reload begins with them.
    func refresh() {
        guard lookup == nil else { return }
        if observers.isEmpty { return resolver.drop(self) }
        resolver.begin(self)
    }

    /// The resolver has a place for the lookup.
    func start(_ servers: NameServers) {
        resolver.loop.cancel(timer)
        let lookup = NameLookup(
            name, settings.family, servers: servers, timeout: settings.timeout.wholeNanoseconds, loop: resolver.loop
        ) { [unowned self] outcome in self.finished(outcome) }
        self.lookup = lookup
        lookup.start()
    }

    private func finished(_ outcome: Result<NameAnswer, NameFault>) {
        lookup = nil
        let isFirst = !isKnown
        isKnown = true
        switch outcome {
        case .success(let answer): found(answer)
        case .failure(let fault): failed(fault)
        }
        if isFirst, addresses.isEmpty { for observer in observers.values { observer() } }
        resolver.ended(self)
    }

    private func found(_ answer: NameAnswer) {
        let next = answer.addresses(settings.family)
        // Nothing of the kind that is wanted.
        guard !next.isEmpty else { return failed(NameFault(message: "the name has no address of this kind")) }
        let seconds = min(answer.timeToLive ?? Self.localLife, Self.longestLife)
        wait(max(settings.refresh, .seconds(seconds)))
        if failures > 0 {
            failures = 0
            resolver.log(.info, "name resolved again", [("name", name), ("addresses", Self.text(next))])
        }
        guard next != addresses else { return }
        resolver.log(.debug, "name resolved", [("name", name), ("addresses", Self.text(next))])
        addresses = next
        for observer in observers.values { observer() }
    }

    private func failed(_ fault: NameFault) {
        resolver.count(fault)
        wait(max(settings.refresh, .seconds(min(1 << min(failures, 8), Self.longestPause))))
        failures += 1
        guard failures == 1 else { return }
        resolver.log(
            .warning, "cannot resolve a name",
            [("name", name), ("error", fault.message), ("kept", addresses.isEmpty ? "none" : Self.text(addresses))])
    }

    private func wait(_ time: Duration) { resolver.loop.schedule(timer, after: time.wholeNanoseconds) }

    private static func text(_ addresses: [SocketAddress]) -> String {
        addresses.map(\.ipText).joined(separator: ",")
    }
}
