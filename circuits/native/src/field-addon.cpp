// The Node-API surface: native-field.ts has the types.
#include <memory>
#include <string>

#include "../../../prover/native/src/kernels/processor-export.h"
#include "../../../prover/native/src/node-api.h"
#include "curve.h"
#include "keccak.h"
#include "poseidon.h"

JsError describe(std::exception_ptr failure) {
  try {
    std::rethrow_exception(failure);
  } catch (const JsError& error) {
    return error;
  } catch (const std::exception& error) {
    return {"", error.what()};
  }
}

namespace {

Words wordsOf(napi_env env, napi_value value) {
  Words out{};
  int sign;
  size_t count = 4;
  CHECK(napi_get_value_bigint_words(env, value, &sign, &count, out.w));
  if (sign != 0 || count > 4) refuse("expected integers of 256 bits");
  return out;
}

napi_value toBigint(napi_env env, const Words& value) {
  napi_value out;
  CHECK(napi_create_bigint_words(env, 0, 4, value.w, &out));
  return out;
}

/** Closes whatever is thrown: Node ends the process over one that is left open. */
class HandleScope {
 public:
  explicit HandleScope(napi_env env) : env(env) { CHECK(napi_open_handle_scope(env, &scope)); }
  ~HandleScope() { napi_close_handle_scope(env, scope); }

 private:
  const napi_env env;
  napi_handle_scope scope;
};

/** Elements of an array, from `from` on. */
void read(napi_env env, napi_value array, u32 from, Words* out, size_t count) {
  for (u32 i = 0; i < count; i++) {
    const HandleScope scope(env);
    napi_value element;
    CHECK(napi_get_element(env, array, from + i, &element));
    out[i] = wordsOf(env, element);
  }
}

/** How many rows of `width` an array has. */
u32 rowsOf(napi_env env, napi_value array, size_t width) {
  u32 length;
  if (napi_get_array_length(env, array, &length) != napi_ok || length % width != 0) refuse("wrong number of integers");
  return length / static_cast<u32>(width);
}

/** lanes() -> names of what hashes and checks eight at once here, the fastest first */
napi_value lanes(napi_env env, napi_value*) {
  napi_value out, name;
  CHECK(napi_create_array(env, &out));
  u32 count = 0;
  for (const LaneKernels* each : allLanes()) {
    CHECK(napi_create_string_utf8(env, each->name, NAPI_AUTO_LENGTH, &name));
    CHECK(napi_set_element(env, out, count++, name));
  }
  return out;
}

/** Lanes by their name; null for null. */
const LaneKernels* lanesNamed(napi_env env, napi_value value) {
  napi_valuetype type;
  CHECK(napi_typeof(env, value, &type));
  if (type == napi_null) return nullptr;
  char name[8] = {};
  if (napi_get_value_string_utf8(env, value, name, sizeof name, nullptr) == napi_ok)
    for (const LaneKernels* each : allLanes())
      if (std::string(name) == each->name) return each;
  refuse("this processor has no such lanes");
}

/** loadPoseidon(width, numbers, lanes) -> external */
napi_value loadPoseidon(napi_env env, napi_value* args) {
  u32 width;
  CHECK(napi_get_value_uint32(env, args[0], &width));
  std::vector<Words> numbers(rowsOf(env, args[1], 1));
  read(env, args[1], 0, numbers.data(), numbers.size());
  return hold(env, std::make_unique<Poseidon>(width, numbers.data(), numbers.size(), lanesNamed(env, args[2])));
}

/** hash(poseidon, integers) -> hashes: a tag and its inputs after the other */
napi_value hash(napi_env env, napi_value* args) {
  const auto& poseidon = heldBy<Poseidon>(env, args[0]);
  const u32 width = static_cast<u32>(poseidon.width), count = rowsOf(env, args[1], width);
  napi_value out;
  CHECK(napi_create_array_with_length(env, count, &out));
  std::vector<Words> rows(count * width), hashes(count);
  read(env, args[1], 0, rows.data(), rows.size());
  poseidon.hashAll(rows.data(), hashes.data(), count);
  for (u32 i = 0; i < count; i++) CHECK(napi_set_element(env, out, i, toBigint(env, hashes[i])));
  return out;
}

/** loadCurve([scale, d, x, y], lanes) -> external */
napi_value loadCurve(napi_env env, napi_value* args) {
  Words numbers[4];
  if (rowsOf(env, args[0], 4) != 1) refuse("wrong number of integers");
  read(env, args[0], 0, numbers, 4);
  return hold(env, std::make_unique<edwards::Curve>(numbers[0], numbers[1], numbers[2], numbers[3], lanesNamed(env, args[1])));
}

/** holds(curve, integers) -> booleans: key, R8, factor and S after the other */
napi_value holds(napi_env env, napi_value* args) {
  const auto& curve = heldBy<edwards::Curve>(env, args[0]);
  const u32 count = rowsOf(env, args[1], 6);
  napi_value out;
  CHECK(napi_create_array_with_length(env, count, &out));
  std::vector<Equation> equations;
  for (u32 i = 0; i < count; i++) {
    Words row[6];
    read(env, args[1], 6 * i, row, 6);
    for (int j = 0; j < 4; j++)
      if (!isBelow(row[j], Fr::modulus)) refuse("a coordinate is not below the field's order");
    equations.push_back({row[0], row[1], row[2], row[3], row[4], row[5]});
  }
  const auto held = std::make_unique<bool[]>(count);
  curve.holdAll(equations.data(), held.get(), count);
  for (u32 i = 0; i < count; i++) {
    napi_value isHeld;
    CHECK(napi_get_boolean(env, held[i], &isHeld));
    CHECK(napi_set_element(env, out, i, isHeld));
  }
  return out;
}

/** keccak(bytes, out): out gets 32 bytes */
napi_value keccak(napi_env env, napi_value* args) {
  const Bytes bytes = bytesOf(env, args[0]), out = bytesOf(env, args[1]);
  if (out.size != 32) refuse("wrong number of bytes");
  keccak256(bytes.data, bytes.size, out.data);
  return args[1];
}

napi_value init(napi_env env, napi_value exports) {
  const std::pair<const char*, napi_callback> functions[] = {{"processorKernels", processorKernels},
                                                             {"lanes", call<lanes>},
                                                             {"loadPoseidon", call<loadPoseidon>},
                                                             {"hash", call<hash>},
                                                             {"loadCurve", call<loadCurve>},
                                                             {"holds", call<holds>},
                                                             {"keccak", call<keccak>}};
  return exportFunctions(env, exports, functions);
}

}  // namespace

NAPI_MODULE_INIT() { return init(env, exports); }
