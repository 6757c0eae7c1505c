internal import Engine
internal import FilterAPI

/// Decides which endpoints of one cluster are put aside, for how long, and when they come back.
///
/// Knows no clock and does nothing by itself: whoever owns it tells it what happens, and does what it says.
struct OutlierDetector {
    private struct State {
        var failedCheck = false
        var isListed = true
        /// When it left the list.
        var goneAt: Nanoseconds = 0
        /// Set while it is put aside.
        var ejectedUntil: Nanoseconds?
        /// How many times the base time it was put aside last; wears off while it behaves.
        var times = 0
        /// When it came back last.
        var releasedAt: Nanoseconds = 0

        var isEjected: Bool { ejectedUntil != nil }
        var isGood: Bool { isListed && !isEjected && !failedCheck }
    }

    /// How an endpoint has done in an interval.
    private struct Share {
        let address: SocketAddress
        /// In per cent.
        let good: Double
        let requests: UInt64

        init?(_ address: SocketAddress, good: UInt64, of requests: UInt64) {
            guard requests > 0 else { return nil }
            self.address = address
            self.good = 100 * Double(good) / Double(requests)
            self.requests = requests
        }
    }

    private var settings: OutlierSettings
    private var minServing: Percent
    private var generator: SplitMix
    private var states: [SocketAddress: State] = [:]
    /// The addresses of the list, in its order.
    private var listed: [SocketAddress] = []

    /// - Parameters:
    ///   - minServing: the share of the endpoints below which none is put aside.
    ///   - seed: for what goes by lot.
    init(_ settings: OutlierSettings, minServing: Percent = .zero, seed: UInt64) {
        self.settings = settings
        self.minServing = minServing
        generator = SplitMix(seed: seed)
    }

    // MARK: What is so

    /// Endpoints of the list that are put aside now.
    var ejected: [SocketAddress] { listed.filter { states[$0]?.isEjected ?? false } }

    var listedCount: Int { listed.count }

    /// When the next one comes back; nil where none is put aside.
    var nextRelease: Nanoseconds? { states.values.compactMap(\.ejectedUntil).min() }

    /// Whether anything is known of an address.
    func knows(_ address: SocketAddress) -> Bool { states[address] != nil }

    // MARK: What happens

    /// Takes other settings; what is put aside stays so for its time.
    mutating func change(_ settings: OutlierSettings, minServing: Percent) {
        self.settings = settings
        self.minServing = minServing
    }

    /// Takes a new list, or other words of health checks.
    ///
    /// An endpoint that goes is remembered for a while, so that it does not come back as new by going.
    mutating func list(_ endpoints: [(address: SocketAddress, failedCheck: Bool)], at now: Nanoseconds)
        -> [OutlierVerdict]
    {
        let addresses = Set(endpoints.map(\.address))
        for address in listed where !addresses.contains(address) {
            states[address]?.isListed = false
            states[address]?.goneAt = now
        }
        listed = endpoints.map(\.address)
        for (address, failedCheck) in endpoints {
            states[address, default: State()].isListed = true
            states[address]?.failedCheck = failedCheck
        }
        return releaseSurplus(at: now)
    }

    /// An endpoint has failed so often in a row that a threshold is reached.
    mutating func reached(_ kind: OutlierKind, by address: SocketAddress, at now: Nanoseconds) -> OutlierVerdict? {
        let threshold = Double(threshold(of: kind))
        return judge(OutlierFinding(address: address, kind: kind, measured: threshold, limit: threshold), at: now)
    }

    /// Time has come for those whose time is over.
    mutating func release(at now: Nanoseconds) -> [OutlierVerdict] {
        var verdicts: [OutlierVerdict] = []
        for (address, state) in states {
            guard let until = state.ejectedUntil, until <= now else { continue }
            release(address, at: now)
            if state.isListed { verdicts.append(.release(address, .timeIsOver)) }
        }
        return verdicts
    }

