// Runs the steps that circuits/compiler/row-steps.ts derives from a part's rows, for many copies of the part at once.
// step-runner.ts has the types.
#include <memory>
#include <string>

#include "../../../../circuits/native/src/dot.h"
#include "../../src/kernels/processor-export.h"
#include "../../src/node-api.h"
#include "run.h"

namespace {

constexpr u32 magic = 0x32545352;

/** One copy after the other, in the form with R = 2^256. */
struct ScalarSteps {
  using F = Words;
  using Unit = Words;
  using Constant = Words;
  using Mask = bool;
  static constexpr size_t lanes = 1;

  static const Words* constants(const Program& program) { return program.constants.data(); }
  static F load(const Unit& unit) { return unit; }
  static void store(Unit& to, const F& a) { to = a; }
  static F one() { return Fr::one; }

  static F sum(const Term<Unit, Words>* terms, size_t count, size_t group, const Words* constants) {
    F out{};
#ifdef PROVER_HAS_ADX
    if (hasAdx && count > 2) {
      for (size_t k = 0; k < count;) {
        Wide sum{};
        for (const size_t to = std::min(count, k + ::maxTerms); k < to; k++) addProductAdx(sum, *terms[k].factor, terms[k].wire[group]);
        clearLowAdx(sum);
        out = Fr::add(out, Fr::reduceOnce(belowModulus({{sum.t[4], sum.t[5], sum.t[6], sum.t[7]}})));
      }
      return out;
    }
#endif
    for (size_t k = 0; k < count; k++) {
      const auto [wire, factor] = terms[k];
      if (factor == constants) out = Fr::add(out, wire[group]);
      else if (factor == constants + 1) out = Fr::sub(out, wire[group]);
      else out = Fr::add(out, Fr::mul(*factor, wire[group]));
    }
    return out;
  }
  static F mul(const F& a, const F& b) { return Fr::mul(a, b); }
  static F scaled(const F& a, const Words& scale) { return Fr::mul(a, scale); }
  static F product(const F& a, const F& b, const F& c, const Words& scale) { return Fr::mul(Fr::sub(Fr::mul(a, b), c), scale); }
  static F difference(const F& c, const F& a, const F& b) { return Fr::sub(c, Fr::mul(a, b)); }
  static F scaledLess(const F& b, const Words& factor, const Words& own) { return Fr::sub(Fr::mul(factor, b), own); }

  static Mask zeros(const F& a) { return isZero(a); }
  static bool isAllZero(const F& a) { return isZero(a); }
  static bool isAllZeroWhere(Mask mask, const F& a) { return !mask || isZero(a); }
  static F oneWhere(Mask mask, const F& a) { return mask ? Fr::one : a; }
  static F zeroWhere(Mask mask, const F& a) { return mask ? Words{} : a; }
  static F inverse(const F& a) { return Fr::inv(a); }

  static F fromPlain(const Words* plain) { return Fr::toMontgomery(*plain); }
  static void toPlain(const F& a, Words* plain) { *plain = Fr::fromMontgomery(a); }
  static F flags(unsigned mask) { return (mask & 1) != 0 ? Fr::one : Words{}; }
  static F negatedWhere(unsigned mask, const F& a) { return (mask & 1) != 0 ? Fr::neg(a) : a; }
  static F gather(const Words* const* from) { return **from; }
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
  if (availableLanes() != nullptr) {
    static constexpr Words laneForm = powerOfTwo(260, ScalarModulus::value);
    for (const Words& constant : program->constants) {
      const Words form = Fr::mul(constant, laneForm);
      Limbs& limbs = program->limbs.emplace_back();
      for (int i = 0; i < 5; i++) limbs.l[i] = limb52(form, i);
    }
  }
  napi_value out;
  napi_create_external(
      env, program.release(), [](napi_env, void* data, void*) { delete static_cast<Program*>(data); }, nullptr, &out);
  return out;
}

/** Fewer copies take longer in lanes than one by one. */
constexpr size_t fewestInLanes = 3;

/** run(program, inputs, ports, own, isScalar): isScalar for tests, which hold lanes and scalars equal. */
napi_value run(napi_env env, napi_value* args) {
  void* data = nullptr;
  if (napi_get_value_external(env, args[0], &data) != napi_ok) throw std::runtime_error("expected loaded steps");
  const Program& program = *static_cast<Program*>(data);
  const Bytes inputs = bytesOf(env, args[1]), ports = bytesOf(env, args[2]), own = bytesOf(env, args[3]);
  const size_t width = size_t{32} * program.inputCount();
  const size_t n = width == 0 ? 0 : inputs.size / width;
  if (n == 0 || inputs.size != n * width || ports.size != n * 32 * program.portCount() || own.size != n * 32 * program.ownCount())
    throw std::runtime_error("wrong number of bytes");
  const Copies copies{n, inputs.data, ports.data, own.data};
  bool isScalar = false;
  napi_get_value_bool(env, args[4], &isScalar);
  const RunLanes lanes = isScalar || n < fewestInLanes ? nullptr : availableLanes();
  const i64 broken = lanes != nullptr ? lanes(program, copies) : Run<ScalarSteps>(program, copies).all();
  napi_value out;
  napi_create_int64(env, broken, &out);
  return out;
}

napi_value init(napi_env env, napi_value exports) {
  const std::pair<const char*, napi_callback> functions[] = {
      {"processorKernels", processorKernels}, {"load", call<load>}, {"run", call<run>}};
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
