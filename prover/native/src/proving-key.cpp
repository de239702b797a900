#include "proving-key.h"

#include <time.h>

#include <algorithm>
#include <chrono>
#include <string_view>
#include <unordered_map>

#include "repeats.h"

namespace {

/** The time since the last lap. */
class Stopwatch {
 public:
  double lap() {
    const double end = nowMs();
    return end - std::exchange(start_, end);
  }

 private:
  double start_ = nowMs();
};

Affine<Fp> toPlain(const Affine<Fp>& p) { return {Fp::fromMontgomery(p.x), Fp::fromMontgomery(p.y)}; }
Affine<Fp2> toPlain(const Affine<Fp2>& p) {
  return {{Fp::fromMontgomery(p.x.c0), Fp::fromMontgomery(p.x.c1)}, {Fp::fromMontgomery(p.y.c0), Fp::fromMontgomery(p.y.c1)}};
}

/** Where a coefficient is. */
struct Place {
  u32 matrix, row, wire;
};

std::string_view bytesOf(const Words& words) { return {reinterpret_cast<const char*>(&words), sizeof words}; }
struct HashOfWords {
  size_t operator()(const Words& words) const { return std::hash<std::string_view>()(bytesOf(words)); }
};
struct SameWords {
  bool operator()(const Words& a, const Words& b) const { return bytesOf(a) == bytesOf(b); }
};

}  // namespace

ProvingKey::ProvingKey(const std::string& path, const Kernels& kernels, unsigned threadCount, size_t pieceSize)
    : kernels_(kernels), scalarKernels_(&kernels), pool_(threadCount) {
  const auto file = std::make_shared<const MappedFile>(path);
  const Zkey zkey(*file);
  wireCount_ = zkey.wireCount, domainSize_ = zkey.domainSize;
  alpha1_ = zkey.alpha1, beta1_ = zkey.beta1, delta1_ = zkey.delta1;
  beta2_ = zkey.beta2, delta2_ = zkey.delta2;
  quotient_.reset(kernels.planQuotient(zkey.domainPower));
  if (quotient_ == nullptr) {
    scalarKernels_ = &portableKernels();
    quotient_.reset(scalarKernels_->planQuotient(zkey.domainPower));
  }
  readMatrices(*file, zkey);
  if (pieceSize == 0) kept_ = std::make_unique<ProofMemory>();
  points_ = pieceSize == 0 ? loadPoints(file, zkey, kernels_, pool_) : mapPoints(file, zkey, kernels_, pool_, pieceSize);
  file->requireUnchanged();
}

void ProvingKey::readMatrices(const MappedFile& file, const Zkey& zkey) {
  // Three passes over the file, and of the rows of one matrix at a time only what its plan needs.
  constexpr size_t passEntries = size_t{1} << 16;
  const auto field = [](const unsigned char* entry, int index) {
    u32 out;
    std::memcpy(&out, entry + 4 * index, sizeof out);
    return out;
  };
  const auto eachEntry = [&](const auto& visit) {
    for (size_t from = 0; from < zkey.coefficientCount; from += passEntries) {
      const size_t to = std::min<size_t>(zkey.coefficientCount, from + passEntries);
      const unsigned char* const first = zkey.coefficients + from * Zkey::coefficientBytes;
      for (size_t i = from; i < to; i++) visit(zkey.coefficients + i * Zkey::coefficientBytes);
      file.letGo(first, (to - from) * Zkey::coefficientBytes);
    }
    file.requireUnchanged();
  };
  // Each pass reads the file again, which another process may have written meanwhile: no pass trusts an earlier one.
  const auto placeOf = [&](const unsigned char* entry) {
    const Place place{field(entry, 0), field(entry, 1), field(entry, 2)};
    if (place.matrix > 1 || place.row >= domainSize_ || place.wire >= wireCount_)
      throw FileError("PRV_KEY_INVALID", "a coefficient is outside the matrices");
    return place;
  };
  // A multiple of r is 0, too.
  const auto isFactor = [](const unsigned char* entry) {
    Words value;
    std::memcpy(&value, entry + 12, sizeof value);
    return !isZero(value) && isBelow(value, ScalarModulus::value);
  };
  const auto requireSame = [](bool isSame) {
    if (!isSame) throw FileError("PRV_KEY_INVALID", "its coefficients changed while it was read");
  };
  std::vector<u32> starts[2];
  for (auto& s : starts) s.assign(domainSize_ + 1, 0);
  std::vector<bool> isUsed(wireCount_);
  blindsA_.assign(wireCount_, false);
  eachEntry([&](const unsigned char* entry) {
    const Place place = placeOf(entry);
    starts[place.matrix][place.row]++;
    blindsA_[place.wire] = place.matrix == 0 && !isUsed[place.wire] && place.wire > zkey.publicCount && isFactor(entry);
    isUsed[place.wire] = true;
  });
  // A point at infinity takes the value out of A, whatever its entry says.
  for (size_t wire = 0; wire < wireCount_; wire++)
    if (blindsA_[wire] && zkey.a.isInfinity(wire)) blindsA_[wire] = false;
  file.requireUnchanged();
  for (u32 m = 0; m < 2; m++) {
    u32 total = 0;
    for (u32& start : starts[m]) total += std::exchange(start, total);
    std::vector<u32> wires(total), valueIndexes(total);
    // Few coefficients differ: each is kept once.
    std::vector<Words> values;
    std::unordered_map<Words, u32, HashOfWords, SameWords> known;
    u32 placed = 0;
    eachEntry([&](const unsigned char* entry) {
      const Place place = placeOf(entry);
      if (place.matrix != m) return;
      Words value;
      std::memcpy(&value, entry + 12, sizeof value);
      const auto [at, isNew] = known.emplace(value, static_cast<u32>(values.size()));
      if (isNew) values.push_back(value);
      const u32 to = starts[m][place.row]++;
      requireSame(to < total);
      wires[to] = place.wire, valueIndexes[to] = at->second;
      placed++;
    });
    // Each start has moved to its row's end, which is the next row's start.
    std::copy_backward(starts[m].begin(), starts[m].end() - 1, starts[m].end());
    starts[m][0] = 0;
    requireSame(placed == total && starts[m].back() == total && std::is_sorted(starts[m].begin(), starts[m].end()));
    matrices_[m].reset(scalarKernels_->planMatrix(
        {domainSize_, starts[m].data(), wires.data(), valueIndexes.data(), values.size(), values.data()}));
    std::vector<u32>().swap(starts[m]);
  }
}

