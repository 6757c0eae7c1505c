internal import FilterAPI

/// What is known of the process; kept by the control thread, some of it worked out when somebody looks.
enum ServerStat: Int, StatKey {
    case live, state, uptime, concurrency, connections, memoryAllocated, memoryHeap, certificateDays
    case certificateEnd

    static let entries: [StatSchema.Entry] = [
        .init(.gauge("live", "1 while the process serves and does not drain."), isAlwaysShown: true),
        .init(.gauge("state", "0: live, 1: draining, 2: before the start, 3: starting."), isAlwaysShown: true),
        .init(.gauge("uptime", "Seconds since the start."), prometheus: "uptime_seconds", isAlwaysShown: true),
        .init(.gauge("concurrency", "Workers."), prometheus: "workers", isAlwaysShown: true),
        .init(
            .gauge("total_connections", "Connections of clients that are open."), prometheus: "connections",
            isAlwaysShown: true),
        .init(
            StatDescription("memory_allocated", .gauge, .bytes, "Memory that is in use, as the allocator says."),
            isAlwaysShown: true),
        .init(
            StatDescription("memory_heap_size", .gauge, .bytes, "Memory that the allocator has from the system."),
            isAlwaysShown: true),
        .init(
            .gauge("days_until_first_cert_expiring", "Days until the first certificate in use expires."), prometheus: ""
        ),
        .init(
            .gauge(
                "first_cert_expiry_timestamp_seconds",
                "When the first certificate in use expires, in seconds since 1970.")),
    ]

    static let schema = StatSchema(entries)
}

/// Which program it is: always 1, and what there is to say stands in the labels.
enum BuildStat {
    static let entry = StatSchema.Entry(
        .gauge("build_info", "Always 1; the version is a label."), isAlwaysShown: true)
}

/// By the names that all programs use in Prometheus.
enum ProcessStat: Int, StatKey {
    case cpu, residentMemory, openDescriptors, maxDescriptors, startTime

    static let entries: [StatSchema.Entry] = [
        .init(StatDescription("cpu_ms", .counter, .time, "User and system time.")),
        .init(
            .gauge("resident_memory_bytes", "Resident memory."), prometheus: "resident_memory_bytes",
            isAlwaysShown: true),
        .init(.gauge("open_fds", "Open descriptors."), isAlwaysShown: true),
        .init(.gauge("max_fds", "Descriptors that may be open."), isAlwaysShown: true),
        .init(.gauge("start_time_seconds", "When the process began, in seconds since 1970."), isAlwaysShown: true),
    ]

    static let schema = StatSchema(entries)
}

/// What became of configs.
enum ConfigStat: Int, StatKey {
    case generation, reloads, rejected, lastSuccessful, lastAttempt

    static let entries: [StatSchema.Entry] = [
        .init(.gauge("generation", "How many configs were put in place, the first one included."), isAlwaysShown: true),
        .init(.counter("reloads", "Configs that were put in place while running.")),
        .init(.counter("rejected", "Configs that were refused while running.")),
        .init(
            .gauge("last_reload_successful", "Whether the last config that was read is in use."), isAlwaysShown: true),
        .init(
            .gauge("last_reload_timestamp_seconds", "When a config was read last, in seconds since 1970."),
            isAlwaysShown: true),
    ]

    static let schema = StatSchema(entries)
}

/// What became of listeners over reloads.
enum ListenerManagerStat: Int, StatKey {
    case added, modified, removed, createSuccess, createFailure, active, draining, workersStarted

    static let entries: [StatSchema.Entry] = [
        .init(.counter("listener_added", "Listeners that a config has added.")),
        .init(.counter("listener_modified", "Listeners that a config has changed.")),
        .init(.counter("listener_removed", "Listeners that a config has taken away.")),
        .init(.counter("listener_create_success", "Listeners put in place.")),
        .init(.counter("listener_create_failure", "Configs refused because a listener's address could not be bound.")),
        .init(.gauge("total_listeners_active", "Listeners in place."), isAlwaysShown: true),
        .init(.gauge("total_listeners_draining", "Listeners that accept no more, and have connections.")),
        .init(.gauge("workers_started", "Whether the workers run."), isAlwaysShown: true),
    ]

    static let schema = StatSchema(entries)
}

/// What became of clusters over reloads.
enum ClusterManagerStat: Int, StatKey {
    case added, modified, removed, active

    static let entries: [StatSchema.Entry] = [
        .init(.counter("cluster_added", "Clusters that a config has added.")),
        .init(.counter("cluster_modified", "Clusters that a config has changed.")),
        .init(.counter("cluster_removed", "Clusters that a config has taken away.")),
        .init(.gauge("active_clusters", "Clusters in place."), isAlwaysShown: true),
    ]

    static let schema = StatSchema(entries)
}

/// What lookups of names have come to.
enum DNSStat: Int, StatKey {
    case lookups, failed, timedOut

    static let entries: [StatSchema.Entry] = [
        .init(.counter("lookups", "Lookups of names.")),
        .init(.counter("lookups_failed", "Lookups that failed, or found no address.")),
        .init(.counter("lookups_timed_out", "Lookups that were not answered in time.")),
    ]

    static let schema = StatSchema(entries)
}

/// What the loop of one worker does.
enum WorkerStat: Int, StatKey {
    case turns, events, busy, longestTurn, cxTotal, cxActive

    static let entries: [StatSchema.Entry] = [
        .init(.counter("loop_turns", "Turns of the worker's loop.")),
        .init(.counter("loop_events", "Events that reached a connection.")),
        .init(StatDescription("loop_busy_ms", .counter, .time, "Time in which the loop worked.")),
        .init(
            StatDescription(
                "loop_longest_turn_ms", .gauge, .time, "The longest single turn: how long an event may have waited.")),
        .init(.counter("downstream_cx_total", "Connections that the worker has accepted.")),
        .init(.gauge("downstream_cx_active", "Connections of clients on this worker."), isAlwaysShown: true),
    ]

    static let schema = StatSchema(entries)
}
