/// What a piece of a body becomes; nothing to drop it.
public typealias BodyChange = nonisolated(nonsending) (BodyPiece) async throws -> [UInt8]
