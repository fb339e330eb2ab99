import Glibc
import Testing

/// The real server with a disk below its cache: killed, limited, and in company.
@Suite(.serialized) struct WarmRestartTests {
    private let folder = "/tmp/radish-test-\(getpid())-\(UInt32.random(in: 0...UInt32.max))-kv"

    private func document(_ seed: Int) -> [Int32] { (0..<600).map { Int32(10 + ($0 * 7919 + seed * 104_729) % 2000) } }

    private func removeFolder() { _ = system("rm -rf '\(folder)'") }

    /// Asks until so many tokens are found: writing down follows the answer by a moment.
    private func settle() { usleep(700_000) }

    @Test func afterKillTheFirstRequestOnAKnownDocumentIsServedFromDisk() throws {
        defer { removeFolder() }
        let first = try #require(ServedBinary("--hicache-dir '\(folder)' --hicache-size 100M"))
        let cold = try #require(first.generate(document(1) + [11, 12, 13]))
        #expect(cold.cached == 0)
        settle()
        first.kill(SIGKILL)

        let second = try #require(ServedBinary("--hicache-dir '\(folder)' --hicache-size 100M"))
        let warm = try #require(second.generate(document(1) + [11, 12, 13]))
        #expect(warm.cached == 592, "all full pages of 603 tokens")
        #expect(warm.output == cold.output)
        let other = try #require(second.generate(document(1) + [21, 22, 23]))
        #expect(other.cached == 600)
        #expect(second.says("cache tier disk: \(folder)"))
        second.kill(SIGTERM)
    }

    /// The same program in a file with other bytes, as after another build.
    @Test func anotherBuildOfTheSameSourceFindsThePages() throws {
        defer { removeFolder() }
        let first = try #require(ServedBinary("--hicache-dir '\(folder)'"))
        let cold = try #require(first.generate(document(5)))
        settle()
        first.kill(SIGKILL)
        let copy = "\(folder)-radish"
        defer { unlink(copy) }
        #expect(system("cp '\(Binary.path)' '\(copy)' && echo built again >> '\(copy)'") == 0)
        let second = try #require(ServedBinary("--hicache-dir '\(folder)'", binary: copy))
        let warm = try #require(second.generate(document(5)))
        #expect(warm.cached == 592 && warm.output == cold.output)
    }

    @Test func aFolderThatCannotBeUsedIsALineInTheLog() throws {
        let file = Binary.temporaryFile("", name: "not-a-folder")
        let server = try #require(ServedBinary("--hicache-dir '\(file)/kv'"))
        #expect(server.generate(document(2))?.output.count == 8)
        #expect(server.says("Not a directory; serving goes on without this tier"))
    }

    /// No file may grow beyond 8 KiB, so that every page fails half-way, as on a full disk.
    @Test func aDiskThatTakesNothingIsALineInTheLog() throws {
        defer { removeFolder() }
        let server = try #require(ServedBinary("--hicache-dir '\(folder)'", before: "ulimit -f 16;"))
        let cold = try #require(server.generate(document(3)))
        #expect(server.says("File too large; serving goes on, nothing is written for 30 s"), "\(server.log)")
        let warm = try #require(server.generate(document(3)))
        #expect(warm.output == cold.output && warm.cached == 599, "what is in memory is still found")
    }

    @Test func twoServersShareAFolder() throws {
        defer { removeFolder() }
        let a = try #require(ServedBinary("--hicache-dir '\(folder)'"))
        let b = try #require(ServedBinary("--hicache-dir '\(folder)'"))
        let cold = try #require(a.generate(document(4) + [5]))
        settle()
        let warm = try #require(b.generate(document(4) + [5]))
        #expect(warm.cached == 592 && warm.output == cold.output)
    }

    @Test func flagsOfTiersAreChecked() {
        for (arguments, text) in [
            ("--hicache-storage tape", "expected file or redis://host:port/db"),
            ("--hicache-size much", "--hicache-size"),
            ("--hicache-write-policy never", "write_through"),
            ("--max-itl-ms -1", "--max-itl-ms"),
            ("--priority-scheduling-preemption-threshold 0", "expected an integer"),
        ] {
            let output = Binary.run("serve \(arguments)")
            #expect(output.status != 0 && output.text.contains(text), "\(arguments): \(output.text)")
        }
    }
}
