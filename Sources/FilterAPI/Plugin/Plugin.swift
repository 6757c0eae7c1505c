/// A plugin: a list of filter types in a shared object.
///
/// A plugin has one C entry point, which looks like this in every one of them:
///
/// ```swift
/// import FilterAPI
///
/// enum Hello: Plugin {
///     static let filters: [any Filter.Type] = [HelloFilter.self]
/// }
///
/// @c(sluice_plugin)
/// public func sluicePlugin(_ question: UInt32, _ answer: UnsafeMutableRawPointer) -> Int32 {
///     unsafe PluginAPI.answer(question, answer, for: Hello.self)
/// }
/// ```
public protocol Plugin {
    /// The filters that the plugin brings.
    static var filters: [any Filter.Type] { get }
}

/// What host and plugin say to each other before any Swift value crosses.
///
/// Swift promises nothing between compilers on Linux, so both sides must have been built with the same compiler and the
/// same FilterAPI. The first question is answered with a plain struct; only if everything in it is equal is the second
/// one asked.
public enum PluginAPI {
    /// A digest of the layout of every type that crosses; compiled into each side, so that it tells what that side thinks.
    @_alwaysEmitIntoClient public static var layout: UInt64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        func mix(_ number: Int) { hash = (hash ^ UInt64(number)) &* 0x0000_0100_0000_01B3 }
        func mix<T: ~Copyable>(_ type: T.Type) {
            mix(MemoryLayout<T>.size)
            mix(MemoryLayout<T>.stride)
            mix(MemoryLayout<T>.alignment)
        }
        mix(RequestHead.self)
        mix(ResponseHead.self)
        mix(Headers.self)
        mix(ByteChunk.self)
        mix(ByteOutput.self)
        mix(ChunkQueue.self)
        mix(Stream.self)
        mix(StreamFacts.self)
        mix(CodecLink.self)
        mix(ServerEvent.self)
        mix(ClientEvent.self)
        mix(Fault.self)
        mix(HeaderName.self)
        mix(Manifest.self)
        mix(WorkerContext.self)
        mix(Resumption.self)
        mix(FetchRequest.self)
        mix(FetchAnswer.self)
        return hash
    }

    /// Answers the host's questions; the body of a plugin's entry point.
    ///
    /// Emitted into the plugin, in debug builds too: it must tell what the plugin was built with.
    ///
    /// SAFETY: `answer` points at what the question says: a ``PluginHandshake`` for 0, an array of filter types for 1.
    @_alwaysEmitIntoClient
    public static func answer<P: Plugin>(
        _ question: UInt32, _ answer: UnsafeMutableRawPointer, for plugin: P.Type
    ) -> Int32 {
        switch question {
        case 0:
            unsafe answer.assumingMemoryBound(to: PluginHandshake.self).pointee = PluginHandshake(
                version: version, compiler: compiler, layout: layout)
            return 0
        case 1:
            unsafe answer.assumingMemoryBound(to: [any Filter.Type].self).pointee = plugin.filters
            return 0
        default:
            return 1
        }
    }
}

/// What a plugin was built with: plain numbers, the same in every version of FilterAPI.
@frozen
public struct PluginHandshake: Sendable, Equatable {
    /// ``PluginAPI/version``
    public var version: UInt32
    /// ``PluginAPI/compiler``
    public var compiler: UInt32
    /// ``PluginAPI/layout``
    public var layout: UInt64

    /// From its parts.
    @inlinable
    public init(version: UInt32, compiler: UInt32, layout: UInt64) {
        self.version = version
        self.compiler = compiler
        self.layout = layout
    }
}
