// snarkjs' .zkey and .wtns files: see zkey-layout.ts for the layout.
#pragma once
#include <stdexcept>
#include <string>

#include "curve.h"

/** What is wrong with a file, with the error code that the caller reports. */
struct FileError : std::runtime_error {
  const char* code;
  FileError(const char* errorCode, const std::string& reason) : std::runtime_error(reason), code(errorCode) {}
};

/** A file in memory, read-only, as long as this lives. */
class MappedFile {
 public:
  explicit MappedFile(const std::string& path);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  const unsigned char* data() const { return data_; }
  size_t size() const { return size_; }

 private:
  unsigned char* data_ = nullptr;
  size_t size_ = 0;
};

/** Views into the file; points in the zkey's form. */
struct Zkey {
  static constexpr size_t coefficientBytes = 12 + 32;

  u32 wireCount, publicCount, domainSize, coefficientCount;
  unsigned domainPower;
  Affine<Fp> alpha1, beta1, delta1;
  Affine<Fp2> beta2, delta2;
  const unsigned char* coefficients;
  const unsigned char *a, *b1, *b2, *c, *h;

  /** @throws FileError PRV_KEY_UNREADABLE */
  explicit Zkey(const MappedFile& file);
};

/** The values of a witness file. @throws FileError PRV_NO_WITNESS */
const unsigned char* readWitness(const unsigned char* bytes, size_t byteCount, size_t wireCount);
