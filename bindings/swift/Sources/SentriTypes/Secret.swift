// Text that must not be shown: what the core's records hold in place of plain passwords.

/// A password, PIN, answer or token. No text of a record or log ever shows it.
public struct Secret: Hashable, Sendable {
  /// For the generated code, which hands it to the core.
  package let text: String

  public init(_ text: String) {
    self.text = text
  }
}

extension Secret: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  public var description: String { "Secret(…)" }

  public var debugDescription: String { description }

  /// Nothing to look into, for `dump` and debuggers.
  public var customMirror: Mirror { Mirror(self, children: []) }
}
