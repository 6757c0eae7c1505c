/// Why a file cannot be read as a shared object for this machine; in words that go on after "the file".
enum ELFFault: Error, Equatable {
    case notELF
    case cutShort
    case otherWordSize
    case otherByteOrder
    case otherMachine(UInt16)
    case notShared
    case noSections
    /// Which of its tables makes no sense.
    case broken(String)

    var message: String {
        switch self {
        case .notELF: "it is no shared object: it does not begin like an ELF file"
        case .cutShort: "it is cut short: its tables point behind its end"
        case .otherWordSize: "it was built for a 32-bit machine, this is a 64-bit one"
        case .otherByteOrder: "it was built for a machine of the other byte order"
        case .otherMachine(let machine):
            "it was built for \(ELFMachine.name(machine)), this is \(ELFMachine.name(ELFMachine.own))"
        case .notShared: "it is an ELF file, but no shared object"
        case .noSections: "it has no table of sections; was it stripped of more than its debug information?"
        case .broken(let table): "its \(table) makes no sense: the file is damaged"
        }
    }
}

/// Processors, by their numbers in ELF files.
enum ELFMachine {
    #if arch(x86_64)
        static let own: UInt16 = 62
        /// Relocations that put the address of a symbol into a word.
        static let addressRelocations: Set<UInt32> = [1, 6]
    #elseif arch(arm64)
        static let own: UInt16 = 183
        static let addressRelocations: Set<UInt32> = [257, 1025]
    #else
        #error("which machine is this, and which relocations does it have?")
    #endif

    static func name(_ machine: UInt16) -> String {
        switch machine {
        case 3: "x86 of 32 bits"
        case 40: "arm of 32 bits"
        case 62: "x86_64"
        case 183: "aarch64"
        case 243: "riscv64"
        default: "machine \(machine)"
        }
    }
}
