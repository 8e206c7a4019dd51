// A process of its own that starts the core, so that a library which must be refused ends only this.

package sentri

import sentri.kit.Sentri

fun main() {
    println("core ${Sentri.start()}")
}
