#include "sensor/capture/live/packet/fanout_program.h"

#include <linux/if_ether.h>

#include <utility>

namespace vedette {
namespace {

constexpr uint32_t kEtherOldQinQ = 0x9100;

// Cells of the program's memory.
constexpr uint32_t kBase = 0;   // where the network header begins; the kernel runs the program behind the link header
constexpr uint32_t kState = 1;  // of the address that is being read
constexpr uint32_t kFirst = 2;  // f of the first address

class Writer {
 public:
  void Step(uint16_t code, uint32_t value) { program_.push_back({code, 0, 0, value}); }
  // Passes over `if_equal` or `if_other` steps.
  void JumpIfEqual(uint32_t value, uint8_t if_equal, uint8_t if_other) {
    program_.push_back({BPF_JMP | BPF_JEQ | BPF_K, if_equal, if_other, value});
  }
  // The steps of `body` where A is `value`.
  template <class Body>
  void IfEqual(uint32_t value, const Body& body) {
    const size_t jump = program_.size();
    JumpIfEqual(value, 0, 0);
    body();
    program_[jump].jf = static_cast<uint8_t>(program_.size() - jump - 1);
  }

  // A and kState = A ^ A >> `bits`.
  void Fold(uint32_t bits) {
    Step(BPF_ST, kState);
    Step(BPF_ALU | BPF_RSH | BPF_K, bits);
    Step(BPF_LDX | BPF_MEM, kState);
    Step(BPF_ALU | BPF_XOR | BPF_X, 0);
    Step(BPF_ST, kState);
  }

  // A = f of the `num_words` words at `offset`.
  void Address(uint32_t offset, uint32_t num_words, uint32_t seed) {
    for (uint32_t word = 0; word < num_words; ++word) {
      Step(BPF_LDX | BPF_MEM, kBase);
      Step(BPF_LD | BPF_W | BPF_IND, offset + 4 * word);
      if (word == 0) {
        Step(BPF_ALU | BPF_XOR | BPF_K, seed);
      } else {
        Step(BPF_LDX | BPF_MEM, kState);
        Step(BPF_ALU | BPF_XOR | BPF_X, 0);
      }
      Step(BPF_ALU | BPF_MUL | BPF_K, kFanoutFactor);
      Fold(15);
    }
  }

  void Pair(uint32_t offset, uint32_t num_words, uint32_t seed) {
    Address(offset, num_words, seed);
    Step(BPF_ST, kFirst);
    Address(offset + 4 * num_words, num_words, seed);
    Step(BPF_LDX | BPF_MEM, kFirst);
    Step(BPF_ALU | BPF_ADD | BPF_X, 0);
    Step(BPF_ALU | BPF_MUL | BPF_K, kFanoutFactor);
    Fold(16);
    Step(BPF_RET | BPF_A, 0);
  }

  // X is where the header behind the link header begins, A the type of what stands there: a tag is passed over.
  void Tag() {
    constexpr uint8_t kSteps = 6;
    JumpIfEqual(ETH_P_8021Q, 2, 0);
    JumpIfEqual(ETH_P_8021AD, 1, 0);
    JumpIfEqual(kEtherOldQinQ, 0, kSteps);
    Step(BPF_LD | BPF_H | BPF_IND, 2);
    Step(BPF_ST, kState);
    Step(BPF_MISC | BPF_TXA, 0);
    Step(BPF_ALU | BPF_ADD | BPF_K, 4);
    Step(BPF_MISC | BPF_TAX, 0);
    Step(BPF_LD | BPF_MEM, kState);
  }

  KernelProgram Take() { return std::move(program_); }

 private:
  KernelProgram program_;
};

}  // namespace

KernelProgram FanoutProgram(uint32_t seed) {
  Writer writer;
  writer.Step(BPF_LDX | BPF_IMM, 0);
  writer.Step(BPF_LD | BPF_W | BPF_ABS, static_cast<uint32_t>(SKF_AD_OFF + SKF_AD_PROTOCOL));
  for (int tag = 0; tag < kFanoutTags; ++tag) writer.Tag();
  writer.Step(BPF_STX, kBase);
  writer.IfEqual(ETH_P_IP, [&] { writer.Pair(12, 1, seed); });
  writer.IfEqual(ETH_P_IPV6, [&] { writer.Pair(8, 4, seed); });
  writer.Step(BPF_RET | BPF_K, 0);
  return writer.Take();
}

}  // namespace vedette
