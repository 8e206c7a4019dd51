// A process of its own for the tests: starts the core, so that a library which must be refused ends only this.

import SentriKit

print("core \(Sentri.start())")
