import Checkpoint
import Glibc
import Tensors
import Testing

/// Finding the files of a model, and what is said when they are not there.
@Suite struct ModelFilesTests {
    @Test func aDirectoryGivesItsFilesAndNothingElse() throws {
        let directory = try TemporaryDirectory(["config.json": Array("{}".utf8), "empty": []])
        mkdir(directory.path + "/folder", 0o700)
        symlink("config.json", directory.path + "/link.json")
        symlink("nowhere", directory.path + "/dangling.json")
        let files = try ModelFiles.directory(directory.path + "//")
        #expect(files.description == directory.path)
        #expect(files.names == ["config.json", "empty", "link.json"])
        #expect(try files.contents(of: "config.json") == Array("{}".utf8))
        #expect(try files.contents(of: "link.json") == Array("{}".utf8))
        #expect(try files.contents(of: "empty") == [])
        #expect(try files.contents(of: "absent") == nil)
        #expect(try files.mapped("absent") == nil)
        // A name is never a path.
        #expect(try files.contents(of: "../" + directory.path.split(separator: "/")[1] + "/config.json") == nil)
        #expect(files.path(of: "config.json") == directory.path + "/config.json")
    }

    @Test func aWrongPathIsExplained() throws {
        let directory = try TemporaryDirectory(["model.safetensors": []])
        let nowhere = directory.path + "/nowhere"
        #expect(throws: CheckpointError.noSuchDirectory(path: nowhere)) { try ModelFiles.directory(nowhere) }
        let file = directory.path + "/model.safetensors"
        #expect(throws: CheckpointError.notADirectory(path: file)) { try ModelFiles.directory(file) }
        #expect(throws: CheckpointError.noSuchDirectory(path: file + "/x")) { try ModelFiles.directory(file + "/x") }
        #expect(throws: CheckpointError.noSuchDirectory(path: "")) { try ModelFiles.directory("") }
    }

    @Test func aFileThatVanishedIsASystemError() throws {
        let directory = try TemporaryDirectory(["config.json": [1]])
        let files = try ModelFiles.directory(directory.path)
        unlink(directory.path + "/config.json")
        let expected = CheckpointError.system(file: directory.path + "/config.json", operation: "open", code: ENOENT)
        #expect(throws: expected) { try files.contents(of: "config.json") }
        #expect(expected.description.contains("No such file"))
    }

