#include "qap-sums.h"

#include <algorithm>

#include "node-api.h"
#include "roots.h"

namespace {

constexpr size_t termBytes = 4 + sizeof(Words);
/** Points of the domain that share an inversion. */
constexpr size_t batchSize = 4096;

/** scale x / (tau - x) for x = first, first step, first step^2, … */
std::vector<Words> lagrangeValues(Words x, const Words& step, size_t count, const Words& tau, const Words& scale) {
  std::vector<Words> out(count), products(batchSize);
  const Words back = Fr::inv(step);
  for (size_t from = 0; from < count; from += batchSize) {
    const size_t n = std::min(batchSize, count - from);
    Words* const values = out.data() + from;
    Words product = Fr::one, last = x;
    for (size_t i = 0; i < n; i++) {
      values[i] = Fr::sub(tau, x);
      products[i] = product;
      product = Fr::mul(product, values[i]);
      last = x;
      x = Fr::mul(x, step);
    }
    // Backwards: 1 / (tau - x) from the products before it.
    Words inverse = Fr::inv(product), point = Fr::mul(last, scale);
    for (size_t i = n; i-- > 0;) {
      const Words own = Fr::mul(inverse, products[i]);
      inverse = Fr::mul(inverse, values[i]);
      values[i] = Fr::mul(own, point);
      point = Fr::mul(point, back);
    }
  }
  return out;
}

Words power(Words base, unsigned doublings) {
  for (unsigned i = 0; i < doublings; i++) base = Fr::sqr(base);
  return base;
}

Words fromCount(size_t count) { return Fr::toMontgomery(Words{{count, 0, 0, 0}}); }

void add(Words& sum, const Words& summand) { sum = Fr::add(sum, summand); }

}  // namespace

QapSums::QapSums(const std::string& path, size_t position, size_t byteCount, const QapPlan& plan)
    : file_(path), plan_(plan), a_(plan.wireCount), b_(plan.wireCount), c_(plan.wireCount) {
  if (position > file_.size() || byteCount > file_.size() - position) refuse("the constraints are cut off");
  at_ = file_.data() + position;
  end_ = at_ + byteCount;
  const size_t domainSize = size_t{1} << plan.domainPower;
  const Words scale = Fr::mul(Fr::sub(power(plan.tau, plan.domainPower), Fr::one), Fr::inv(fromCount(domainSize)));
  lagrange_ = lagrangeValues(Fr::one, rootOfUnity(plan.domainPower), domainSize, plan.tau, scale);
}

std::vector<unsigned char> QapSums::next(size_t outBytes) {
  std::vector<unsigned char> out;
  if (plan_.isWhole) out.reserve(outBytes + outBytes / 4);
  for (; row_ < plan_.constraintCount && out.size() < outBytes; row_++) {
    addTerms(a_, 0, &out);
    addTerms(b_, 1, &out);
    addTerms(c_, 2, nullptr);
  }
  return out;
}

u32 QapSums::nextNumber() {
  if (end_ - at_ < 4) refuse("the constraints are cut off");
  u32 number;
  std::memcpy(&number, at_, 4);
  at_ += 4;
  return number;
}

void QapSums::addTerms(std::vector<Words>& sums, u32 matrix, std::vector<unsigned char>* out) {
  const u32 count = nextNumber(), row = static_cast<u32>(row_);
  if (static_cast<size_t>(end_ - at_) / termBytes < count) refuse("the constraints are cut off");
  const Words& point = lagrange_[row_];
  const bool isWritten = plan_.isWhole && out != nullptr;
  unsigned char* to = nullptr;
  if (isWritten) {
    const size_t before = out->size();
    out->resize(before + count * Zkey::coefficientBytes);
    to = out->data() + before;
  }
  for (u32 i = 0; i < count; i++, at_ += termBytes) {
    u32 wire;
    std::memcpy(&wire, at_, 4);
    if (wire >= plan_.wireCount) {
      if (plan_.isWhole) refuse("a term's wire does not exist");
      continue;
    }
    Words coefficient;
    std::memcpy(&coefficient, at_ + 4, sizeof coefficient);
    add(sums[wire], Fr::mul(coefficient, point));
    if (!isWritten) continue;
    const u32 head[3] = {matrix, row, wire};
    const Words value = Fr::mul(coefficient, Fr::r3);
    std::memcpy(to, head, sizeof head);
    std::memcpy(to + sizeof head, &value, sizeof value);
    to += Zkey::coefficientBytes;
  }
}

std::vector<Words> QapSums::wires() {
  if (row_ < plan_.constraintCount) refuse("constraints are left");
  // The constraints 1 * wire, which keep the constant and the public wires independent.
  for (size_t wire = 0; wire <= plan_.publicCount; wire++)
    add(a_[wire], Fr::fromMontgomery(lagrange_[plan_.constraintCount + wire]));
  const Words deltaInverse = Fr::inv(plan_.delta);
  for (size_t wire = 0; wire < plan_.wireCount; wire++) {
    add(c_[wire], Fr::mul(a_[wire], plan_.beta));
    add(c_[wire], Fr::mul(b_[wire], plan_.alpha));
    if (wire > plan_.publicCount) c_[wire] = Fr::mul(c_[wire], deltaInverse);
  }
  std::vector<Words> out;
  out.reserve(3 * plan_.wireCount);
  for (const auto* sums : {&a_, &b_, &c_}) out.insert(out.end(), sums->begin(), sums->end());
  return out;
}

std::vector<Words> QapSums::quotient() const {
  const size_t domainSize = size_t{1} << plan_.domainPower;
  const Words scale = Fr::mul(Fr::sub(power(plan_.tau, plan_.domainPower + 1), Fr::one),
                              Fr::inv(Fr::mul(fromCount(2 * domainSize), plan_.delta)));
  std::vector<Words> out =
      lagrangeValues(rootOfUnity(plan_.domainPower + 1), rootOfUnity(plan_.domainPower), domainSize, plan_.tau, scale);
  for (Words& value : out) value = Fr::fromMontgomery(value);
  return out;
}
