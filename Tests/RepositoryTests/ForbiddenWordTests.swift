import Testing

/// What must not appear in shipped Swift, except in the files named here with their reason.
struct ForbiddenWordTests {
    private static let unsafeFiles: [String: String] = [
        "Sources/Checkpoint/": "maps files and checks every offset before a slice is given out",
        "Sources/Tensors/": "borrowed views of mapped bytes",
        "Sources/Compute/CPU/": "passes buffers to the C kernels",
        "Sources/Compute/Reference/": "reads mapped weights",
        "Sources/Compute/Tensor.swift": "a KV page's bytes, for the tiers below the pool",
        "Sources/PrefixCache/Tiers/": "digests and copies the bytes of pages",
        "Sources/RedisTier/": "passes pages to the C client",
        "Sources/Engine/Tiers/": "copies pages for the tiers, and lends them to be filled",
        "Sources/Models/": "converts mapped weights at load",
        "Sources/EngineBench/RandomWeights.swift": "fills the memory that measured weights are read from",
        "Sources/Server/Web/EmbeddedFiles.swift": "the embedded page is constant data of the binary",
        "Sources/Engine/EngineThread.swift": "pthread_create takes a raw pointer",
        "Sources/Radish/ModelSource.swift": "the embedded model is constant data of the binary",
    ]

    @Test func foundationIsNotLinked() {
        expectAbsent(/import Foundation\n/, except: [:])
    }

    @Test func nothingTrapsOnInput() {
        expectAbsent(/fatalError\(|try!|as!/, except: [:])
    }

    @Test func uncheckedSendableIsProven() throws {
        for file in RepositoryRoot.files(below: "Sources", suffix: ".swift") {
            let lines = try #require(RepositoryRoot.text(file)).split(separator: "\n", omittingEmptySubsequences: false)
            for (index, line) in lines.enumerated() where line.contains("@unchecked Sendable") {
                let before = lines[max(0, index - 6)..<index]
                #expect(before.contains { $0.contains("//") }, "\(file):\(index + 1) gives no proof")
            }
        }
    }

    @Test func unsafePointersStayInTheirRooms() {
        expectAbsent(/Unsafe[A-Z][A-Za-z]*Pointer|Unmanaged</, except: Self.unsafeFiles)
    }

    @Test func filesStayShort() throws {
        for file in RepositoryRoot.files(below: "Sources", suffix: ".swift") where !file.contains("UnicodeTable") {
            let lines = try #require(RepositoryRoot.text(file)).split(separator: "\n", omittingEmptySubsequences: false)
            #expect(lines.count <= 450, "\(file) has \(lines.count) lines: one file, one idea")
        }
    }

    private func expectAbsent(_ pattern: Regex<Substring>, except allowed: [String: String]) {
        for file in RepositoryRoot.files(below: "Sources", suffix: ".swift") {
            if allowed.keys.contains(where: { file.hasPrefix($0) }) { continue }
            guard let text = RepositoryRoot.text(file) else { continue }
            for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
                let code = line.prefix(upTo: line.firstRange(of: "//")?.lowerBound ?? line.endIndex) + "\n"
                #expect(code.firstMatch(of: pattern) == nil, "\(file):\(index + 1): \(line)")
            }
        }
    }
}
