#include "proving-key.h"

#include <time.h>

#include <algorithm>
#include <chrono>
#include <string_view>
#include <unordered_map>

namespace {

double now() {
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

/** Of this thread, so that other work on the machine does not count. */
double cpuTime() {
  timespec time;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_nsec) / 1e6;
}

/** The time since the last lap. */
class Stopwatch {
 public:
  double lap() {
    const double end = now();
    return end - std::exchange(start_, end);
  }

 private:
  double start_ = now();
};

Affine<Fp> toPlain(const Affine<Fp>& p) { return {Fp::fromMontgomery(p.x), Fp::fromMontgomery(p.y)}; }
Affine<Fp2> toPlain(const Affine<Fp2>& p) {
  return {{Fp::fromMontgomery(p.x.c0), Fp::fromMontgomery(p.x.c1)}, {Fp::fromMontgomery(p.y.c0), Fp::fromMontgomery(p.y.c1)}};
}

}  // namespace

ProvingKey::ProvingKey(const std::string& path, const Kernels& kernels, unsigned threadCount)
    : kernels_(kernels), scalarKernels_(&kernels), pool_(threadCount), scratch_(pool_.threadCount()) {
  const MappedFile file(path);
  const Zkey zkey(file);
  wireCount_ = zkey.wireCount, domainSize_ = zkey.domainSize;
  alpha1_ = zkey.alpha1, beta1_ = zkey.beta1, delta1_ = zkey.delta1;
  beta2_ = zkey.beta2, delta2_ = zkey.delta2;
  quotient_.reset(kernels.planQuotient(zkey.domainPower));
  if (quotient_ == nullptr) {
    scalarKernels_ = &portableKernels();
    quotient_.reset(scalarKernels_->planQuotient(zkey.domainPower));
  }
  readMatrices(zkey);
  const auto table = [&](bool isG2, const unsigned char* points, size_t count, size_t first) {
    // Sections begin at any address: memcpy'd where they are read, but the table's loop wants words.
    if (reinterpret_cast<uintptr_t>(points) % alignof(u64) == 0)
      return PointTable(kernels_, isG2, reinterpret_cast<const u64*>(points), count, first, pool_);
    Buffer aligned(count * (isG2 ? 128 : 64));
    std::memcpy(aligned.as<char>(), points, aligned.size());
    return PointTable(kernels_, isG2, aligned.as<u64>(), count, first, pool_);
  };
  a_ = table(false, zkey.a, wireCount_, 0);
  b1_ = table(false, zkey.b1, wireCount_, 0);
  b2_ = table(true, zkey.b2, wireCount_, 0);
  const size_t firstPrivate = size_t{zkey.publicCount} + 1;
  c_ = table(false, zkey.c, wireCount_ - firstPrivate, firstPrivate);
  h_ = table(false, zkey.h, domainSize_, 0);
}

void ProvingKey::readMatrices(const Zkey& zkey) {
  std::vector<u32> starts[2], wires[2], valueIndexes[2];
  for (auto& s : starts) s.assign(domainSize_ + 1, 0);
  const auto field = [&](size_t entry, int index) {
    u32 out;
    std::memcpy(&out, zkey.coefficients + entry * Zkey::coefficientBytes + 4 * index, sizeof out);
    return out;
  };
  for (size_t i = 0; i < zkey.coefficientCount; i++) {
    if (field(i, 0) > 1 || field(i, 1) >= domainSize_ || field(i, 2) >= wireCount_)
      throw FileError("PRV_KEY_UNREADABLE", "a coefficient is outside the matrices");
    starts[field(i, 0)][field(i, 1)]++;
  }
  for (int m = 0; m < 2; m++) {
    u32 total = 0;
    for (u32& start : starts[m]) total += std::exchange(start, total);
    wires[m].resize(total), valueIndexes[m].resize(total);
  }
  // Few coefficients differ: each is kept once.
  std::vector<Words> values;
  std::unordered_map<std::string_view, u32> known;
  for (size_t i = 0; i < zkey.coefficientCount; i++) {
    const char* const bytes = reinterpret_cast<const char*>(zkey.coefficients) + i * Zkey::coefficientBytes + 12;
    const auto [entry, isNew] = known.emplace(std::string_view(bytes, sizeof(Words)), static_cast<u32>(values.size()));
    if (isNew) {
      Words value;
      std::memcpy(&value, bytes, sizeof value);
      values.push_back(value);
    }
    const u32 m = field(i, 0), at = starts[m][field(i, 1)]++;
    wires[m][at] = field(i, 2), valueIndexes[m][at] = entry->second;
  }
  for (int m = 0; m < 2; m++) {
    // Each start has moved to its row's end, which is the next row's start.
    std::copy_backward(starts[m].begin(), starts[m].end() - 1, starts[m].end());
    starts[m][0] = 0;
    matrices_[m].reset(scalarKernels_->planMatrix({domainSize_, starts[m].data(), wires[m].data(), valueIndexes[m].data(),
                                                   values.size(), values.data()}));
  }
}

