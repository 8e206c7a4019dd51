// The start of the core, and all of the generated module under the kit's name.

import Foundation
@_exported import SentriCore
@_exported import SentriTypes

/// The native library is not the one that these bindings were made from. The app can't run with it.
public struct WrongLibraryError: Error, CustomStringConvertible, LocalizedError {
  public let description: String

  public var errorDescription: String? { description }

  static let other = WrongLibraryError(
    description: """
      The Sentri library on this device is not the one that the app was built for. \
      Take the library and the bindings from the same release.
      """)
  static let older = WrongLibraryError(
    description: """
      The Sentri library on this device is older than the app. \
      Take the library and the bindings from the same release.
      """)
}

/// The core as a whole.
public enum Sentri {
  /// Makes sure that the native library is the one that these bindings were made from. Call it first, once, at the
  /// app's start: any other call ends the process where it is not.
  ///
  /// - Returns: The core's version, as `0.1.0`.
  /// - Throws: `WrongLibraryError` where the library is another version's.
  @discardableResult
  public static func start() throws -> String {
    for answer in libraryAnswers {
      guard isThere(answer.question) else { throw WrongLibraryError.older }
      guard answer.isRight() else { throw WrongLibraryError.other }
    }
    uniffiEnsureSentriCoreInitialized()
    return coreVersion()
  }

  /// Whether the library can be asked that. A call of a function that is not there would end the process.
  private static func isThere(_ question: String) -> Bool {
    #if os(Linux)
      // Where the library is linked in whole, nothing of it can be found by name, and nothing can be missing.
      guard let first = libraryAnswers.first?.question, dlsym(nil, first) != nil else { return true }
      return dlsym(nil, question) != nil
    #else
      // Linked in whole, from the XCFramework.
      return true
    #endif
  }
}
