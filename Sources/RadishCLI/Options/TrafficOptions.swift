import ArgumentParser
import Glibc
import LoadBench
import WireTypes

/// How a server under test is spoken to. Names and defaults are those of SGLang's `bench_serving`.
struct TrafficOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "How the server is spoken to: "
                + ServingBackend.allCases.map(\.rawValue).joined(separator: ", ") + ".", valueName: "name"))
    var backend: ServingBackend = .radish

    @Option(
        name: .customLong("served-model-name"),
        help: ArgumentHelp("Name in the requests; the server's first model by default.", valueName: "name"))
    var servedModelName: String?

    @Option(help: ArgumentHelp("Model name or directory; the server's first model by default.", valueName: "name"))
    var model: String?

    @Option(
        help: ArgumentHelp(
            "Directory with tokenizer.json, for lengths and random texts; by default the server's model directory if it "
                + "is on this machine, or the demo model's.", valueName: "dir"))
    var tokenizer: String?

    @Option(
        name: .customLong("request-rate"),
        help: ArgumentHelp("Requests per second, as a Poisson process; inf sends all at once.", valueName: "n"))
    var requestRate = Double.infinity

    @Option(name: .customLong("max-concurrency"), help: ArgumentHelp("At most so many at a time.", valueName: "n"))
    var maxConcurrency: Int?

    @Option(
        name: .customLong("warmup-requests"),
        help: ArgumentHelp("Requests before the clock starts.", valueName: "n"))
    var warmupRequests = 1

    @Flag(name: .customLong("flush-cache"), help: "Empty the server's prefix cache after the warm-up.")
    var flushesCache = false

    @Option(
        name: .customLong("flush-cache-timeout"),
        help: ArgumentHelp("How long the server may be too busy for that.", valueName: "s"))
    var flushSeconds = 60.0

    @Flag(help: "Let the server write a profile of the run (/start_profile, /stop_profile).")
    var profile = false

    @Option(name: .customLong("lora-name"), help: ArgumentHelp("Adapter to ask for.", valueName: "name"))
    var adapter: String?

    @Option(
        name: .customLong("ready-check-timeout-sec"),
        help: ArgumentHelp("How long to wait for the server.", valueName: "s"))
    var readySeconds = 60

    @Flag(name: .customLong("disable-stream"), help: "Ask for whole answers.")
    var disablesStream = false

    @Flag(name: .customLong("disable-ignore-eos"), help: "Let answers end where the model ends them.")
    var respectsEOS = false

    @Option(help: "Sampling temperature.") var temperature = 0.0

    @Option(name: .customLong("top-p"), help: "Sampling threshold.") var topP = 1.0

    @Flag(name: .customLong("return-logprob"), help: "Ask for log-probabilities.")
    var returnsLogprob = false

    @Option(
        name: .customLong("extra-request-body"),
        help: ArgumentHelp("Members added to each request.", valueName: "JSON"))
    var extraRequestBody: String?

    @Option(
        parsing: .upToNextOption, help: ArgumentHelp("Added to each request, as KEY=VALUE.", valueName: "header"))
    var header: [String] = []

    @Flag(name: .customLong("cache-report"), help: "Sum up the cached tokens of the answers.")
    var reportsCache = false

    @Flag(
        name: .customLong("pd-separated"),
        help: "Accepted: the server spreads prefill and decode over machines; requests look the same.")
    var prefillDecodeSeparated = false

    @Option(
        parsing: .upToNextOption,
        help: ArgumentHelp("Limits in ms for goodput: ttft:200 tpot:50 e2el:5000.", valueName: "limit"))
    var goodput: [String] = []

    @Flag(name: .customLong("disable-tqdm"), help: "No progress bar.")
    var hidesProgress = false

    @Option(name: .customLong("client-threads"), help: ArgumentHelp("Threads that read sockets.", valueName: "n"))
    var threads = 1

    func validate() throws {
        guard requestRate > 0 else { throw ValidationError("--request-rate \(requestRate): expected above 0, or inf.") }
        if let maxConcurrency, maxConcurrency < 1 {
            throw ValidationError("--max-concurrency \(maxConcurrency): expected at least 1.")
        }
        guard warmupRequests >= 0 else {
            throw ValidationError("--warmup-requests \(warmupRequests): expected 0 or more.")
        }
        guard (1...256).contains(threads) else {
            throw ValidationError("--client-threads \(threads): expected 1 to 256.")
        }
        for limit in goodput where Goodput.Limit(limit) == nil {
            throw ValidationError("--goodput \(limit): expected ttft:MS, tpot:MS or e2el:MS.")
        }
        for line in header where !line.contains("=") {
            throw ValidationError("--header \(line): expected KEY=VALUE.")
        }
        _ = try extraBody()
    }

    func extraBody() throws -> JSONObject {
        guard let extraRequestBody else { return JSONObject() }
        do {
            guard case .object(let object) = try JSONParser.parse(Array(extraRequestBody.utf8)) else {
                throw ValidationError("--extra-request-body: expected a JSON object.")
            }
            return object
        } catch let error as JSONError {
            throw ValidationError("--extra-request-body: \(error.message).")
        }
    }

    var headers: [(String, String)] {
        var headers: [(String, String)] = []
        if let key = getenv("OPENAI_API_KEY") { headers.append(("authorization", "Bearer " + String(cString: key))) }
        for line in header {
            let parts = line.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            headers.append((String(parts[0]), String(parts[1])))
        }
        return headers
    }

    func shape(model: String) throws -> RequestShape {
        var shape = RequestShape(backend: backend, model: model)
        shape.stream = !disablesStream
        shape.ignoreEOS = !respectsEOS
        shape.temperature = temperature
        shape.topP = topP
        shape.returnLogprob = returnsLogprob
        shape.cacheReport = reportsCache
        shape.extraBody = try extraBody()
        // SGLang's name; its OpenAI routes take it too.
        if let adapter { shape.extraBody.set("lora_path", .string(adapter)) }
        return shape
    }
}

extension ServingBackend: ExpressibleByArgument {}
