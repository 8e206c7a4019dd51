// swift-tools-version: 6.0
// The mobile core for Swift: what `cargo xtask bindings` generates, and the kit beside it.
// On Linux the library is in the folder that SENTRI_LIBRARY_DIR names. Elsewhere it is an XCFramework beside the generated
// sources, whose headers are those of Generated/CoreFFI; it takes a Mac to build one.

import Foundation
import PackageDescription

let generated = "Sources/Generated"

func isGenerated(_ path: String) -> Bool {
  FileManager.default.fileExists(atPath: "\(Context.packageDirectory)/\(generated)/\(path)")
}

#if os(Linux)
  let libraryDir = ProcessInfo.processInfo.environment["SENTRI_LIBRARY_DIR"] ?? "../../target/phone"
  let native: Target = .systemLibrary(name: "CoreFFI", path: "\(generated)/CoreFFI")
  func linking(_ library: String) -> [LinkerSetting] {
    [
      .linkedLibrary(library),
      .unsafeFlags(["-L\(libraryDir)", "-Xlinker", "-rpath", "-Xlinker", libraryDir]),
    ]
  }
#else
  let native: Target = .binaryTarget(name: "CoreFFI", path: "\(generated)/SentriCore.xcframework")
  func linking(_ library: String) -> [LinkerSetting] { [] }
#endif

/// Generated. Async traits that Swift implements crash the compiler in Swift 6 mode, so these targets alone are in 5.
func generatedTarget(_ name: String, ffi: String, types: [Target.Dependency], library: String) -> Target {
  .target(
    name: name, dependencies: [.target(name: ffi)] + types, path: "\(generated)/\(name)",
    swiftSettings: [.swiftLanguageMode(.v5)], linkerSettings: linking(library))
}

// The program of docs/app-developers.md, where `cargo xtask test swift` has taken it out of the page.
let fromTheDocs: [Target] =
  isGenerated("AppDevelopers/main.swift")
  ? [
    .executableTarget(
      name: "AppDevelopers", dependencies: ["SentriKit", "SentriSandbox"], path: "\(generated)/AppDevelopers")
  ]
  : []

// What `cargo xtask bench home` measures, and what it measures against.
let forTheBench: [Target] =
  isGenerated("SentriBare")
  ? [
    .systemLibrary(name: "BareFFI", path: "\(generated)/BareFFI"),
    generatedTarget("SentriBare", ffi: "BareFFI", types: [], library: "sentri_bare"),
    .executableTarget(name: "SentriBench", dependencies: ["SentriBare", "SentriKit", "SentriSandbox"]),
  ]
  : []

let package = Package(
  name: "Sentri",
  platforms: [.iOS(.v16), .macOS(.v13)],
  products: [
    .library(name: "SentriKit", targets: ["SentriKit"]),
    .library(name: "SentriSandbox", targets: ["SentriSandbox"]),
  ],
  targets: [
    native,
    .target(name: "SentriTypes"),
    generatedTarget("SentriCore", ffi: "CoreFFI", types: ["SentriTypes"], library: "sentri_core"),
    .target(name: "SentriKit", dependencies: ["SentriCore", "SentriTypes"]),
    .target(name: "SentriSandbox", dependencies: ["SentriKit"]),
    .executableTarget(name: "SentriProbe", dependencies: ["SentriKit", "SentriSandbox"]),
    .testTarget(name: "SentriKitTests", dependencies: ["SentriKit", "SentriSandbox"]),
  ] + fromTheDocs + forTheBench,
  swiftLanguageModes: [.v6]
)
