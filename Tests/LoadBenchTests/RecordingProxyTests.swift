import LoadBench
import Synchronization
import Testing

struct RecordingProxyTests {
    @Test func answersPassAndEachExchangeIsTold() async throws {
        let server = try await NullServer.start(
            host: "127.0.0.1", port: 0, pace: .init(firstTokenMicroseconds: 1000, tokenMicroseconds: 500))
        let exchanges = Exchanges()
        let proxy = try await RecordingProxy.start(
            host: "127.0.0.1", port: 0, upstream: "http://127.0.0.1:\(server.port)/", now: { 7 }
        ) { exchange in exchanges.list.withLock { $0.append(exchange) } }
        let client = LoadClient(baseURL: "http://127.0.0.1:\(proxy.port)")
        #expect(try await ServingBenchmark.waitForModel(client, seconds: 5) == "null")
        let items = RandomDataset(count: 5, inputLength: 12, outputLength: 6, rangeRatio: 1)
            .items(codec: byteCodec, seed: 1)
        for backend in [ServingBackend.radish, .vllmChat] {
            let run = LoadRun(client: client, shape: RequestShape(backend: backend, model: "null"))
            let result = await run.run(items, times: Array(repeating: 0, count: 5))
            #expect(result.outcomes.allSatisfy { $0.error == nil && $0.outputTokens == 6 && $0.chunks >= 6 })
        }
        let told = exchanges.list.withLock { $0 }.filter { $0.path != "/v1/models" }
        #expect(told.count == 10)
        #expect(told.allSatisfy { $0.status == 200 && $0.time == 7 && $0.outputTokens == 6 && !$0.requestBody.isEmpty })
        #expect(told.allSatisfy { $0.answer == String(repeating: " hi", count: 6) })
        await server.shutdown()
        let lost = try await client.call("POST", "/generate", body: Array("{}".utf8))
        #expect(lost.status == 502)
        await client.shutdown()
        await proxy.shutdown()
    }

    private final class Exchanges: Sendable {
        let list = Mutex<[RecordingProxy.Exchange]>([])
    }
}
