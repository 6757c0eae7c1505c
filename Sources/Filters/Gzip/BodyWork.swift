internal import FilterAPI

/// What is being done with one body.
enum BodyWork {
    /// Nothing.
    case none
    /// It is compressed.
    case compress(Deflater, FlushRule)
    /// It is decompressed.
    case decompress(Inflater)
}

/// When a compressor must let out what it has gathered.
enum FlushRule {
    /// At the end: the whole body is on its way.
    case atEnd
    /// Soon after the source pauses.
    case whenPaused
    /// With each piece.
    case always
}
