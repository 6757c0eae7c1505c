import Engine
import FilterAPI
import Glibc
import Testing

@testable import Host

/// The reader of shared objects, on one that is in use in this very process, and on what can become of one.
@Suite("Files of plugins") struct PluginFileTests {
    /// A small library of the Swift runtime, which has all that a plugin has but the note.
    static let library: (path: String, bytes: [UInt8]) = {
        guard let handle = unsafe dlopen("libswiftSynchronization.so", RTLD_LAZY | RTLD_NOLOAD) else { return ("", []) }
        // SAFETY: what dlopen returns is a struct link_map, whose second word is the file's path; it is never closed.
        let path = unsafe String(cString: handle.load(fromByteOffset: 8, as: UnsafePointer<CChar>.self))
        return (path, (try? Syscalls.contents(of: path, limit: 1 << 24)) ?? [])
    }()

    private func message(_ bytes: [UInt8]) -> String? {
        do throws(PluginRefusal) {
            _ = try PluginFile(path: "x.so", bytes: bytes)
            return nil
        } catch {
            return error.message
        }
    }

    @Test("A real library is read") func reads() throws {
        let file = try PluginFile(path: Self.library.path, bytes: Self.library.bytes)
        #expect(file.dynamic.name == "libswiftSynchronization.so")
        #expect(file.dynamic.needed.contains("libswiftCore.so"))
        #expect(file.symbols.all.contains { $0.isDefined && $0.name.hasPrefix("$s15Synchronization") })
        #expect(file.symbols.wanted.contains { $0.hasPrefix("swift_") })
        #expect(!file.isPlugin && file.notes.isEmpty)
    }

    @Test("Each kind of wrong file has its own words") func words() {
        var bytes = Self.library.bytes
        #expect(message([])?.contains("no shared object") == true)
        #expect(message(Array("#!/bin/sh\n".utf8))?.contains("no shared object") == true)
        #expect(message(Array(bytes[..<63]))?.contains("cut short") == true)
        #expect(message(Array(bytes[..<(bytes.count - 1)]))?.contains("cut short") == true)
        bytes[4] = 1
        #expect(message(bytes)?.contains("32-bit") == true)
        bytes[4] = 2
        bytes[5] = 2
        #expect(message(bytes)?.contains("byte order") == true)
        bytes[5] = 1
        bytes[18] = 243
        #expect(message(bytes)?.contains("riscv64") == true)
        bytes[18] = Self.library.bytes[18]
        bytes[16] = 1
        #expect(message(bytes)?.contains("no shared object") == true)
        bytes[16] = 3
        // As many sections as can be said.
        bytes[60] = 0xFF
        bytes[61] = 0xFF
        #expect(message(bytes)?.contains("cut short") == true)
        bytes[60] = 0
        bytes[61] = 0
        #expect(message(bytes)?.contains("no table of sections") == true)
    }

    @Test("Whatever is wrong in a file, it is refused or read, never more", arguments: UInt64(1)...8)
    func mutations(seed: UInt64) throws {
        let good = try PluginFile(path: "x.so", bytes: Self.library.bytes).elf
        // Where numbers are that lead elsewhere: the head, the table of sections, and the tables that are read.
        let kinds = [ELFSection.Kind.dynamic, ELFSection.Kind.dynamicSymbols, ELFSection.Kind.relocations]
        let table = try ELFBytes(good.bytes).word(40, 8)
        var places = [0..<64, table..<good.bytes.count]
        places += good.sections.filter { kinds.contains($0.kind) || $0.name.hasPrefix("swift5_") }.map(\.file)
        places = places.filter { !$0.isEmpty }
        var random = SplitMix(seed: seed)
        for _ in 0..<60 {
            var bytes = good.bytes
            for _ in 0...random.below(4) {
                let place = places[random.below(places.count)]
                let values: [UInt8] = [0, 1, 0x7F, 0x80, 0xFF, UInt8(random.below(256))]
                bytes[place.lowerBound + random.below(place.count)] = values[random.below(values.count)]
            }
            if random.below(8) == 0 { bytes.removeLast(random.below(bytes.count)) }
            if let file = try? PluginFile(path: "x.so", bytes: bytes) { _ = try? SwiftReflection(file) }
        }
    }

    @Test("The program's own note says what it was built with") func ownNote() throws {
        let note = try #require(PluginNote.own)
        #expect(note.version == Int(PluginAPI.version) && note.compiler == Int(PluginAPI.compiler))
        #expect(note.digest.count == 16 && note.compiler > 60_300)
        #expect(PluginNote.text(ofCompiler: 60_301) == "6.3.1" && PluginNote.text(ofCompiler: 60_400) == "6.4")
    }

    @Test("Of a missing library it is said what to install") func advice() {
        #expect(NeededLibraries.advice("libbrotlienc.so.1").contains("libbrotli1"))
        #expect(NeededLibraries.advice("libzstd.so.1").contains("`libzstd1`"))
        #expect(NeededLibraries.advice("libre2.so.9").contains("`libre2-9`"))
        #expect(NeededLibraries.advice("libFoundation.so").contains("Swift runtime"))
    }
}
