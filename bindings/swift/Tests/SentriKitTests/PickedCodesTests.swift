import Foundation
import SentriKit
import Testing

/// The rules for codes that people pick are the core's, against the vectors of the protocol. [PIN-5, ACC-9, BND-2]
@Suite struct PickedCodesTests {
  struct Vectors: Decodable {
    struct Case: Decodable {
      let code: String
      let lengths: [UInt32]
      let refusal: String?
    }
    let cases: [Case]
  }

  @Test func theProtocolsVectorsHold() throws {
    let folder = try #require(environment("SENTRI_VECTORS"))
    let data = try Data(contentsOf: URL(fileURLWithPath: folder + "/picked_codes.json"))
    let cases = try JSONDecoder().decode(Vectors.self, from: data).cases
    #expect(cases.count >= 10)
    for it in cases {
      let refusal = checkPickedCode(code: it.code, lengths: it.lengths).map { "\($0)".lowercased() }
      #expect(refusal == it.refusal?.lowercased(), "\(it.code)")
    }
  }

  @Test func oddInputIsRefusedNotBroken() {
    #expect(checkPin(pin: "") == .wrongLength)
    #expect(checkPin(pin: "12\u{0}3") == .notDigits)
    #expect(checkPin(pin: "١٢٣٥") == .notDigits)
    #expect(checkPin(pin: String(repeating: "7", count: 1_000_000)) == .wrongLength)
    #expect(checkPickedCode(code: "2580", lengths: []) == .wrongLength)
    #expect(checkPin(pin: "2580") == nil)
  }
}