    /// An active health check has found an endpoint well.
    mutating func checkSucceeded(_ address: SocketAddress, at now: Nanoseconds) -> OutlierVerdict? {
        guard settings.successfulActiveHealthCheckUnejectHost, states[address]?.isEjected ?? false else { return nil }
        release(address, at: now)
        return .release(address, .checkSucceeded)
    }

    /// An interval is over.
    ///
    /// - Parameter counts: what each endpoint has done in it.
    mutating func interval(_ counts: [SocketAddress: OutcomeCounts], at now: Nanoseconds) -> [OutlierVerdict] {
        let released = release(at: now)
        wearOff(at: now)
        let isSplit = settings.splitExternalLocalOriginErrors
        let answers = shares(counts) { count in
            let bad = count.serverErrors &+ (isSplit ? 0 : count.localFailures)
            return (count.successes, count.successes &+ bad)
        }
        let ways =
            isSplit
            ? shares(counts) { count in
                let good = count.successes &+ count.serverErrors
                return (good, good &+ count.localFailures)
            } : []
        return released + compare(answers, .successRate, at: now) + compare(ways, .localOriginSuccessRate, at: now)
            + measure(answers, .failurePercentage, at: now)
            + measure(ways, .localOriginFailurePercentage, at: now)
    }

    // MARK: Shares

    private func shares(
        _ counts: [SocketAddress: OutcomeCounts], _ split: (OutcomeCounts) -> (good: UInt64, all: UInt64)
    ) -> [Share] {
        listed.compactMap { address in
            guard let count = counts[address], !(states[address]?.isEjected ?? true) else { return nil }
            let (good, all) = split(count)
            return Share(address, good: good, of: all)
        }
    }

    /// Finds those that are far worse than the others.
    private mutating func compare(_ shares: [Share], _ kind: OutlierKind, at now: Nanoseconds) -> [OutlierVerdict] {
        let rules = settings.successRate
        let busy = shares.filter { $0.requests >= rules.requestVolume }
        guard !busy.isEmpty, busy.count >= rules.minimumHosts else { return [] }
        let mean = busy.reduce(0) { $0 + $1.good } / Double(busy.count)
        let variance = busy.reduce(0) { $0 + ($1.good - mean) * ($1.good - mean) } / Double(busy.count)
        let limit = mean - variance.squareRoot() * Double(rules.stdevFactor) / 1000
        // Where all are alike the mean may be off by a rounding.
        return judgeWorstFirst(busy.filter { $0.good < limit - 1e-9 }, at: now) { share in
            OutlierFinding(
                address: share.address, kind: kind, measured: share.good, limit: limit, requests: share.requests)
        }
    }

    /// Finds those that are bad, whatever the others are.
    private mutating func measure(_ shares: [Share], _ kind: OutlierKind, at now: Nanoseconds) -> [OutlierVerdict] {
        let rules = settings.failurePercentage
        let limit = Double(rules.threshold.millionths) / 10_000
        let busy = shares.filter { $0.requests >= rules.requestVolume }
        guard busy.count >= rules.minimumHosts else { return [] }
        return judgeWorstFirst(busy.filter { 100 - $0.good >= limit }, at: now) { share in
            OutlierFinding(
                address: share.address, kind: kind, measured: 100 - share.good, limit: limit, requests: share.requests)
        }
    }

    /// Where not all may be put aside, the worst are.
    private mutating func judgeWorstFirst(
        _ shares: [Share], at now: Nanoseconds, _ finding: (Share) -> OutlierFinding
    ) -> [OutlierVerdict] {
        var verdicts: [OutlierVerdict] = []
        for share in shares.sorted(by: { $0.good < $1.good }) {
            if let verdict = judge(finding(share), at: now) { verdicts.append(verdict) }
        }
        return verdicts
    }

    // MARK: Putting aside

