// Key and witness files of all kinds of damage: each is refused by a code, or every view that it gives is in the file.
//
//   parse-files <seed> <count> <scratch file>
//
// `npm run fuzz` builds it under the sanitizers and runs it.
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "zkey.h"

namespace {

u64 state;
u64 next() {
  state ^= state << 13, state ^= state >> 7, state ^= state << 17;
  return state;
}
u64 below(u64 limit) { return next() % limit; }

using File = std::vector<unsigned char>;
template <class T>
void put(File& out, const T& value) {
  const unsigned char* from = reinterpret_cast<const unsigned char*>(&value);
  out.insert(out.end(), from, from + sizeof value);
}
void fill(File& out, size_t count) {
  for (size_t i = 0; i < count; i++) out.push_back(static_cast<unsigned char>(next()));
}
void section(File& out, u32 id, const File& body) {
  put(out, id), put(out, u64{body.size()});
  out.insert(out.end(), body.begin(), body.end());
}

constexpr u32 publicCount = 2, wireCount = 7, domainSize = 8, coefficientCount = 5;

File soundKey() {
  File file;
  for (const char c : {'z', 'k', 'e', 'y'}) put(file, c);
  put(file, u32{1}), put(file, u32{9});
  File body;
  put(body, u32{1});
  section(file, 1, body);
  body.clear();
  put(body, u32{32}), put(body, BaseModulus::value), put(body, u32{32}), put(body, ScalarModulus::value);
  put(body, wireCount), put(body, publicCount), put(body, domainSize);
  fill(body, 3 * 64 + 3 * 128);
  section(file, 2, body);
  const std::pair<u32, size_t> rest[] = {{3, 64 * (publicCount + 1)}, {4, 0}, {5, 64 * wireCount}, {6, 64 * wireCount},
                                         {7, 128 * wireCount}, {8, 64 * (wireCount - publicCount - 1)}, {9, 64 * domainSize}};
  for (const auto& [id, size] : rest) {
    body.clear();
    if (id == 4) put(body, coefficientCount), fill(body, coefficientCount * Zkey::coefficientBytes);
    else fill(body, size);
    section(file, id, body);
  }
  return file;
}

File soundWitness() {
  File file;
  for (const char c : {'w', 't', 'n', 's'}) put(file, c);
  put(file, u32{2}), put(file, u32{2});
  put(file, u32{1}), put(file, u64{40});
  put(file, u32{32}), put(file, ScalarModulus::value), put(file, wireCount);
  put(file, u32{2}), put(file, u64{32 * wireCount});
  for (u32 i = 0; i < wireCount; i++) put(file, Words{{next(), next(), next(), next() >> 3}});
  return file;
}

/** Up to four changes: a byte, an edge in a word, a cut, a part twice. */
void damage(File& file) {
  static constexpr u64 edges[] = {0, 1, 2, 0x7fffffff, 0x80000000, 0xffffffff, 0x7fffffffffffffff, 0xffffffffffffffff};
  for (u64 changes = below(5); changes > 0 && !file.empty(); changes--) {
    // The heads are where sizes and counts are.
    const size_t at = below(next() % 2 == 0 ? file.size() : std::min<size_t>(file.size(), 160));
    const u64 edge = edges[below(8)], kind = below(5);
    if (kind == 0) file[at] = static_cast<unsigned char>(next());
    else if (kind == 1) std::memcpy(&file[at], &edge, std::min<size_t>(4, file.size() - at));
    else if (kind == 2) std::memcpy(&file[at], &edge, std::min<size_t>(8, file.size() - at));
    else if (kind == 3) file.resize(at);
    else fill(file, below(64));
  }
}

u64 touched = 0;
void touch(const unsigned char* from, size_t count) {
  for (size_t i = 0; i < count; i++) touched += from[i];
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) return 2;
  state = std::strtoull(argv[1], nullptr, 10) * 2 + 1;
  const size_t count = std::strtoull(argv[2], nullptr, 10);
  size_t keys = 0, refusedKeys = 0, witnesses = 0, refusedWitnesses = 0;
  for (size_t i = 0; i < count; i++) {
    File key = soundKey();
    damage(key);
    std::FILE* out = std::fopen(argv[3], "wb");
    if (out == nullptr || std::fwrite(key.data(), 1, key.size(), out) != key.size() || std::fclose(out) != 0) return 2;
    try {
      keys++;
      const MappedFile file(argv[3]);
      const Zkey zkey(file);
      for (const KeyPointsView& view : {zkey.a, zkey.b1, zkey.b2, zkey.c, zkey.h})
        touch(view.points, view.count * view.pointBytes());
      touch(zkey.coefficients, zkey.coefficientCount * Zkey::coefficientBytes);
    } catch (const FileError&) {
      refusedKeys++;
    }
    File witness = soundWitness();
    damage(witness);
    // A block of its own, so that the byte behind the last one is out of bounds.
    const std::vector<unsigned char> exact(witness.begin(), witness.end());
    try {
      witnesses++;
      touch(readWitness(exact.data(), exact.size(), wireCount), size_t{32} * wireCount);
    } catch (const FileError&) {
      refusedWitnesses++;
    }
  }
  std::printf("{\"what\":\"key and witness files\",\"keys\":%zu,\"refusedKeys\":%zu,\"witnesses\":%zu,\"refusedWitnesses\":%zu}\n",
              keys, refusedKeys, witnesses, refusedWitnesses);
  return touched == 0 ? 1 : 0;
}
