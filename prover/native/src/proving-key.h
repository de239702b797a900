// A proving key in memory, ready for any number of proofs, and the prover itself.
#pragma once
#include <mutex>
#include <string>

#include "key-points.h"

/** Wall-clock milliseconds of a proof's phases; the sums' own are processor time, all threads together. */
struct PhaseTimes {
  double matrices, quotient, digits, sums, finish;
  double sumA, sumB1, sumB2, sumCH;
};

struct Proof {
  // Plain integers.
  Affine<Fp> a, c;
  Affine<Fp2> b;
  PhaseTimes times;
};

/** Random numbers below the order: the factors r and s, and one that the witness was made with, 0 if none. */
struct ProofBlinding {
  Words r, s, ofWitness;
};

class ProvingKey {
 public:
  /**
   * The points stay in the file, of which each proof reads pieceSize of each sum at a time; 0 takes them all into memory.
   *
   * @throws FileError PRV_KEY_INVALID
   */
  ProvingKey(const std::string& path, const Kernels& kernels, unsigned threadCount, size_t pieceSize);

  /**
   * A proof for a .wtns file's bytes. Where the witness blinds A, r is taken for 0, and B is not summed in G1. One at a time;
   * others wait.
   *
   * @throws FileError PRV_NO_WITNESS, PRV_KEY_INVALID (a mapped key's file changed); Cancelled
   */
  Proof prove(const unsigned char* witness, size_t witnessBytes, const ProofBlinding& by, ProofControl& control);

  const Kernels& kernels() const { return kernels_; }
  size_t byteCount() const;

 private:
  /** What a proof works in: up to 152 bytes for each row of the domain and 32 for each wire; its halves of scalars are beside. */
  struct ProofMemory {
    Buffer witness, vectors[3], quotientScalars;
  };

  void readMatrices(const MappedFile& file, const Zkey& zkey);
  /** Whether this value is one private wire's alone, and `blindsA_` has that wire: then A is uniform. */
  bool isBlindedBy(const Words* witness, const Words& blinding) const;

  const Kernels& kernels_;
  /** IFMA's transforms need a domain of 64; smaller ones take the portable path. */
  const Kernels* scalarKernels_;
  ThreadPool pool_;
  std::mutex mutex_;
  size_t wireCount_ = 0, domainSize_ = 0;
  Affine<Fp> alpha1_, beta1_, delta1_;
  Affine<Fp2> beta2_, delta2_;
  std::unique_ptr<KeyPoints> points_;
  std::unique_ptr<MatrixPlan> matrices_[2];
  /** By wire: private, with one entry in A that is not 0, a point in A that is not at infinity, and no entry in B. */
  std::vector<bool> blindsA_;
  std::unique_ptr<QuotientPlan> quotient_;
  /** Kept between the proofs of a key in memory: fresh pages took a twentieth of a proof. */
  std::unique_ptr<ProofMemory> kept_;
};
