// swift-tools-version: 6.2
import PackageDescription

// Who may import whom is section 2.1 of docs/ARCHITECTURE.md; a target sees only what is listed here.

let swift: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
]

func library(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: swift)
}

func tests(_ name: String, _ dependencies: [Target.Dependency] = [], fixtures: [String] = []) -> Target {
    .testTarget(
        name: name + "Tests", dependencies: [.byName(name: name)] + dependencies, exclude: fixtures,
        swiftSettings: swift)
}

let argumentParser: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")
let asyncHTTPClient: Target.Dependency = .product(name: "AsyncHTTPClient", package: "async-http-client")
let httpTypes: Target.Dependency = .product(name: "HTTPTypes", package: "swift-http-types")
let hummingbird: Target.Dependency = .product(name: "Hummingbird", package: "hummingbird")
let hummingbirdCore: Target.Dependency = .product(name: "HummingbirdCore", package: "hummingbird")
let hummingbirdTLS: Target.Dependency = .product(name: "HummingbirdTLS", package: "hummingbird")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let nioCore: Target.Dependency = .product(name: "NIOCore", package: "swift-nio")
let nioHTTP1: Target.Dependency = .product(name: "NIOHTTP1", package: "swift-nio")
let nioSSL: Target.Dependency = .product(name: "NIOSSL", package: "swift-nio-ssl")
let nioPosix: Target.Dependency = .product(name: "NIOPosix", package: "swift-nio")
let serviceLifecycle: Target.Dependency = .product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let unixSignals: Target.Dependency = .product(name: "UnixSignals", package: "swift-service-lifecycle")
let yams: Target.Dependency = .product(name: "Yams", package: "Yams")

let package = Package(
    name: "radish",
    products: [
        .executable(name: "radish", targets: ["RadishCLI"]),
        .library(name: "Radish", targets: ["Radish"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.2"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1", traits: []),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    ],
    targets: [
        .target(name: "CEmbedded", exclude: ["web"]),
        .systemLibrary(name: "CHiredis", providers: [.apt(["libhiredis-dev"])]),
        .target(name: "CPageHash", linkerSettings: [.linkedLibrary(":libsodium.a")]),
        .target(name: "CKernels", cSettings: [.define("_GNU_SOURCE")]),
        library("Tensors"),
        library("Compute", ["CKernels", "CPageHash", "Tensors"]),
        library("Checkpoint", ["Tensors"]),
        library("Models", ["Checkpoint", "Compute", "Tensors"]),
        library("Tokenizers"),
        library("ChatTemplates"),
        library("OutputParsers"),
        library("PrefixCache", ["CPageHash"]),
        .target(
            name: "RedisTier", dependencies: ["CHiredis", "PrefixCache"], swiftSettings: swift,
            linkerSettings: [.linkedLibrary(":libhiredis.a")]),
        library("EngineInterface", ["Grammar"]),
        library("Grammar"),
        library("Scheduling", ["EngineInterface", "PrefixCache", "Statistics"]),
        library(
            "Engine",
            [
                "Checkpoint", "Compute", "EngineInterface", "Grammar", "Models", "PrefixCache", "Scheduling",
                "Statistics", "Tensors",
            ]),
        library(
            "EngineBench",
            [
                "Checkpoint", "Compute", "Engine", "EngineInterface", "Grammar", "Models", "PrefixCache", "Statistics",
                "Tensors",
            ]),
        library(
            "TextGeneration",
            ["ChatTemplates", "Checkpoint", "EngineInterface", "Grammar", "OutputParsers", "Tokenizers"]),
        library("WireTypes"),
        library("Statistics"),
        library(
            "Server",
            [
                "CEmbedded", "ChatTemplates", "EngineInterface", "TextGeneration", "Tokenizers", "WireTypes", httpTypes,
                hummingbird, hummingbirdCore, hummingbirdTLS, logging, nioCore, nioHTTP1, nioPosix, nioSSL,
                serviceLifecycle,
            ]),
        library("RadishClient", [asyncHTTPClient, nioCore, nioHTTP1]),
        library("Advisor", ["EngineInterface", "Scheduling", "Statistics", "WireTypes"]),
        library("LoadBench", ["Statistics", "WireTypes", asyncHTTPClient, nioCore, nioHTTP1, nioPosix]),
        library(
            "Radish",
            [
                "CEmbedded", "ChatTemplates", "Checkpoint", "Compute", "Engine", "EngineInterface", "Models",
                "TextGeneration", "Tokenizers",
            ]),
        .executableTarget(
            name: "RadishCLI",
            dependencies: [
                "Advisor", "ChatTemplates", "Checkpoint", "Compute", "Engine", "EngineBench", "EngineInterface",
                "Grammar",
                "LoadBench", "Models", "PrefixCache", "Radish", "RadishClient", "RedisTier", "Scheduling", "Server",
                "Statistics",
                "Tensors", "TextGeneration", "Tokenizers", "WireTypes", argumentParser, logging, serviceLifecycle,
                unixSignals, yams,
            ],
            swiftSettings: swift),
        // Tests
        .target(
            name: "TestSupport", dependencies: ["EngineInterface", "Statistics"], path: "Tests/TestSupport",
            swiftSettings: swift),
        tests("CEmbedded"),
        tests("Tensors"),
        tests("Checkpoint", ["Tensors", "TestSupport"], fixtures: ["Fixtures"]),
        tests("Compute", ["Tensors"]),
        tests("Models", ["Checkpoint", "Compute", "Tensors", "TestSupport"], fixtures: ["Fixtures"]),
        tests("Tokenizers"),
        tests("ChatTemplates"),
        tests("OutputParsers", ["TestSupport"]),
        tests("PrefixCache", ["TestSupport"]),
        tests("RedisTier", ["PrefixCache", "TestSupport"]),
        tests("EngineInterface"),
        tests("Grammar", ["TestSupport", "Tokenizers"], fixtures: ["Fixtures"]),
        tests("Scheduling", ["EngineInterface", "PrefixCache", "TestSupport"]),
        tests(
            "Engine",
            ["Checkpoint", "Compute", "EngineInterface", "Grammar", "Models", "PrefixCache", "Tensors", "TestSupport"]),
        tests(
            "EngineBench",
            [
                "Checkpoint", "Compute", "Engine", "EngineInterface", "Grammar", "Models", "PrefixCache", "Statistics",
                "Tensors",
            ]),
        tests(
            "TextGeneration",
            [
                "ChatTemplates", "Checkpoint", "EngineInterface", "Grammar", "OutputParsers", "TestSupport",
                "Tokenizers",
            ]),
        tests("WireTypes", ["TestSupport"]),
        tests("Statistics"),
        tests(
            "Server",
            [
                "ChatTemplates", "EngineInterface", "TestSupport", "TextGeneration", "Tokenizers", "WireTypes", logging,
                nioCore, nioPosix, serviceLifecycle,
            ]),
        tests("Advisor", ["Scheduling", "Statistics", "TestSupport"]),
        tests(
            "LoadBench",
            [
                "Checkpoint", "EngineInterface", "Server", "Statistics", "TestSupport", "TextGeneration", "Tokenizers",
                "WireTypes",
                logging, serviceLifecycle,
            ]),
        tests("RadishCLI", fixtures: ["Fixtures"]),
        .testTarget(name: "RepositoryTests", swiftSettings: swift),
    ]
)
