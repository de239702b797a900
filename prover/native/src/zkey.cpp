#include "zkey.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <map>

namespace {

constexpr size_t fileHeadBytes = 12, sectionHeadBytes = 12, fieldBytes = 32;
constexpr unsigned maxDomainPower = 27; // the quotient needs roots of twice the domain's order

FileError unreadable(const std::string& reason) { return FileError("PRV_KEY_INVALID", reason); }

template <class T>
T read(const unsigned char* at) {
  T out;
  std::memcpy(&out, at, sizeof out);
  return out;
}

bool holds(const unsigned char* at, const Words& value) { return std::memcmp(at, &value, sizeof value) == 0; }

struct Section {
  const unsigned char* data;
  u64 size;
};

}  // namespace

MappedFile::MappedFile(const std::string& path) : fd_(open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
  if (fd_ < 0) throw unreadable("it cannot be opened");
  stamp_ = readStamp();
  if (stamp_.size < static_cast<off_t>(fileHeadBytes)) {
    close(fd_);
    throw unreadable("it is cut off");
  }
  size_ = static_cast<size_t>(stamp_.size);
  void* const mapped = mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, fd_, 0);
  if (mapped == MAP_FAILED) {
    close(fd_);
    throw unreadable("it cannot be mapped");
  }
  data_ = static_cast<unsigned char*>(mapped);
  madvise(data_, size_, MADV_SEQUENTIAL);
}

MappedFile::~MappedFile() {
  munmap(data_, size_);
  close(fd_);
}

MappedFile::Stamp MappedFile::readStamp() const {
  struct stat status;
  if (fstat(fd_, &status) != 0) return {-1, 0, 0};
#if defined(__APPLE__)
  const timespec& changed = status.st_mtimespec;
#else
  const timespec& changed = status.st_mtim;
#endif
  return {status.st_size, changed.tv_sec, changed.tv_nsec};
}

void MappedFile::requireUnchanged() const {
  if (!(readStamp() == stamp_)) throw unreadable("it changed while it was in use");
}

void MappedFile::wantSoon(const unsigned char* from, size_t byteCount) const {
  const size_t page = static_cast<size_t>(sysconf(_SC_PAGESIZE)), at = static_cast<size_t>(from - data_) / page * page;
  madvise(data_ + at, static_cast<size_t>(from - data_) + byteCount - at, MADV_WILLNEED);
}

void MappedFile::letGo(const unsigned char* from, size_t byteCount) const {
  const size_t page = static_cast<size_t>(sysconf(_SC_PAGESIZE)), offset = static_cast<size_t>(from - data_);
  const size_t first = (offset + page - 1) / page * page, end = (offset + byteCount) / page * page;
  // The mapping is of a file and never written: what goes is only this process' view of it.
  if (end > first) madvise(data_ + first, end - first, MADV_DONTNEED);
}

Zkey::Zkey(const MappedFile& file) {
  if (std::memcmp(file.data(), "zkey", 4) != 0) throw unreadable("the magic number is not zkey");
  std::map<u32, Section> sections;
  size_t at = fileHeadBytes;
  for (u32 left = read<u32>(file.data() + 8); left > 0; left--) {
    if (file.size() - at < sectionHeadBytes) throw unreadable("it is cut off");
    const u32 id = read<u32>(file.data() + at);
    const u64 size = read<u64>(file.data() + at + 4);
    at += sectionHeadBytes;
    if (size > file.size() - at) throw unreadable("it is cut off");
    sections[id] = {file.data() + at, size};
    at += size;
  }
  const auto section = [&](u32 id, u64 size) {
    const auto found = sections.find(id);
    if (found == sections.end()) throw unreadable("section " + std::to_string(id) + " is missing");
    if (found->second.size != size) throw unreadable("section " + std::to_string(id) + " has the wrong size");
    return found->second.data;
  };

  if (read<u32>(section(1, 4)) != 1) throw unreadable("it is not a Groth16 key");
  const unsigned char* head = section(2, 2 * (4 + fieldBytes) + 12 + 3 * 2 * fieldBytes + 3 * 4 * fieldBytes);
  if (read<u32>(head) != fieldBytes || !holds(head + 4, BaseModulus::value) || read<u32>(head + 36) != fieldBytes ||
      !holds(head + 40, ScalarModulus::value))
    throw unreadable("it is not over bn254");
  head += 72;
  wireCount = read<u32>(head), publicCount = read<u32>(head + 4), domainSize = read<u32>(head + 8);
  if (domainSize < 2 || (domainSize & (domainSize - 1)) != 0 || publicCount >= wireCount || wireCount >> 29 != 0)
    throw unreadable("its sizes are impossible");
  domainPower = static_cast<unsigned>(__builtin_ctz(domainSize));
  if (domainPower > maxDomainPower) throw unreadable("its domain is too large");
  head += 12;
  alpha1 = read<Affine<Fp>>(head), beta1 = read<Affine<Fp>>(head + 64);
  beta2 = read<Affine<Fp2>>(head + 128);
  delta1 = read<Affine<Fp>>(head + 384), delta2 = read<Affine<Fp2>>(head + 448);

  const auto points = [&](u32 id, bool isG2, size_t count, size_t firstScalar) {
    return KeyPointsView{isG2, section(id, count * (isG2 ? 128 : 64)), count, firstScalar};
  };
  const size_t firstPrivate = size_t{publicCount} + 1;
  a = points(5, false, wireCount, 0), b1 = points(6, false, wireCount, 0), b2 = points(7, true, wireCount, 0);
  c = points(8, false, wireCount - firstPrivate, firstPrivate), h = points(9, false, domainSize, 0);
  const auto found = sections.find(4);
  if (found == sections.end() || found->second.size < 4) throw unreadable("section 4 is missing");
  coefficientCount = read<u32>(found->second.data);
  coefficients = section(4, 4 + u64{coefficientCount} * coefficientBytes) + 4;
}

const unsigned char* readWitness(const unsigned char* bytes, size_t byteCount, size_t wireCount) {
  // "wtns", version, section count; section 1: id, byte count, field bytes, prime, value count; section 2
  constexpr size_t countAt = 12 + 12 + 4 + 32, valuesAt = countAt + 4 + 12;
  const auto bad = [](const std::string& reason) { return FileError("PRV_NO_WITNESS", reason); };
  if (byteCount < valuesAt || std::memcmp(bytes, "wtns", 4) != 0 || read<u32>(bytes + 24) != fieldBytes ||
      byteCount != valuesAt + fieldBytes * u64{read<u32>(bytes + countAt)})
    throw bad("the witness is not a whole .wtns file");
  if (!holds(bytes + 28, ScalarModulus::value)) throw bad("the witness is not over bn254");
  const size_t count = read<u32>(bytes + countAt);
  if (count != wireCount)
    throw bad("the witness has " + std::to_string(count) + " values, the key " + std::to_string(wireCount) + " wires");
  const unsigned char* const values = bytes + valuesAt;
  for (size_t i = 0; i < count; i++)
    if (!isBelow(read<Words>(values + fieldBytes * i), ScalarModulus::value)) throw bad("a value is not below r");
  return values;
}
