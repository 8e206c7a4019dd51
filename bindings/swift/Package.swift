// swift-tools-version: 6.0
// The mobile core for Swift: what `cargo xtask bindings` generates, and the kit beside it.
// On Linux the library is the folder in SENTRI_LIBRARY_DIR; elsewhere the XCFramework of `cargo xtask package`.

import Foundation
import PackageDescription

#if os(Linux)
  let libraryDir = ProcessInfo.processInfo.environment["SENTRI_LIBRARY_DIR"] ?? "../../target/phone"
  let native: Target = .systemLibrary(name: "CoreFFI", path: "Sources/Generated/CoreFFI")
  let linking: [LinkerSetting] = [
    .linkedLibrary("sentri_core"),
    .unsafeFlags(["-L\(libraryDir)", "-Xlinker", "-rpath", "-Xlinker", libraryDir]),
  ]
#else
  let native: Target = .binaryTarget(name: "CoreFFI", path: "Sources/Generated/SentriCore.xcframework")
  let linking: [LinkerSetting] = []
#endif

// The program of docs/app-developers.md, where `cargo xtask test swift` has taken it out of the page.
let fromTheDocs: [Target] =
  FileManager.default.fileExists(atPath: "\(Context.packageDirectory)/Sources/Generated/AppDevelopers/main.swift")
  ? [
    .executableTarget(
      name: "AppDevelopers", dependencies: ["SentriKit", "SentriSandbox"], path: "Sources/Generated/AppDevelopers")
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
    // Generated. Async traits that Swift implements crash the compiler in Swift 6 mode, so this target alone is in 5.
    .target(
      name: "SentriCore", dependencies: ["CoreFFI"], path: "Sources/Generated/SentriCore",
      swiftSettings: [.swiftLanguageMode(.v5)], linkerSettings: linking),
    .target(name: "SentriKit", dependencies: ["SentriCore"]),
    .target(name: "SentriSandbox", dependencies: ["SentriKit"]),
    .executableTarget(name: "SentriProbe", dependencies: ["SentriKit", "SentriSandbox"]),
    .testTarget(name: "SentriKitTests", dependencies: ["SentriKit", "SentriSandbox"]),
  ] + fromTheDocs,
  swiftLanguageModes: [.v6]
)
