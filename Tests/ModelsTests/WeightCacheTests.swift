import Checkpoint
import Compute
import FoundationEssentials
import Models
import Synchronization
import Tensors
import Testing

/// Packed weights that are kept on disk: what is mapped is what was packed, and what is not whole is packed again.
@Suite struct WeightCacheTests {
    private final class Notes: Sendable {
        private let lines = Mutex<[String]>([])
        func add(_ line: String) { lines.withLock { $0.append(line) } }
        /// What was said since the last question.
        func take() -> String {
            lines.withLock { lines in
                defer { lines = [] }
                return lines.joined(separator: "\n")
            }
        }
    }

    /// A directory that is removed with everything in it.
    private final class Folder {
        let path: String
        init() throws {
            path = FileManager.default.temporaryDirectory.path + "/radish-weights-\(UInt64.random(in: .min ... .max))"
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        }
        deinit { try? FileManager.default.removeItem(atPath: path) }

        func files() throws -> [String] {
            try FileManager.default.contentsOfDirectory(atPath: path).sorted().map { path + "/" + $0 }
        }
    }

    private let folder: Folder
    private let notes = Notes()

    init() throws { folder = try Folder() }

    private func logits(
        _ golden: GoldenModel, _ format: WeightFormat, files: ModelFiles? = nil, dtype: DType? = nil,
        directory: String? = nil
    ) throws -> [[UInt32]] {
        let notes = notes
        let run = try ModelRun(
            files ?? golden.files, CPUBackend(kernels: nil, threads: 2, pin: false), dtype: dtype, format: format,
            cache: WeightCacheUse(directory: directory ?? folder.path) { notes.add($0) })
        let pages = ModelRun.pages(0, tokens: golden.prompt.count)
        return run.logits(golden.prompt, chunk: 80, pages: pages).map { $0.map(\.bitPattern) }
    }

    @Test(
        arguments: ["llama31-gqa-bf16", "qwen2-shards-f16", "qwen3-moe-f32", "qwen3-f32"],
        WeightFormat.allCases)
    func theSecondStartMapsWhatTheFirstPacked(name: String, format: WeightFormat) throws {
        let golden = try GoldenModel(name)
        let files = name == "qwen3-f32" ? try ModelFiles.at(GoldenModel.fixtures + "/gguf/qwen3-f32.gguf") : nil
        let first = try logits(golden, format, files: files)
        #expect(notes.take().contains("none in \(folder.path) yet"))
        #expect(try folder.files().count == 1)
        let second = try logits(golden, format, files: files)
        let said = notes.take()
        #expect(said.contains("mapped from \(folder.path)"), "\(said)")
        #expect(first == second)
        // Other settings have a file of their own.
        _ = try logits(golden, format, files: files, dtype: .float16)
        #expect(notes.take().contains("yet"))
        #expect(try folder.files().count == 2)
    }

    @Test func whatIsNotWholeIsPackedAgain() throws {
        let golden = try GoldenModel("llama31-gqa-bf16")
        let expected = try logits(golden, .mxfp4)
        let path = try #require(try folder.files().first)
        let whole = try Data(contentsOf: URL(fileURLWithPath: path))
        _ = try logits(try GoldenModel("llama-mha-f32"), .stored)
        let foreign = try Data(contentsOf: URL(fileURLWithPath: try #require(try folder.files().first { $0 != path })))
        _ = notes.take()
        func flipped(_ place: Int) -> Data {
            var data = whole
            data[place] ^= 16
            return data
        }
        let index = Int(whole[16..<24].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) })
        let damaged: [(Data, String)] = [
            (Data(), "less than its head"), (whole.prefix(40), "less than its head"),
            (whole.dropLast(), "cut short"), (whole.prefix(5000), "cut short"), (whole + [0], "cut short"),
            (flipped(0), "none of Radish's"), (flipped(8), "another version"), (flipped(17), "cut short"),
            (flipped(index + 9), "damaged index"), (flipped(whole.count - 1), "damaged index"),
            (flipped(4096), "damaged weights"), (flipped(4159), "damaged weights"),
            (foreign, "other weights or settings"),
        ]
        for (data, reason) in damaged {
            try data.write(to: URL(fileURLWithPath: path))
            #expect(try logits(golden, .mxfp4) == expected, "\(reason)")
            let said = notes.take()
            #expect(said.contains("Warning: --weight-cache-dir: \(path)") && said.contains(reason), "\(said)")
            #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == whole, "\(reason)")
            #expect(try folder.files().count == 2, "something was left behind")
        }
    }

    @Test func aPlaceThatCannotBeWrittenIsNoReasonNotToLoad() throws {
        let golden = try GoldenModel("llama31-gqa-bf16")
        let expected = try logits(golden, .stored)
        _ = notes.take()
        #expect(try logits(golden, .stored, directory: "/proc/none") == expected)
        #expect(notes.take().contains("Warning: --weight-cache-dir: /proc/none cannot be made"))
        #expect(try logits(golden, .stored, directory: "/proc/self") == expected)
        #expect(notes.take().contains("packed weights could not be kept"))
    }

    /// The same path with other contents has another key.
    @Test func changedFilesAreNotServedFromTheCache() throws {
        let golden = try GoldenModel("llama31-gqa-bf16")
        let copy = try Folder()
        for name in golden.files.names {
            try FileManager.default.copyItem(
                atPath: golden.files.path(of: name), toPath: copy.path + "/" + name)
        }
        let files = try ModelFiles.directory(copy.path)
        let before = files.identity()
        let weights = copy.path + "/model.safetensors"
        var data = try Data(contentsOf: URL(fileURLWithPath: weights))
        data[data.count - 1] ^= 1
        try data.write(to: URL(fileURLWithPath: weights), options: .atomic)
        #expect(before != nil && before != files.identity())
    }
}
