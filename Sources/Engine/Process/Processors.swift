internal import CLinux

/// How many processors there are for this process to use.
public enum Processors {
    /// What the affinity mask and the cgroup's quota leave, rounded up, at least 1.
    public static func available() -> Int {
        var count = max(Int(sluice_affinity_count()), 1)
        if let quota = quota() { count = min(count, quota) }
        return max(count, 1)
    }

    /// The smallest quota of the process's cgroups and all above them, in whole processors; nil if there is none.
    private static func quota() -> Int? {
        guard let text = Syscalls.text(of: "/proc/self/cgroup") else { return nil }
        var smallest: Int?
        for directory in directories(ofCgroups: text) {
            let quota =
                Syscalls.text(of: directory + "/cpu.max").flatMap(quota(cpuMax:))
                ?? quota(
                    cfsQuota: Syscalls.text(of: directory + "/cpu.cfs_quota_us") ?? "",
                    period: Syscalls.text(of: directory + "/cpu.cfs_period_us") ?? "")
            if let quota { smallest = min(smallest ?? quota, quota) }
        }
        return smallest
    }

    /// Where quotas of the groups in a /proc/self/cgroup file may be, for the versions 1 and 2: each group and those above it.
    static func directories(ofCgroups text: String) -> [String] {
        var found: [String] = []
        for line in text.split(separator: "\n") {
            // Hierarchy number, controllers, path. Version 2 has the number 0 and no controllers.
            let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard fields.count == 3 else { continue }
            let controllers = fields[1].split(separator: ",")
            let roots =
                fields[0] == "0" && controllers.isEmpty
                ? ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"]
                : controllers.contains("cpu") ? ["/sys/fs/cgroup/\(fields[1])", "/sys/fs/cgroup/cpu"] : []
            for root in roots { found += directories(from: root, path: fields[2]) }
        }
        return found
    }

    private static func directories(from root: String, path: Substring) -> [String] {
        var directory = root
        var found = [root]
        for name in path.split(separator: "/") where name != ".." {
            directory += "/" + name
            found.append(directory)
        }
        return found
    }

    /// The processors that a version 2 `cpu.max` allows ("150000 100000" is 2); nil for "max" or what is not understood.
    static func quota(cpuMax text: String) -> Int? {
        let fields = text.split(whereSeparator: \.isWhitespace)
        guard fields.count == 2, let quota = Int(fields[0]), let period = Int(fields[1]) else { return nil }
        return quota > 0 && period > 0 ? (quota - 1) / period + 1 : nil
    }

    /// The processors that the version 1 quota and period allow; nil for a quota of -1 or what is not understood.
    static func quota(cfsQuota: String, period: String) -> Int? {
        quota(cpuMax: "\(cfsQuota) \(period)")
    }
}
