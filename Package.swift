// swift-tools-version: 6.2
import PackageDescription

// Who may import whom is section 2.1 of docs/ARCHITECTURE.md; a target sees only what is listed here. Targets appear
// here once they build and have tests; the README's status table says which rooms are still being furnished.

let swift: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
]

func library(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: swift)
}

func tests(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .testTarget(
        name: name + "Tests", dependencies: [.byName(name: name)] + dependencies, exclude: [], swiftSettings: swift)
}

let package = Package(
    name: "radish",
    targets: [
        .target(name: "CEmbedded"),
        .target(name: "CKernels", cSettings: [.define("_GNU_SOURCE")]),
        library("Tensors"),
        library("Compute", ["CKernels", "Tensors"]),
        library("Tokenizers"),
        library("ChatTemplates"),
        library("OutputParsers"),
        library("EngineInterface"),
        // Tests
        tests("CEmbedded"),
        tests("Compute", ["Tensors"]),
        tests("Tokenizers"),
        tests("ChatTemplates"),
        tests("OutputParsers"),
        tests("EngineInterface"),
        .testTarget(name: "RepositoryTests", swiftSettings: swift),
    ]
)
