// A circuit's polynomials at the secret point of a development key: keys/qap-evaluation.ts has the formulas.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "zkey.h"

/** What is summed, and by which secrets: Montgomery form. */
struct QapPlan {
  Words tau, alpha, beta, delta;
  unsigned domainPower;
  /** `wireCount` of a verification key is that of its public wires: terms of others are passed over. */
  size_t constraintCount, publicCount, wireCount;
  bool isWhole;
};

/** Reads constraints from a file in circom's form and adds them up, wire by wire. Sums are plain integers. */
class QapSums {
 public:
  /** The constraints lie in these bytes of the file. @throws FileError; JsError where the file ends before */
  QapSums(const std::string& path, size_t position, size_t byteCount, const QapPlan& plan);

  /**
   * Adds constraints until their terms of A and B take about `outBytes` as the key's file has them. @returns these bytes; none once
   * all are added, or where the key is not whole
   */
  std::vector<unsigned char> next(size_t outBytes);
  size_t doneCount() const { return row_; }
  /** After the last constraint: A, B and the combination for IC and C of each wire, one after another. */
  std::vector<Words> wires();
  /** Scalars of H's points. */
  std::vector<Words> quotient() const;

 private:
  void addTerms(std::vector<Words>& sums, u32 matrix, std::vector<unsigned char>* out);
  u32 nextNumber();

  MappedFile file_;
  QapPlan plan_;
  const unsigned char* at_;
  const unsigned char* end_;
  size_t row_ = 0;
  /** Of each point of the domain, Montgomery form. */
  std::vector<Words> lagrange_;
  std::vector<Words> a_, b_, c_;
};
