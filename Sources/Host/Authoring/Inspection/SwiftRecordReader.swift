/// Follows the relative pointers of Swift's records. All addresses are those of run time, counted from the object's own
/// beginning; whatever leads out of it is nil.
struct SwiftRecordReader {
    private let file: PluginFile
    private let bytes: ELFBytes
    private let relocations: ELFRelocations

    init(_ file: PluginFile, _ relocations: ELFRelocations) {
        self.file = file
        bytes = ELFBytes(file.elf.bytes)
        self.relocations = relocations
    }

    func word(at address: Int) -> Int? { file.elf.offset(of: address).flatMap { try? bytes.word($0, 4) } }

    /// Where a relative pointer leads.
    func relative(at address: Int) -> Int? {
        guard let offset = file.elf.offset(of: address), let distance = try? bytes.signed(offset), distance != 0 else {
            return nil
        }
        return address + distance
    }

    /// A text of the source, up to its zero.
    func text(at address: Int) -> String? {
        guard let offset = file.elf.offset(of: address) else { return nil }
        return try? bytes.text(offset, in: offset..<min(offset + 1000, bytes.count))
    }

    /// What a relative pointer names in another object: one whose lowest bit says that it leads to the address of it.
    func foreignSymbol(at address: Int) -> String? {
        guard let target = relative(at: address), target & 1 == 1 else { return nil }
        return symbol(at: target - 1)
    }

    private func symbol(at address: Int) -> String? {
        guard let number = relocations.symbol(at: address), number < file.symbols.all.count else { return nil }
        return file.symbols.all[number].name
    }

    /// The protocol that a relative pointer leads to, with its module: `FilterAPI.HTTPFilter`.
    func protocolName(at address: Int) -> String? {
        guard let symbol = foreignSymbol(at: address) else { return nil }
        let text = Demangler.text(symbol)
        let head = "protocol descriptor for "
        return text.hasPrefix(head) ? String(text.dropFirst(head.count)) : nil
    }

    // MARK: Types

    /// The name of the type that a context descriptor describes, as ``typeText(at:)`` would give it.
    func typeName(ofContext address: Int) -> String? { mangled(context: address).map(Self.readable) }

    /// The type whose mangled name a relative pointer leads to, in words.
    func typeText(at address: Int) -> String? {
        relative(at: address).flatMap { mangledName(at: $0) }.map(Self.readable)
    }

    /// As in the source, without the names of modules: that of a plugin's own is the same for all of it.
    private static func readable(_ mangled: String) -> String {
        var result = ""
        var piece = ""
        var isBehindModule = false
        for character in Demangler.text("$s\(mangled)D") {
            if character.isLetter || character.isNumber || character == "_" {
                piece.append(character)
            } else if character == ".", !isBehindModule {
                piece = ""
                isBehindModule = true
            } else {
                result += piece + String(character)
                piece = ""
                isBehindModule = character == "."
            }
        }
        result += piece
        guard result.hasPrefix("Optional<"), result.hasSuffix(">") else { return result }
        return result.dropFirst("Optional<".count).dropLast() + "?"
    }

    /// A mangled name, with what stands for a descriptor in it replaced by the descriptor's own mangled name.
    private func mangledName(at address: Int) -> String? {
        guard var offset = file.elf.offset(of: address) else { return nil }
        var position = address
        var name = ""
        while name.utf8.count < 1000, let byte = try? bytes.word(offset, 1), byte != 0 {
            if byte > 0x1F {
                name.unicodeScalars.append(UnicodeScalar(UInt8(byte)))
                (offset, position) = (offset + 1, position + 1)
                continue
            }
            // 1: of this object; 2: of another one, by way of a word that the loader fills in. Others are not for types.
            guard byte <= 2, let target = relative(at: position + 1) else { return nil }
            guard let piece = byte == 1 ? mangled(context: target) : foreign(symbol(at: target)) else { return nil }
            name += piece
            (offset, position) = (offset + 5, position + 5)
        }
        return name.isEmpty ? nil : name
    }

    /// "$s9FilterAPI8ByteSizeVMn" without what says that it is a descriptor.
    private func foreign(_ symbol: String?) -> String? {
        guard let symbol, symbol.hasPrefix("$s"), symbol.hasSuffix("Mn") else { return nil }
        return String(symbol.dropFirst(2).dropLast(2))
    }

    /// The letters behind the names of a class, a struct and an enum, by the kinds of their descriptors.
    private static let letters = [16: "C", 17: "V", 18: "O"]

    /// The mangled name of what a context descriptor describes: a module or a type that is not generic.
    private func mangled(context address: Int, depth: Int = 0) -> String? {
        guard depth < 10, let flags = word(at: address), let name = relative(at: address + 8).flatMap({ text(at: $0) })
        else { return nil }
        let piece = "\(name.utf8.count)\(name)"
        if flags & 0x1F == 0 { return piece }
        guard let letter = Self.letters[flags & 0x1F],
            let parent = relative(at: address + 4).flatMap({ mangled(context: $0, depth: depth + 1) })
        else { return nil }
        return parent + piece + letter
    }
}