    @Test func whatMayNotBeReadIsNamedWithTheReason() throws {
        let directory = try TemporaryDirectory(["config.json": Array("{}".utf8)])
        chmod(directory.path, 0o755)
        chmod(directory.path + "/config.json", 0)
        let ran = try asStranger {
            let files = try ModelFiles.directory(directory.path)
            #expect(files.names == ["config.json"])
            let error = #expect(throws: CheckpointError.self) { try ModelConfig.read(files) }
            #expect(
                error?.description
                    == "\(directory.path)/config.json: open failed: Permission denied (errno \(EACCES)).")
        }
        if !ran { print("SKIPPED: a file that may not be read: the test cannot give up its privileges") }
        chmod(directory.path, 0)
        let closed = asStranger {
            let expected = CheckpointError.system(file: directory.path, operation: "opendir", code: EACCES)
            #expect(throws: expected) { try ModelFiles.directory(directory.path) }
            let within = CheckpointError.system(file: directory.path + "/x", operation: "stat", code: EACCES)
            #expect(throws: within) { try ModelFiles.directory(directory.path + "/x") }
        }
        chmod(directory.path, 0o700)
        if !closed { print("SKIPPED: a directory that may not be read: the test cannot give up its privileges") }
    }

    /// A pipe has no bytes to map, and opening one must not wait for a writer.
    @Test func whatIsNoFileIsRefusedWithoutWaiting() throws {
        let directory = try TemporaryDirectory()
        mkfifo(directory.path + "/model.safetensors", 0o600)
        #expect(try ModelFiles.directory(directory.path).names == [])
        let pipe = directory.path + "/model.safetensors"
        #expect(throws: CheckpointError.system(file: pipe, operation: "mmap", code: ENODEV)) {
            try MappedFile(path: pipe)
        }
    }

    @Test func aWholeFileBeyondTheLimitIsNotRead() throws {
        let directory = try TemporaryDirectory(["tokenizer.json": []])
        let bytes = ModelFiles.largestContents + 1
        // A hole: takes no room on the disk.
        #expect(truncate(directory.path + "/tokenizer.json", bytes) == 0)
        let files = try ModelFiles.directory(directory.path)
        let path = directory.path + "/tokenizer.json"
        let error = #expect(throws: CheckpointError.self) { try files.contents(of: "tokenizer.json") }
        #expect(error == .tooLarge(file: path, bytes: bytes, limit: ModelFiles.largestContents))
        #expect(error?.description == "\(path) has 268435457 bytes; at most 268435456 are read.")
        #expect(try files.mapped("tokenizer.json")?.count == bytes)
    }

    @Test func anEmptyDirectoryIsNoModel() throws {
        let directory = try TemporaryDirectory()
        let files = try ModelFiles.directory(directory.path)
        #expect(files.names == [])
        #expect(throws: CheckpointError.noWeights(directory: directory.path, found: [])) {
            try ModelDirectory.weights(files)
        }
        #expect(throws: CheckpointError.missingFile(name: "config.json", directory: directory.path)) {
            try ModelIdentity.read(files)
        }
        #expect(try GenerationDefaults.read(files) == GenerationDefaults())
        #expect(try TokenizerConfig.read(files) == TokenizerConfig())
    }

    @Test(arguments: ["/config.json", "./config.json", "folder/config.json", "folder//../config.json", "", ".", ".."])
    func aNameIsNeverAPath(name: String) throws {
        let directory = try TemporaryDirectory(["config.json": Array("{}".utf8)])
        mkdir(directory.path + "/folder", 0o700)
        let files = try ModelFiles.directory(directory.path)
        #expect(!files.contains(name))
        #expect(try files.mapped(name) == nil)
        #expect(try files.contents(of: name) == nil)
    }

    @Test func pathErrorsSayWhatToDo() {
        #expect(
            CheckpointError.noSuchDirectory(path: "m").description
                == "m: no such directory. Give the path of a Hugging Face model directory (config.json, "
                + "tokenizer.json, *.safetensors); models are not downloaded.")
        #expect(
            CheckpointError.notADirectory(path: "m/model.safetensors").description
                == "m/model.safetensors is a file. Give the directory that holds config.json, tokenizer.json and "
                + "*.safetensors.")
        #expect(CheckpointError.missingFile(name: "config.json", directory: "m").description == "m has no config.json.")
    }

    @Test func embeddedFilesAreReadTheSameWay() throws {
        let contents = try GuardedBytes(Array("{}".utf8))
        let weights = try GuardedBytes(SafetensorsBytes.small)
        let files = ModelFiles.embedded(
            [("model.safetensors", weights.bytes), ("config.json", contents.bytes)], description: "demo")
        #expect(files.names == ["config.json", "model.safetensors"])
        #expect(try files.contents(of: "config.json") == Array("{}".utf8))
        #expect(try files.contents(of: "tokenizer.json") == nil)
        let source = try ModelDirectory.weights(files)
        #expect(source.names == ["a", "b", "empty", "scalar"])
        source.release("a")
        #expect(try source.tensor("a").bytes.elementsEqual(0..<24))
        withExtendedLifetime((contents, weights)) {}
    }

    @Test func mappedBytesAreBounded() throws {
        let directory = try TemporaryDirectory(["f": [1, 2, 3]])
        let file = try MappedFile(path: directory.path + "/f")
        #expect(file.count == 3)
        #expect(file.bytes(1..<3).map { [UInt8]($0) } == [2, 3])
        #expect(file.bytes(3..<3)?.count == 0)
        #expect(file.bytes(1..<4) == nil)
        #expect(file.bytes(-1..<1) == nil)
        #expect(throws: CheckpointError.system(file: directory.path, operation: "mmap", code: EISDIR)) {
            try MappedFile(path: directory.path)
        }
    }
}

/// Which files the weights are read from.
@Suite struct ModelDirectoryTests {
    private let other = SafetensorsBytes.file(
        header: #"{"c":{"dtype":"F16","shape":[2],"data_offsets":[0,4]}}"#, data: 4)

    private func weights(_ contents: [String: [UInt8]]) throws -> any WeightSource {
        let directory = try TemporaryDirectory(contents)
        return try ModelDirectory.weights(ModelFiles.directory(directory.path))
    }

    private func index(_ map: String) -> [UInt8] { Array("{\"metadata\":{},\"weight_map\":{\(map)}}".utf8) }

    @Test func shardsAreReadThroughTheirIndex() throws {
        let source = try weights([
            "model.safetensors.index.json": index(#""a":"1.safetensors","c":"2.safetensors""#),
            "1.safetensors": SafetensorsBytes.small, "2.safetensors": other,
        ])
        #expect(source.names == ["a", "c"])
        #expect(try source.tensor("a").shape == [2, 3])
        #expect(try source.tensor("c").dtype == .float16)
        // In a shard, but not in the index.
        #expect(source.information("b") == nil)
        #expect(throws: CheckpointError.missingTensor(name: "b", source: source.description)) {
            try source.tensor("b")
        }
        source.release("a")
    }

    @Test func oneFileWinsOverAnIndexAndAnyOneNameWillDo() throws {
        let source = try weights(["model.safetensors": other, "model.safetensors.index.json": index("")])
        #expect(source.names == ["c"])
        #expect(try weights(["demo.safetensors": other]).names == ["c"])
    }

    @Test func missingShardsAreAllNamed() throws {
        let error = #expect(throws: CheckpointError.self) {
            try weights([
                "model.safetensors.index.json": index(
                    #""a":"3.safetensors","b":"2.safetensors","c":"1.safetensors","d":"3.safetensors""#),
                "1.safetensors": other,
            ])
        }
        guard case .missingShards(_, let shards)? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(shards == ["2.safetensors", "3.safetensors"])
    }

    @Test(arguments: ["../1.safetensors", "/etc/passwd", "..", ".", "", "a\\\\b", "a\\u0000"])
    func shardsLieBesideTheIndex(shard: String) throws {
        let error = #expect(throws: CheckpointError.self) {
            try weights(["model.safetensors.index.json": index("\"layer.w\":\"\(shard)\"")])
        }
        guard case .malformedIndex(_, let key, _, _)? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(key == "weight_map.layer.w")
    }