bool ProvingKey::isBlindedBy(const Words* witness, const Words& blinding) const {
  if (isZero(blinding)) return false;
  size_t found = 0, at = 0;
  for (size_t wire = 0; wire < wireCount_; wire++)
    if (bytesOf(witness[wire]) == bytesOf(blinding)) found++, at = wire;
  return found == 1 && blindsA_[at];
}

size_t ProvingKey::byteCount() const {
  const size_t kept = 3 * quotient_->vectorBytes() + (wireCount_ + domainSize_) * (sizeof(Words) + Scalars::bytesEach) +
                      wireCount_ * Repeats::bytesEach;
  return matrices_[0]->byteCount() + matrices_[1]->byteCount() + points_->byteCount() + (kept_ == nullptr ? 0 : kept);
}

Proof ProvingKey::prove(const unsigned char* bytes, size_t byteCount, const ProofBlinding& by, ProofControl& control) {
  const std::lock_guard<std::mutex> lock(mutex_);
  Stopwatch watch;
  Proof proof{};
  const auto checkCancelled = [&] {
    if (control.isCancelled.load() != 0) throw Cancelled();
  };
  const unsigned char* const values = readWitness(bytes, byteCount, wireCount_);
  ProofMemory own;
  ProofMemory& memory = kept_ == nullptr ? own : *kept_;
  memory.witness.reserve(wireCount_ * sizeof(Words));
  std::memcpy(memory.witness.as<char>(), values, wireCount_ * sizeof(Words));
  const Words* const witness = memory.witness.as<Words>();
  const ParallelFor parallel = [&](size_t count, const std::function<void(size_t)>& body) {
    checkCancelled();
    pool_.run(count, body);
  };

  memory.quotientScalars.reserve(domainSize_ * sizeof(Words));
  for (Buffer& vector : memory.vectors) vector.reserve(quotient_->vectorBytes());
  u64* const vectors[3] = {memory.vectors[0].as<u64>(), memory.vectors[1].as<u64>(), memory.vectors[2].as<u64>()};
  for (int m = 0; m < 2; m++) matrices_[m]->evaluate(witness, vectors[m], parallel);
  proof.times.matrices = watch.lap();
  quotient_->quotient(vectors[0], vectors[1], vectors[2], memory.quotientScalars.as<Words>(), parallel);
  for (Buffer& vector : own.vectors) vector = Buffer();
  proof.times.quotient = watch.lap();
  control.progress = 100;
  SumProgress progress(control);
  const bool hasB1 = !isBlindedBy(witness, by.ofWitness);
  const Words r = hasB1 ? by.r : Words{}, s = by.s;
  std::vector<Msm> sums = points_->sum(witness, memory.quotientScalars.as<Words>(), hasB1, progress);
  proof.times.digits = progress.digitsMs;
  proof.times.sums = watch.lap() - progress.digitsMs;
  proof.times.sumA = progress.cpuMs(sumA), proof.times.sumB1 = progress.cpuMs(sumB1), proof.times.sumB2 = progress.cpuMs(sumB2);
  proof.times.sumCH = progress.cpuMs(sumCH);

  // A = alpha + sum + r delta, B = beta + sum + s delta, C = sums + s A + r B - r s delta, with B in G1.
  G1 a = sums[sumA].finish<Fp>(), c = sums[sumCH].finish<Fp>();
  G2 b2 = sums[sumB2].finish<Fp2>();
  const G1 delta1(delta1_);
  a.add(G1(alpha1_));
  a.add(multiply(delta1, r));
  b2.add(G2(beta2_));
  b2.add(multiply(G2(delta2_), s));
  c.add(multiply(a, s));
  if (hasB1) {
    G1 b1 = sums[sumB1].finish<Fp>();
    b1.add(G1(beta1_));
    b1.add(multiply(delta1, s));
    c.add(multiply(b1, r));
  }
  const Words rs = Fr::mul(Fr::toMontgomery(r), s);
  c.add(multiply(delta1, Fr::neg(rs)));
  proof.a = toPlain(a.toAffine()), proof.b = toPlain(b2.toAffine()), proof.c = toPlain(c.toAffine());
  proof.times.finish = watch.lap();
  control.progress = 1000;
  return proof;
}
