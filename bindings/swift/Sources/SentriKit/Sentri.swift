// The start of the core, and all of the generated module under the kit's name.

@_exported import SentriCore

/// The core as a whole.
public enum Sentri {
  /// Makes sure that the native library is the one that these bindings were made from. Call it first, once, at the
  /// app's start.
  ///
  /// A library of another version ends the process at once, saying "API checksum mismatch": wrong ones would misread
  /// each other's data.
  ///
  /// - Returns: The core's version, as `0.1.0`.
  @discardableResult
  public static func start() -> String {
    uniffiEnsureSentriCoreInitialized()
    return coreVersion()
  }
}
