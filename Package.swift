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

func tests(_ name: String, _ dependencies: [Target.Dependency], resources: [Resource] = []) -> Target {
    .testTarget(
        name: name + "Tests", dependencies: [.byName(name: name)] + dependencies, exclude: [],
        resources: resources, swiftSettings: swift)
}

let hummingbird: Target.Dependency = .product(name: "Hummingbird", package: "hummingbird")
let nioCore: Target.Dependency = .product(name: "NIOCore", package: "swift-nio")
let nioPosix: Target.Dependency = .product(name: "NIOPosix", package: "swift-nio")
let httpTypes: Target.Dependency = .product(name: "HTTPTypes", package: "swift-http-types")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let lifecycle: Target.Dependency = .product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let arguments: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")
let httpClient: Target.Dependency = .product(name: "AsyncHTTPClient", package: "async-http-client")
let yams: Target.Dependency = .product(name: "Yams", package: "Yams")

let package = Package(
    name: "radish",
    products: [
        .executable(name: "radish", targets: ["RadishCLI"]),
        .library(name: "Radish", targets: ["Radish"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1", traits: []),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    ],
    targets: [
        .target(name: "CKernels", exclude: [], cSettings: [.define("_GNU_SOURCE")]),
        .target(name: "CEmbedded"),
        library("Tensors"),
        library("Compute", ["CKernels", "Tensors"]),
        library("Checkpoint", ["Tensors"]),
        library("Models", ["Compute", "Checkpoint", "Tensors"]),
        library("Tokenizers"),
        library("ChatTemplates"),
        library("OutputParsers"),
        library("PrefixCache"),
        library("EngineInterface"),
        library("Scheduling", ["PrefixCache", "EngineInterface"]),
        library(
            "Engine",
            ["Scheduling", "PrefixCache", "Models", "Checkpoint", "Compute", "Tensors", "EngineInterface"]),
        library(
            "TextGeneration", ["EngineInterface", "Tokenizers", "ChatTemplates", "OutputParsers", "Checkpoint"]),
        library("WireTypes"),
        library(
            "Server",
            [
                "TextGeneration", "EngineInterface", "WireTypes", hummingbird, nioCore, nioPosix, httpTypes, logging,
                lifecycle,
            ]),
        library("RadishClient", [httpClient, nioCore]),
        library("Radish", ["Engine", "TextGeneration", "EngineInterface", "ChatTemplates", "Checkpoint", "Compute", "CEmbedded"]),
        .executableTarget(
            name: "RadishCLI",
            dependencies: [
                "Radish", "RadishClient", "Server", "Engine", "TextGeneration", "EngineInterface", "Checkpoint", "Models", "Compute",
                "Tokenizers", "ChatTemplates", "Scheduling", "PrefixCache", "WireTypes", "CEmbedded", arguments, yams,
                logging, lifecycle, nioCore, nioPosix,
            ],
            swiftSettings: swift),
    ]
)
