// Runs the steps that circuits/compiler/row-steps.ts derives from a part's rows, for many copies of the part at once: a
// step's divisions share one inversion. step-runner.ts has the types.
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "../../src/field.h"
#include "../../src/node-api.h"

namespace {

constexpr u32 magic = 0x32545352;
enum Step : u32 { product, quotient, bits, basePoints, challenge, check };

struct Program {
  u32 wireCount, outputCount, publicInputCount, privateInputCount;
  std::vector<Words> constants;
  std::vector<u32> code;
  u32 portCount() const { return outputCount + publicInputCount; }
  u32 inputCount() const { return publicInputCount + privateInputCount; }
};

/** Reads code word by word; each wire and constant is checked to be one. */
struct Reader {
  const Program& program;
  size_t at = 0;
  bool isDone() const { return at >= program.code.size(); }
  u32 next() {
    if (isDone()) throw std::runtime_error("the steps end within a step");
    return program.code[at++];
  }
  u32 wire() {
    const u32 out = next();
    if (out >= program.wireCount) throw std::runtime_error("a step names no wire");
    return out;
  }
  const Words& constant() {
    const u32 out = next();
    if (out >= program.constants.size()) throw std::runtime_error("a step names no constant");
    return program.constants[out];
  }
};

class Run {
 public:
  Run(const Program& program, size_t copies)
      : program(program), n(copies), values(program.wireCount * copies), a(n), b(n), c(n), before(n) {
    for (size_t i = 0; i < n; i++) values[i] = Fr::one;
  }

  Words* of(u32 wire) { return values.data() + wire * n; }

  /** The index of a row that some copy breaks, or -1. */
  i64 all() {
    Reader reader{program};
    while (!reader.isDone()) {
      const u32 step = reader.next();
      if (step == product) {
        Words* out = of(reader.wire());
        const Words& scale = reader.constant();
        sum(reader, a), sum(reader, b), sum(reader, c);
        for (size_t i = 0; i < n; i++) out[i] = Fr::mul(Fr::sub(Fr::mul(a[i], b[i]), c[i]), scale);
      } else if (step == quotient) {
        Words* out = of(reader.wire());
        const Words& factor = reader.constant();
        const Words& own = reader.constant();
        sum(reader, a), sum(reader, b), sum(reader, c);
        for (size_t i = 0; i < n; i++) {
          c[i] = Fr::sub(c[i], Fr::mul(a[i], b[i]));
          b[i] = Fr::sub(Fr::mul(factor, b[i]), own);
        }
        if (!divide(out)) return 0;
      } else if (step == bits) {
        bitsOf(reader);
      } else if (step == basePoints) {
        points(reader);
      } else if (step == challenge) {
        signs(reader);
      } else if (step == check) {
        const u32 row = reader.next();
        sum(reader, a), sum(reader, b), sum(reader, c);
        for (size_t i = 0; i < n; i++)
          if (!isZero(Fr::sub(Fr::mul(a[i], b[i]), c[i]))) return row;
      } else {
        throw std::runtime_error("there is no such step");
      }
    }
    return -1;
  }

 private:
  const Program& program;
  const size_t n;
  std::vector<Words> values, a, b, c, before;

  void sum(Reader& reader, std::vector<Words>& out) {
    for (size_t i = 0; i < n; i++) out[i] = Words{};
    const Words* first = program.constants.data();
    for (u32 terms = reader.next(); terms > 0; terms--) {
      const Words* wire = of(reader.wire());
      const Words& factor = reader.constant();
      if (&factor == first)
        for (size_t i = 0; i < n; i++) out[i] = Fr::add(out[i], wire[i]);
      else if (&factor == first + 1)
        for (size_t i = 0; i < n; i++) out[i] = Fr::sub(out[i], wire[i]);
      else
        for (size_t i = 0; i < n; i++) out[i] = Fr::add(out[i], Fr::mul(factor, wire[i]));
    }
  }

  /** out = c / b by one inversion (Montgomery's trick); 0 / 0 = 0, as in circom. False for a division of another value by 0. */
  bool divide(Words* out) {
    Words all = Fr::one;
    for (size_t i = 0; i < n; i++) {
      before[i] = all;
      if (!isZero(b[i])) all = Fr::mul(all, b[i]);
      else if (!isZero(c[i])) return false;
    }
    Words inverse = Fr::inv(all);
    for (size_t i = n; i-- > 0;) {
      if (isZero(b[i])) {
        out[i] = Words{};
        continue;
      }
      out[i] = Fr::mul(c[i], Fr::mul(inverse, before[i]));
      inverse = Fr::mul(inverse, b[i]);
    }
    return true;
  }

  static u64 bitsAt(const Words& value, u32 from, u64 mask) {
    if (from >= 256) return 0;
    u64 out = value.w[from / 64] >> (from % 64);
    if (from % 64 > 61 && from < 192) out |= value.w[from / 64 + 1] << (64 - from % 64);
    return out & mask;
  }

  void bitsOf(Reader& reader) {
    const Words& scale = reader.constant();
    sum(reader, a);
    for (size_t i = 0; i < n; i++) a[i] = Fr::fromMontgomery(Fr::mul(a[i], scale));
    for (u32 count = reader.next(); count > 0; count--) {
      Words* out = of(reader.wire());
      const u32 index = reader.next();
      for (size_t i = 0; i < n; i++) out[i] = bitsAt(a[i], index, 1) == 1 ? Fr::one : Words{};
    }
  }

