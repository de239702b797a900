// All paths' proofs, with the key in memory and in its file, for a key and a made-up witness must be equal: run it under the sanitizers, from here:
//
//   g++ -std=c++17 -O1 -g -pthread -fsanitize=address,undefined -fno-sanitize-recover=undefined -I ../src
//     all-paths.cpp $(find ../src -name "*.cpp" | grep -v addon.cpp) -o /tmp/all-paths && /tmp/all-paths <file.zkey>
#include <algorithm>
#include <cstdio>

#include "proving-key.h"

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  const MappedFile file(argv[1]);
  const Zkey zkey(file);
  std::vector<unsigned char> witness(76 + 32 * size_t{zkey.wireCount});
  const u32 fieldBytes = 32;
  std::memcpy(&witness[0], "wtns", 4);
  std::memcpy(&witness[24], &fieldBytes, 4);
  std::memcpy(&witness[28], &ScalarModulus::value, 32);
  std::memcpy(&witness[60], &zkey.wireCount, 4);
  u64 state = 99; // xorshift
  for (size_t i = 0; i < zkey.wireCount; i++) {
    Words value{};
    for (u64& word : value.w) state ^= state << 13, state ^= state >> 7, state ^= state << 17, word = state;
    value.w[3] %= ScalarModulus::value.w[3];
    if (i % 5 == 0) value = Words{{i % 2, 0, 0, 0}};
    if (i % 7 == 0) value = Words{{9, 9, 9, i % 300}};
    std::memcpy(&witness[76 + 32 * i], &value, sizeof value);
  }
  std::vector<Proof> proofs;
  std::vector<std::pair<const Kernels*, size_t>> ways;
  for (const Kernels* each : allKernels())
    for (const size_t pieceSize : {0, 1000}) ways.emplace_back(each, pieceSize);
  for (const auto& [kernels, pieceSize] : ways) {
    ProvingKey key(argv[1], *kernels, 2, pieceSize);
    ProofControl control{};
    proofs.push_back(key.prove(witness.data(), witness.size(), {Words{{5, 6, 7, 8}}, Words{{9, 1, 2, 3}}, Words{}}, control));
    control.isCancelled = 1;
    try {
      key.prove(witness.data(), witness.size(), {Words{{5}}, Words{{9}}, Words{}}, control);
      return 1;
    } catch (const Cancelled&) {
    }
  }
  const Proof& first = proofs.front();
  const bool isEqual = std::all_of(proofs.begin(), proofs.end(), [&](const Proof& each) {
    return std::memcmp(&first.a, &each.a, sizeof first.a) == 0 && std::memcmp(&first.b, &each.b, sizeof first.b) == 0 &&
           std::memcmp(&first.c, &each.c, sizeof first.c) == 0;
  });
  std::printf("%zu proofs, by path and by where the key is, are %s\n", proofs.size(), isEqual ? "equal" : "NOT equal");
  return isEqual ? 0 : 1;
}
