import Testing

/// The table of arrows in docs/ARCHITECTURE.md is what Package.swift says, and what the sources import.
struct ArrowTests {
    @Test func documentedArrowsAreThoseOfTheManifest() throws {
        let documented = try documentedArrows()
        let declared = try declaredArrows()
        #expect(declared.count > 0)
        for (target, imports) in declared where target != "RadishCLI" {
            #expect(documented[target] == imports, "\(target)")
        }
    }

    /// A target cannot import what the manifest does not list, but it may list what nobody imports any more.
    @Test func everyListedArrowIsUsed() throws {
        for (target, imports) in try declaredArrows() {
            let sources = RepositoryRoot.files(below: "Sources/" + target, suffix: ".swift")
            let text = sources.compactMap(RepositoryRoot.text).joined(separator: "\n")
            for module in imports {
                #expect(text.contains("import \(module)\n"), "\(target) lists \(module) and does not import it")
            }
        }
    }

    /// A build of many targets at once may find a module nobody listed, because it happens to be built already; a clean
    /// one on another machine then does not.
    @Test func everyImportIsListed() throws {
        var folders = try declaredArrows().map { (target: $0.key, folder: "Sources/" + $0.key, listed: $0.value) }
        folders += try declaredTests().map { (target: $0.key, folder: "Tests/" + $0.key, listed: $0.value) }
        let ours = Set(folders.map(\.target)).union(["TestSupport"])
        for (target, folder, listed) in folders {
            for file in RepositoryRoot.files(below: folder, suffix: ".swift") {
                for line in (RepositoryRoot.text(file) ?? "").split(separator: "\n") where line.contains("import ") {
                    let words = line.split(separator: " ")
                    guard let at = words.firstIndex(of: "import"), words[..<at].allSatisfy(Self.mayPrecedeImport),
                        at + 1 < words.count
                    else { continue }
                    let module = String(words[at + 1])
                    guard ours.contains(module) else { continue }
                    #expect(listed.contains(module), "\(file) imports \(module), which \(target) does not list")
                }
            }
        }
    }

    private static func mayPrecedeImport(_ word: Substring) -> Bool {
        ["package", "public", "internal", "private"].contains(word) || word.hasPrefix("@")
    }

    /// Our own targets that each `tests("Name", […])` of Package.swift may import, the tested one among them.
    private func declaredTests() throws -> [String: Set<String>] {
        let manifest = try #require(RepositoryRoot.text("Package.swift"))
        let list = try #require(manifest.split(separator: "// Tests").last)
        var tests: [String: Set<String>] = [:]
        for declaration in list.replacing("\n", with: " ").split(separator: /\btests\(/).dropFirst() {
            let names = declaration.matches(of: /"([A-Za-z]+)"/).map { String($0.1) }
            guard let tested = names.first else { continue }
            tests[tested + "Tests"] = Set(names)
        }
        #expect(tests.count > 10)
        return tests
    }

    private func documentedArrows() throws -> [String: Set<String>] {
        let page = try #require(RepositoryRoot.text("docs/ARCHITECTURE.md"))
        let table = try #require(page.split(separator: "### 2.1").last?.split(separator: "```").dropFirst().first)
        var arrows: [String: Set<String>] = [:]
        for line in table.split(separator: "\n") {
            let sides = line.split(separator: ":", maxSplits: 1)
            guard sides.count == 2 else { continue }
            let right = sides[1].split(separator: ",").map { $0.drop(while: \.isWhitespace) }
            arrows[String(sides[0])] = right == ["nothing"] ? [] : Set(right.map(String.init))
        }
        return arrows
    }

    /// Our own targets named in each `library("Name", […])`, `.target(…)` and the executable of Package.swift.
    private func declaredArrows() throws -> [String: Set<String>] {
        let manifest = try #require(RepositoryRoot.text("Package.swift"))
        let list = try #require(manifest.split(separator: "    targets: [").last?.split(separator: "// Tests").first)
        var arrows: [String: Set<String>] = [:]
        let text = list.replacing("\n", with: " ")
        let beginning = /library\(|\.target\(|\.executableTarget\(|\.systemLibrary\(/
        for declaration in text.split(separator: beginning).dropFirst(0) {
            let names = declaration.matches(of: /"([A-Za-z]+)"/).map { String($0.1) }
            guard let target = names.first else { continue }
            let ours = names.dropFirst().filter { RepositoryRoot.files(below: "Sources/" + $0, suffix: "").count > 0 }
            arrows[target] = Set(ours)
        }
        return arrows
    }
}
