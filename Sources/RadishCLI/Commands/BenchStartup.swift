import ArgumentParser
import Checkpoint
import Compute
import Engine
import EngineBench
import EngineInterface
import Glibc
import Radish
import Statistics
import Synchronization
import TextGeneration

struct BenchStartup: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "startup",
        abstract: "Load a model in this process, over and over, and say where the time until the first token goes.",
        discussion: """
            radish bench startup --model-path ./Qwen2.5-0.5B
            radish bench startup --model-path ./Qwen2.5-0.5B --cold
            """)

    @Option(help: ArgumentHelp("Loads; the first is shown by itself, then the median of all.", valueName: "n"))
    var repetitions = 5

    @Flag(help: "Ask the system to forget the model's files before each load, so that they come from the disk.")
    var cold = false

    @OptionGroup(title: "Model") var model: ModelOptions
    @OptionGroup(title: "Cache") var cache: CacheOptions
    @OptionGroup(title: "Scheduling") var scheduling: SchedulingOptions
    @OptionGroup(title: "Machine") var machine: MachineOptions

    func validate() throws {
        guard repetitions >= 1 else { throw ValidationError("--repetitions \(repetitions): expected at least 1.") }
        guard !cold || model.modelPath != nil else {
            throw ValidationError("--cold: the demo model is part of the program; give --model-path.")
        }
    }

    func run() async throws {
        do {
            var rounds: [Startup] = []
            for _ in 0..<repetitions {
                if cold { try forgetFiles() }
                rounds.append(try await once())
            }
            let name = EngineStart.source(model).name
            print("\(name), \(rounds.count) loads, files \(cold ? "from the disk" : "from wherever they were")\n")
            var table = TextTable(["seconds", "first", "median", "best"])
            for (label, value) in Startup.stages {
                let values = Distribution(rounds.map { $0[keyPath: value] })
                table.append([
                    label, rounds[0][keyPath: value].fixed(3), values.median.fixed(3),
                    (values.sorted.first ?? 0).fixed(3),
                ])
            }
            print(table.text, terminator: "")
            if let memory = rounds.last?.memory {
                print("\nresident \(memory.now >> 20) MiB after the last load, most \(memory.most >> 20) MiB")
            }
        } catch {
            throw CommandFailure(error)
        }
    }

    private func once() async throws -> Startup {
        let clock = ContinuousClock()
        let marks = Mutex<(weights: ContinuousClock.Instant?, check: ContinuousClock.Instant?)>((nil, nil))
        var startup = Startup()
        let start = clock.now
        func seconds(_ from: ContinuousClock.Instant, _ to: ContinuousClock.Instant) -> Double {
            from.duration(to: to) / .seconds(1)
        }
        let files = try EngineStart.source(model).files()
        let assets = try EngineStart.assets(model)
        let tokenized = clock.now
        let threads = machine.threads
        let engine = try await EngineLoader.start(
            try EngineStart.settings(model, cache, scheduling, machine).engine, files: files,
            endOfSequenceIDs: assets.endOfSequenceIDs,
            backend: { try CPUBackend(kernels: nil, threads: threads, pin: true) },
            availableMemory: { HostInfo.availableMemory() },
            progress: { stage in
                let now = clock.now
                marks.withLock { marks in
                    switch stage {
                    case .weights, .note: break
                    case .selfCheck: marks.weights = now
                    case .ready: marks.check = now
                    }
                }
            })
        let loaded = clock.now
        let text = TextEngine(engine: engine, assets: assets)
        text.grammars.tokenVocabulary()
        let ready = clock.now
        let (weights, check) = marks.withLock { ($0.weights ?? loaded, $0.check ?? loaded) }
        startup.tokenizer = seconds(start, tokenized)
        startup.weights = seconds(tokenized, weights)
        startup.selfCheck = seconds(weights, check)
        startup.vocabulary = seconds(loaded, ready)
        startup.ready = seconds(start, ready)
        do {
            startup.firstToken = try await firstToken(engine, 1)
            startup.secondToken = try await firstToken(engine, 2)
        } catch {
            await engine.shutdown()
            throw error
        }
        startup.memory = HostInfo.residentMemory()
        await engine.shutdown()
        return startup
    }

    /// Seconds until the first token behind 32 tokens that no other prompt begins with.
    private func firstToken(_ engine: EngineHandle, _ number: Int32) async throws -> Double {
        let clock = ContinuousClock()
        var sampling = SamplingParameters()
        sampling.temperature = 0
        sampling.maxTokens = 1
        sampling.ignoreEOS = true
        let start = clock.now
        let prompt = (0..<32).map { (number * 97 + $0) % Int32(engine.information.vocabularySize) }
        for await event in try engine.submit(
            GenerationRequest(id: "startup-\(number)", prompt: prompt, sampling: sampling))
        {
            if case .finished(.failed(let error), _) = event { throw error }
        }
        return start.duration(to: clock.now) / .seconds(1)
    }

    /// Drops the files from the page cache, as far as no other process has them mapped.
    private func forgetFiles() throws {
        let files = try EngineStart.source(model).files()
        for name in files.names {
            let descriptor = open(files.path(of: name), O_RDONLY | O_CLOEXEC)
            guard descriptor >= 0 else { continue }
            posix_fadvise(descriptor, 0, 0, POSIX_FADV_DONTNEED)
            close(descriptor)
        }
    }
}

/// Seconds of one start.
private struct Startup {
    var tokenizer = 0.0
    var weights = 0.0
    var selfCheck = 0.0
    var vocabulary = 0.0
    var ready = 0.0
    var firstToken = 0.0
    var secondToken = 0.0
    var memory: ResidentMemory?

    static var stages: [(String, KeyPath<Startup, Double>)] {
        [
            ("tokenizer and template", \.tokenizer), ("weights", \.weights), ("cache and one run", \.selfCheck),
            ("vocabulary for grammars", \.vocabulary), ("ready", \.ready), ("first token, 32 tokens", \.firstToken),
            ("first token, the second time", \.secondToken),
        ]
    }
}
