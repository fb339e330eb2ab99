// swift-tools-version: 6.2
import PackageDescription

// The readers of weight files and their tests alone, for a sanitizer: `make fuzz-files`. Folders are links to the
// package's own, so that nothing else has to be built.

let swift: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
]

let package = Package(
    name: "radish-files",
    targets: [
        .target(name: "Tensors", path: "Tensors", swiftSettings: swift),
        .target(name: "Checkpoint", dependencies: ["Tensors"], path: "Checkpoint", swiftSettings: swift),
        .target(name: "Grammar", path: "Grammar", swiftSettings: swift),
        .target(name: "EngineInterface", dependencies: ["Grammar"], path: "EngineInterface", swiftSettings: swift),
        .target(name: "TestSupport", dependencies: ["EngineInterface"], path: "TestSupport", swiftSettings: swift),
        .testTarget(
            name: "CheckpointTests", dependencies: ["Checkpoint", "Tensors", "TestSupport"], path: "CheckpointTests",
            exclude: ["Fixtures"], swiftSettings: swift),
    ])