  /** What BasePoints looks up for each four bits of a scalar. */
  void points(Reader& reader) {
    const Words* scalar = of(reader.wire());
    for (size_t i = 0; i < n; i++) a[i] = Fr::fromMontgomery(scalar[i]);
    const u32 count = reader.next();
    for (u32 window = 0; window < count; window++) {
      Words* u = of(reader.wire());
      Words* v = of(reader.wire());
      const Words* table[16];
      for (const Words*& entry : table) entry = &reader.constant();
      for (size_t i = 0; i < n; i++) {
        const u64 digit = window < 64 ? bitsAt(a[i], 4 * window, 15) : 0;
        const u64 at = digit < 8 ? 2 * (7 - digit) : 2 * (digit - 8);
        u[i] = *table[at];
        v[i] = digit < 8 ? Fr::neg(*table[at + 1]) : *table[at + 1];
      }
    }
  }

  /** What NegatedChallengeMul shows of a hash: its bits from 128 on, and v or -v for each bit below. */
  void signs(Reader& reader) {
    const Words& scale = reader.constant();
    const Words* v = of(reader.wire());
    sum(reader, a);
    for (size_t i = 0; i < n; i++) a[i] = Fr::fromMontgomery(Fr::mul(a[i], scale));
    for (u32 count = reader.next(); count > 0; count--) {
      Words* out = of(reader.wire());
      const u32 index = reader.next();
      for (size_t i = 0; i < n; i++) out[i] = index < 128 && bitsAt(a[i], 128 + index, 1) == 1 ? Fr::one : Words{};
    }
    for (u32 count = reader.next(); count > 0; count--) {
      Words* out = of(reader.wire());
      const u32 index = reader.next();
      for (size_t i = 0; i < n; i++) out[i] = bitsAt(a[i], index, 1) == 1 ? v[i] : Fr::neg(v[i]);
    }
  }
};

napi_value load(napi_env env, napi_value* args) {
  const Bytes bytes = bytesOf(env, args[0]);
  u32 head[8];
  if (bytes.size < sizeof head) throw std::runtime_error("the steps are cut off");
  std::memcpy(head, bytes.data, sizeof head);
  const size_t size = sizeof head + size_t{32} * head[5] + size_t{4} * head[6];
  if (head[0] != magic || bytes.size != size) throw std::runtime_error("these are no steps");
  auto program = std::make_unique<Program>();
  program->wireCount = head[1], program->outputCount = head[2];
  program->publicInputCount = head[3], program->privateInputCount = head[4];
  if (1 + size_t{head[2]} + head[3] + head[4] > head[1]) throw std::runtime_error("the steps have too few wires");
  program->constants.resize(head[5]), program->code.resize(head[6]);
  // An empty vector may have no address, and memcpy takes none.
  if (head[5] > 0) std::memcpy(program->constants.data(), bytes.data + sizeof head, size_t{32} * head[5]);
  if (head[6] > 0)
    std::memcpy(program->code.data(), bytes.data + sizeof head + size_t{32} * head[5], size_t{4} * head[6]);
  for (Words& constant : program->constants) constant = Fr::toMontgomery(constant);
  napi_value out;
  napi_create_external(
      env, program.release(), [](napi_env, void* data, void*) { delete static_cast<Program*>(data); }, nullptr, &out);
  return out;
}

napi_value run(napi_env env, napi_value* args) {
  void* data = nullptr;
  if (napi_get_value_external(env, args[0], &data) != napi_ok) throw std::runtime_error("expected loaded steps");
  const Program& program = *static_cast<Program*>(data);
  const Bytes inputs = bytesOf(env, args[1]), ports = bytesOf(env, args[2]), own = bytesOf(env, args[3]);
  const size_t width = size_t{32} * program.inputCount();
  const size_t n = width == 0 ? 0 : inputs.size / width;
  const size_t ownCount = program.wireCount - 1 - program.portCount();
  if (n == 0 || inputs.size != n * width || ports.size != n * 32 * program.portCount() || own.size != n * 32 * ownCount)
    throw std::runtime_error("wrong number of bytes");
  Run block(program, n);
  const u32 firstInput = 1 + program.outputCount;
  for (size_t i = 0; i < n; i++)
    for (u32 k = 0; k < program.inputCount(); k++) {
      Words value;
      std::memcpy(&value, inputs.data + i * width + size_t{32} * k, sizeof value);
      if (!isBelow(value, Fr::modulus)) throw std::runtime_error("an input is not below the field's order");
      block.of(firstInput + k)[i] = Fr::toMontgomery(value);
    }
  const i64 broken = block.all();
  for (size_t i = 0; i < n && broken < 0; i++)
    for (u32 wire = 1; wire < program.wireCount; wire++) {
      const Words value = Fr::fromMontgomery(block.of(wire)[i]);
      const u32 k = wire - 1;
      unsigned char* to = k < program.portCount() ? ports.data + (i * program.portCount() + k) * 32
                                                  : own.data + (i * ownCount + k - program.portCount()) * 32;
      std::memcpy(to, &value, sizeof value);
    }
  napi_value out;
  napi_create_int64(env, broken, &out);
  return out;
}

napi_value init(napi_env env, napi_value exports) {
  const std::pair<const char*, napi_callback> functions[] = {{"load", call<load>}, {"run", call<run>}};
  return exportFunctions(env, exports, functions);
}

}  // namespace

JsError describe(std::exception_ptr failure) {
  try {
    std::rethrow_exception(failure);
  } catch (const JsError& error) {
    return error;
  } catch (const std::exception& error) {
    return {"", error.what()};
  }
}

NAPI_MODULE_INIT() { return init(env, exports); }
