// The points of a key's sums: in memory in the path's form, or in the key's file, of which each proof reads them.
#pragma once
#include <array>
#include <memory>

#include "zkey.h"

/** Sections of a key's points. */
enum PointsName { pointsA, pointsB1, pointsB2, pointsC, pointsH, pointsCount };
/** A proof's sums. C and H are one: a proof only adds them up, and more points share the buckets. */
enum SumName { sumA, sumB1, sumB2, sumCH, sumCount };
constexpr SumName sumOf(int points) { return points == pointsH ? sumCH : static_cast<SumName>(points); }

/** What a caller shares with a running proof. */
struct ProofControl {
  std::atomic<int32_t> isCancelled;
  /** 0 to 1000. */
  std::atomic<int32_t> progress;
};

/** How the sums of one proof go on: all windows' costs, those that are done, processor time by sum in milliseconds. */
class SumProgress {
 public:
  explicit SumProgress(ProofControl& control) : control_(control) {}

  /** Does a window's work, or a share of it; `cost` in additions. */
  void during(int sum, size_t cost, const std::function<void()>& work);
  void setTotal(size_t cost) { total_ = cost; }
  void requireWanted() const {
    if (isCancelled().load() != 0) throw Cancelled();
  }
  const std::atomic<int32_t>& isCancelled() const { return control_.isCancelled; }
  double cpuMs(int sum) const { return cpuMs_[sum]; }
  /** Milliseconds by the clock in which scalars were cut into digits. */
  double digitsMs = 0;

 private:
  ProofControl& control_;
  size_t total_ = 1;
  std::atomic<size_t> done_{0};
  std::atomic<double> cpuMs_[sumCount] = {};
};

double nowMs();

class KeyPoints {
 public:
  virtual ~KeyPoints() = default;
  /**
   * The sums with all their windows, or without those of B in G1. `wires` are the scalars of A to C, `quotient` those of
   * H. @throws Cancelled; FileError PRV_KEY_INVALID (points are still in the file, which changed)
   */
  virtual std::vector<Msm> sum(const Words* wires, const Words* quotient, bool hasB1, SumProgress& progress) = 0;
  /** Of memory that the points keep between proofs. */
  virtual size_t byteCount() const = 0;
};

/**
 * All points converted once, those of B in G1 by the first proof that needs them; the file is not needed afterwards. About twice
 * the size of the file's points.
 */
std::unique_ptr<KeyPoints> loadPoints(std::shared_ptr<const MappedFile> file, const Zkey& zkey, const Kernels& kernels,
                                      ThreadPool& pool);

/**
 * Nothing is kept but a place in the file. A proof reads the points piece by piece, pieceSize of each section,
 * all sums side by side, and every window keeps its buckets from piece to piece. The sums are the same points as with loadPoints.
 */
std::unique_ptr<KeyPoints> mapPoints(std::shared_ptr<const MappedFile> file, const Zkey& zkey, const Kernels& kernels,
                                     ThreadPool& pool, size_t pieceSize);
