internal import FilterAPI

/// Why a body cannot be decompressed.
enum InflateProblem: Error {
    /// It is not in the format that it is said to be in, or its checksum is wrong.
    case badData
    /// It ends too early.
    case truncated
    /// More comes out of it than may.
    case bomb
    /// There is no memory.
    case outOfMemory

    /// What becomes of the stream: whoever has sent the body is to blame.
    func fault(_ way: BodyWay) -> Fault {
        let isRequest = way == .request
        return switch self {
        case .badData: Fault(isRequest ? .badRequest : .upstreamProtocol, "gzip.bad_data")
        case .truncated: Fault(isRequest ? .badRequest : .upstreamProtocol, "gzip.truncated")
        case .bomb: Fault(isRequest ? .bodyTooLarge : .upstreamProtocol, "gzip.bomb")
        case .outOfMemory: Fault(.overloaded, "gzip.out_of_memory")
        }
    }
}
