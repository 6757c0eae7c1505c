internal import FilterAPI

/// Why the filter gives up on a body, for those who find the word in a log.
enum GzipReasons {
    static let descriptions: [ReasonDescription] = [
        .init(
            "gzip.bad_data", [.badRequest, .upstreamProtocol],
            "A body is not in the format that its `content-encoding` names, or its checksum is wrong.",
            lookAt: "What the sender makes; whether something on the way has changed the body or only the field."),
        .init(
            "gzip.truncated", [.badRequest, .upstreamProtocol],
            "A compressed body ends in the middle of its format.",
            lookAt: "What the sender makes; whether it ends the message before its compressor has let all out."),
        .init(
            "gzip.bomb", [.bodyTooLarge, .upstreamProtocol],
            "More comes out of a compressed body than `max_ratio` and `max_size` of the filter let out.",
            lookAt: "Who sends it; the two settings, where such bodies are meant."),
        .init(
            "gzip.max_bodies", [.overloaded],
            "A body would have to be decompressed while `max_bodies` are being worked on.",
            lookAt: "`max_bodies` of the filter, and the memory that it stands for."),
        .init(
            "gzip.out_of_memory", [.overloaded], "There is no memory for a decompressor.",
            lookAt: "The limits of the process, and `max_bodies` of the filter."),
    ]
}