size_t ProvingKey::byteCount() const {
  size_t out = matrices_[0]->byteCount() + matrices_[1]->byteCount();
  for (const PointTable* table : {&a_, &b1_, &b2_, &c_, &h_}) out += table->byteCount();
  return out;
}

Proof ProvingKey::prove(const unsigned char* bytes, size_t byteCount, const Words& r, const Words& s, ProofControl& control) {
  const std::lock_guard<std::mutex> lock(mutex_);
  Stopwatch watch;
  Proof proof{};
  const auto checkCancelled = [&] {
    if (control.isCancelled.load() != 0) throw Cancelled();
  };
  const unsigned char* const values = readWitness(bytes, byteCount, wireCount_);
  Buffer witness(wireCount_ * sizeof(Words));
  std::memcpy(witness.as<char>(), values, witness.size());
  const ParallelFor parallel = [&](size_t count, const std::function<void(size_t)>& body) {
    checkCancelled();
    pool_.run(count, body);
  };

  Buffer quotientScalars(domainSize_ * sizeof(Words));
  {
    Buffer vectors[3];
    for (Buffer& vector : vectors) vector = Buffer(quotient_->vectorBytes());
    for (int m = 0; m < 2; m++) matrices_[m]->evaluate(witness.as<Words>(), vectors[m].as<u64>(), parallel);
    proof.times.matrices = watch.lap();
    quotient_->quotient(vectors[0].as<u64>(), vectors[1].as<u64>(), vectors[2].as<u64>(), quotientScalars.as<Words>(), parallel);
  }
  proof.times.quotient = watch.lap();
  control.progress = 100;
  const Scalars wires(witness.as<Words>(), wireCount_, pool_);
  const Scalars quotient(quotientScalars.as<Words>(), domainSize_, pool_);
  proof.times.digits = watch.lap();

  Msm sums[5] = {{kernels_, a_, wires}, {kernels_, b1_, wires}, {kernels_, b2_, wires}, {kernels_, c_, wires}, {kernels_, h_, quotient}};
  struct Task {
    int sum;
    unsigned window;
    size_t cost;
  };
  std::vector<Task> tasks;
  size_t totalCost = 0;
  for (int i = 0; i < 5; i++)
    for (unsigned w = 0; w < sums[i].windowCount(); w++) {
      tasks.push_back({i, w, sums[i].windowCost(w)});
      totalCost += tasks.back().cost;
    }
  // Long ones first, so that the threads end together.
  std::stable_sort(tasks.begin(), tasks.end(), [](const Task& x, const Task& y) { return x.cost > y.cost; });
  std::atomic<size_t> doneCost{0};
  std::atomic<double> taskTimes[5] = {};
  pool_.run(tasks.size(), [&](size_t i) {
    const Task& task = tasks[i];
    const double start = cpuTime();
    sums[task.sum].sumWindow(task.window, scratch_[ThreadPool::workerIndex()], control.isCancelled);
    double total = taskTimes[task.sum];
    const double taken = cpuTime() - start;
    while (!taskTimes[task.sum].compare_exchange_weak(total, total + taken)) {
    }
    doneCost += task.cost;
    control.progress = static_cast<int32_t>(100 + 890 * doneCost / std::max<size_t>(1, totalCost));
  });
  proof.times.sums = watch.lap();
  proof.times.sumA = taskTimes[0], proof.times.sumB1 = taskTimes[1], proof.times.sumB2 = taskTimes[2];
  proof.times.sumC = taskTimes[3], proof.times.sumH = taskTimes[4];

  // A = alpha + sum + r delta, B = beta + sum + s delta, C = sums + s A + r B - r s delta, with B in G1.
  G1 a = sums[0].finish<Fp>(), b1 = sums[1].finish<Fp>(), c = sums[3].finish<Fp>();
  G2 b2 = sums[2].finish<Fp2>();
  const G1 delta1(delta1_);
  a.add(G1(alpha1_));
  a.add(multiply(delta1, r));
  b1.add(G1(beta1_));
  b1.add(multiply(delta1, s));
  b2.add(G2(beta2_));
  b2.add(multiply(G2(delta2_), s));
  c.add(sums[4].finish<Fp>());
  c.add(multiply(a, s));
  c.add(multiply(b1, r));
  const Words rs = Fr::mul(Fr::toMontgomery(r), s);
  c.add(multiply(delta1, Fr::neg(rs)));
  proof.a = toPlain(a.toAffine()), proof.b = toPlain(b2.toAffine()), proof.c = toPlain(c.toAffine());
  proof.times.finish = watch.lap();
  control.progress = 1000;
  return proof;
}
