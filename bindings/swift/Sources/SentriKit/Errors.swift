// The text of an error, for logs and terminals: the generated type has it, and does not say so.

import SentriCore

/// What went wrong, in English, without personal data. Screens switch over the case instead.
extension CoreError: CustomStringConvertible {}