    @Test func anIndexThatContradictsItsShardIsNamed() throws {
        let error = #expect(throws: CheckpointError.self) {
            try weights([
                "model.safetensors.index.json": index(#""a":"2.safetensors""#), "2.safetensors": other,
            ])
        }
        guard case .malformedIndex(_, "weight_map.a", _, let found)? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(found.contains("2.safetensors"))
    }

    @Test(arguments: [
        "{}", #"{"weight_map":{}}"#, #"{"weight_map":{"a":1}}"#, #"{"weight_map":[]}"#,
        #"{"weight_map":{"a":"x","a":"x"}}"#, "[]", "",
    ])
    func anIndexOfAnotherShapeIsRefused(text: String) throws {
        #expect(throws: CheckpointError.self) { try weights(["model.safetensors.index.json": Array(text.utf8)]) }
    }

    @Test func errorsNameIndexKeyAndShard() throws {
        func text(_ contents: [String: [UInt8]]) throws -> String {
            let directory = try TemporaryDirectory(contents)
            let files = try ModelFiles.directory(directory.path)
            let error = #expect(throws: CheckpointError.self) { try ModelDirectory.weights(files) }
            return (error?.description ?? "").replacing(directory.path, with: "m")
        }
        let name = "model.safetensors.index.json"
        #expect(
            try text([name: Array("{\"weight_map\":{\"a\" \"x\"}}".utf8)])
                == #"m/model.safetensors.index.json, byte 19: expected ":", found """."#)
        #expect(
            try text([name: index(#""a":"../x.safetensors""#)])
                == "m/model.safetensors.index.json, weight_map.a: expected the name of a file beside the index, "
                + #"found "../x.safetensors"."#)
        #expect(
            try text([
                name: index(#""a":"1.safetensors","c":"2.safetensors""#), "1.safetensors": SafetensorsBytes.small,
            ])
                == "m/model.safetensors.index.json names shards that are not there: 2.safetensors. "
                + "Fetch them into the same directory.")
        #expect(
            try text([name: index(#""a":"2.safetensors""#), "2.safetensors": other])
                == "m/model.safetensors.index.json, weight_map.a: expected a shard that holds it, "
                + "found 2.safetensors, which does not.")
        // Damage is sought in all shards before anything is read, and named with the shard.
        #expect(
            try text([
                name: index(#""a":"1.safetensors","c":"2.safetensors""#), "1.safetensors": SafetensorsBytes.small,
                "2.safetensors": other.dropLast(),
            ])
                == "m/2.safetensors, tensor c, bytes \(other.count - 4)..<\(other.count): expected bytes within the "
                + "file, which ends at \(other.count - 1), found end at 4 after the header. "
                + "The file is damaged or incomplete: fetch it again.")
    }

    @Test func severalFilesWithoutAnIndexAskForIt() throws {
        let directory = try TemporaryDirectory(["1.safetensors": other, "2.safetensors": other])
        let error = #expect(throws: CheckpointError.self) {
            try ModelDirectory.weights(ModelFiles.directory(directory.path))
        }
        #expect(
            error?.description
                == "\(directory.path) has 1.safetensors, 2.safetensors, but neither model.safetensors nor "
                + "model.safetensors.index.json, which says what lies in which file. Fetch it into the same directory.")
    }

    @Test(arguments: ["pytorch_model.bin", "model-q4.gguf", "consolidated.00.pth"])
    func otherFormatsAreSeenAndExplained(name: String) throws {
        let error = #expect(throws: CheckpointError.self) { try weights([name: [1], "config.json": []]) }
        guard case .noWeights(_, let found)? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(found == [name])
        #expect("\(error as Any)".contains(name))
    }
}
