// snarkjs' .zkey and .wtns files: see zkey-layout.ts for the layout.
#pragma once
#include <sys/types.h>

#include <stdexcept>
#include <string>

#include "msm.h"

/** What is wrong with a file, with the error code that the caller reports. */
struct FileError : std::runtime_error {
  const char* code;
  FileError(const char* errorCode, const std::string& reason) : std::runtime_error(reason), code(errorCode) {}
};

/**
 * A file in memory, read-only, as long as this lives. Its pages are the system's cache: they need no memory of the
 * process, and come back from the disk where it took them. A file that is cut off while it is read ends the process.
 */
class MappedFile {
 public:
  /** @throws FileError PRV_KEY_INVALID */
  explicit MappedFile(const std::string& path);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  const unsigned char* data() const { return data_; }
  size_t size() const { return size_; }
  /** Has the system read these bytes in the background, since they are wanted soon. */
  void wantSoon(const unsigned char* from, size_t byteCount) const;
  /** Takes pages that lie whole in these bytes out of the process: they are not wanted again for a while. */
  void letGo(const unsigned char* from, size_t byteCount) const;
  /** @throws FileError PRV_KEY_INVALID where the file has another size or time of change than when it was opened */
  void requireUnchanged() const;

 private:
  struct Stamp {
    off_t size;
    time_t seconds;
    long nanoseconds;
    bool operator==(const Stamp& o) const { return size == o.size && seconds == o.seconds && nanoseconds == o.nanoseconds; }
  };
  Stamp readStamp() const;

  int fd_ = -1;
  unsigned char* data_ = nullptr;
  size_t size_ = 0;
  Stamp stamp_{};
};

/** Views into the file; points in the zkey's form. */
struct Zkey {
  static constexpr size_t coefficientBytes = 12 + 32;

  u32 wireCount, publicCount, domainSize, coefficientCount;
  unsigned domainPower;
  Affine<Fp> alpha1, beta1, delta1;
  Affine<Fp2> beta2, delta2;
  const unsigned char* coefficients;
  KeyPointsView a, b1, b2, c, h;

  /** @throws FileError PRV_KEY_INVALID */
  explicit Zkey(const MappedFile& file);
};

/** The values of a witness file. @throws FileError PRV_NO_WITNESS */
const unsigned char* readWitness(const unsigned char* bytes, size_t byteCount, size_t wireCount);