    private func threshold(of kind: OutlierKind) -> Int {
        switch kind {
        case .consecutiveGatewayFailure: settings.consecutiveGatewayFailure
        case .consecutiveLocalOriginFailure: settings.consecutiveLocalOriginFailure
        default: settings.consecutive5xx
        }
    }

    private mutating func judge(_ finding: OutlierFinding, at now: Nanoseconds) -> OutlierVerdict? {
        guard let state = states[finding.address], state.isListed, !state.isEjected else { return nil }
        guard settings.enforcing.share(of: finding.kind).covers(generator.next()) else { return .notice(finding) }
        if let bound = bound(of: state) { return .keep(finding, bound) }
        let (time, times) = eject(finding.address, at: now)
        return .eject(finding, time: time, times: times)
    }

    /// What keeps an endpoint from being put aside.
    private func bound(of state: State) -> OutlierBound? {
        let ejected = ejected.count
        guard ejected < mostEjected else { return .maxEjectionPercent }
        guard ejected + 1 < listed.count else { return .floor }
        // One that does not serve anyway takes nothing away.
        guard state.isGood else { return nil }
        let good = listed.count { states[$0]?.isGood ?? false }
        return good - 1 >= max(1, floor) ? nil : .floor
    }

    /// How many may be put aside at once. One may be, or the share would forbid any in a small pool.
    private var mostEjected: Int {
        let share = settings.maxEjectionPercent
        return share > .zero ? max(1, share.of(listed.count)) : 0
    }

    /// How many have to serve.
    private var floor: Int { (listed.count * minServing.millionths + 999_999) / 1_000_000 }

    private mutating func eject(_ address: SocketAddress, at now: Nanoseconds) -> (Nanoseconds, Int) {
        let base = settings.baseEjectionTime.wholeNanoseconds
        let longest = max(base, settings.maxEjectionTime.wholeNanoseconds)
        var times = states[address]?.times ?? 0
        if product(base, times) < longest { times += 1 }
        let jitter = settings.maxEjectionTimeJitter.wholeNanoseconds
        let time = min(product(base, times), longest) + (jitter > 0 ? Nanoseconds(generator.below(Int(jitter) + 1)) : 0)
        let (until, overflow) = now.addingReportingOverflow(time)
        states[address]?.times = times
        states[address]?.ejectedUntil = overflow ? .max : until
        return (time, times)
    }

    private func product(_ base: Nanoseconds, _ times: Int) -> Nanoseconds {
        let (product, overflow) = base.multipliedReportingOverflow(by: Nanoseconds(times))
        return overflow ? .max : product
    }

    // MARK: Coming back

    private mutating func release(_ address: SocketAddress, at now: Nanoseconds) {
        states[address]?.ejectedUntil = nil
        states[address]?.releasedAt = now
    }

    /// Lets those come back whose time is over first, where others have gone and too large a share is put aside.
    private mutating func releaseSurplus(at now: Nanoseconds) -> [OutlierVerdict] {
        let ejected = ejected.sorted { (states[$0]?.ejectedUntil ?? 0) < (states[$1]?.ejectedUntil ?? 0) }
        let surplus = ejected.count - min(mostEjected, max(0, listed.count - 1))
        return ejected.prefix(max(0, surplus)).map { address in
            release(address, at: now)
            return .release(address, .tooFewLeft)
        }
    }

    /// An endpoint that has behaved for an interval is put aside for a shorter time the next time. One that has gone is
    /// forgotten when nothing of that is left, and the longest time is over.
    private mutating func wearOff(at now: Nanoseconds) {
        let interval = settings.interval.wholeNanoseconds
        let longest = max(settings.baseEjectionTime, settings.maxEjectionTime).wholeNanoseconds
        for (address, state) in states where !state.isEjected {
            if state.times > 0, now >= state.releasedAt + interval { states[address]?.times -= 1 }
            if !state.isListed, now >= state.goneAt + longest { states[address] = nil }
        }
    }
}
