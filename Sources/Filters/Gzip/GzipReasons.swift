internal import FilterAPI

/// What the reasons of the filter mean.
enum GzipReasons {
    /// Whoever has sent the body is to blame. The head of a response has mostly gone by then.
    private static let broken: [Fault.Kind] = [.badRequest, .upstreamProtocol]

    static let all: [ReasonDescription] = [
        .init(
            "gzip.bad_data", broken,
            "A body to be decompressed is not in the format that it is said to be in, or its checksum is wrong.",
            lookAt: "Who has sent it; a response whose head has gone to the client is cut off."),
        .init(
            "gzip.truncated", broken, "A body to be decompressed ends too early.",
            lookAt: "Who has sent it; a response whose head has gone to the client is cut off."),
        .init(
            "gzip.bomb", [.bodyTooLarge, .upstreamProtocol],
            "More comes out of a body than `max_size`, or than `max_ratio` times what came in.",
            lookAt:
                "Who has sent it: a small body that becomes a large one is an attack on memory; or raise the limits."
        ),
        .init(
            "gzip.max_bodies", [.overloaded], "As many bodies are being decompressed as `max_bodies` allows.",
            lookAt: "How many requests with compressed bodies there are; or raise `max_bodies`."),
        .init(
            "gzip.out_of_memory", [.overloaded], "zlib has no memory for a body.",
            lookAt: "The limit of the process's memory."),
    ]
}
