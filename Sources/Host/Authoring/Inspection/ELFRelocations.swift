/// Which words of a shared object get the address of which symbol when it is loaded.
struct ELFRelocations {
    private var symbols: [Int: Int] = [:]

    init(_ file: ELFFile) throws(ELFFault) {
        let bytes = ELFBytes(file.bytes)
        for section in file.sections where section.kind == ELFSection.Kind.relocations && section.isLoaded {
            for entry in stride(from: section.file.lowerBound, to: section.file.upperBound - 23, by: 24) {
                let kind = UInt32(try bytes.word(entry + 8, 4))
                guard ELFMachine.addressRelocations.contains(kind) else { continue }
                symbols[try bytes.word(entry, 8)] = try bytes.word(entry + 12, 4)
            }
        }
    }

    /// The number of the symbol whose address goes to a word.
    func symbol(at address: Int) -> Int? { symbols[address] }
}
