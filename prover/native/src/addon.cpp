// The Node-API surface: see native-addon.ts for the types. Work that takes long runs off the event loop.
#include <array>
#include <functional>
#include <memory>
#include <string>

#include "fixed-base.h"
#include "kernels/processor-export.h"
#include "node-api.h"
#include "proving-key.h"
#include "qap-sums.h"
#include "repeats.h"
#include "roots.h"

JsError describe(std::exception_ptr failure) {
  try {
    std::rethrow_exception(failure);
  } catch (const JsError& error) {
    return error;
  } catch (const FileError& error) {
    return {error.code, error.what()};
  } catch (const Cancelled&) {
    return {"PRV_CANCELLED", "cancelled"};
  } catch (const std::bad_alloc&) {
    return {"PRV_PROVE_FAILED", "out of memory"};
  } catch (const std::exception& error) {
    return {"PRV_PROVE_FAILED", error.what()};
  }
}

namespace {

template <class T>
std::vector<T> arrayOf(napi_env env, napi_value value) {
  const Bytes bytes = bytesOf(env, value, sizeof(T));
  std::vector<T> out(bytes.size / sizeof(T));
  if (!out.empty()) std::memcpy(out.data(), bytes.data, bytes.size);
  return out;
}

std::string textOf(napi_env env, napi_value value) {
  size_t size;
  CHECK(napi_get_value_string_utf8(env, value, nullptr, 0, &size));
  std::string out(size + 1, 0);
  CHECK(napi_get_value_string_utf8(env, value, out.data(), out.size(), &size));
  out.resize(size);
  return out;
}

u32 numberOf(napi_env env, napi_value value) {
  u32 out;
  CHECK(napi_get_value_uint32(env, value, &out));
  return out;
}

napi_value toBuffer(napi_env env, const void* data, size_t size) {
  napi_value out;
  CHECK(napi_create_buffer_copy(env, size, data, nullptr, &out));
  return out;
}

void setNumber(napi_env env, napi_value object, const char* name, double value) {
  napi_value number;
  CHECK(napi_create_double(env, value, &number));
  CHECK(napi_set_named_property(env, object, name, number));
}

/** "ifma", "avx2", "portable", or "auto": the fastest that this processor has. */
const Kernels& kernelsOf(const std::string& name) {
  const std::vector<const Kernels*> all = allKernels();
  if (name == "auto") return *all.front();
  for (const Kernels* each : all)
    if (name == each->name) return *each;
  if (name != "ifma" && name != "avx2") refuse("the path is ifma, avx2, portable or auto");
  throw JsError{"PRV_NATIVE_UNAVAILABLE", "this processor lacks what the path " + name + " needs"};
}

/** Work for another thread, and the promise of its result. Arguments in `kept` live until it ends. */
struct Job {
  std::function<void()> work;
  std::function<napi_value(napi_env)> result;
  std::exception_ptr failure;
  napi_async_work handle = nullptr;
  napi_deferred deferred = nullptr;
  napi_ref kept = nullptr;
};

napi_value start(napi_env env, std::unique_ptr<Job> job, std::initializer_list<napi_value> kept) {
  napi_value promise, name, list;
  CHECK(napi_create_array(env, &list));
  u32 index = 0;
  for (const napi_value value : kept) CHECK(napi_set_element(env, list, index++, value));
  CHECK(napi_create_reference(env, list, 1, &job->kept));
  CHECK(napi_create_string_utf8(env, "prover", NAPI_AUTO_LENGTH, &name));
  CHECK(napi_create_promise(env, &job->deferred, &promise));
  const auto execute = [](napi_env, void* data) {
    Job& running = *static_cast<Job*>(data);
    try {
      running.work();
    } catch (...) {
      running.failure = std::current_exception();
    }
  };
  const auto complete = [](napi_env e, napi_status, void* data) {
    const std::unique_ptr<Job> done(static_cast<Job*>(data));
    napi_value value = nullptr;
    try {
      if (done->failure != nullptr) std::rethrow_exception(done->failure);
      value = done->result(e);
      napi_resolve_deferred(e, done->deferred, value);
    } catch (...) {
      napi_reject_deferred(e, done->deferred, makeError(e, describe(std::current_exception())));
    }
    napi_delete_reference(e, done->kept);
    napi_delete_async_work(e, done->handle);
  };
  CHECK(napi_create_async_work(env, nullptr, name, execute, complete, job.get(), &job->handle));
  CHECK(napi_queue_async_work(env, job->handle));
  job.release();
  return promise;
}

using KeyHandle = std::shared_ptr<ProvingKey>;

KeyHandle& keyOf(napi_env env, napi_value value) {
  KeyHandle& key = heldBy<KeyHandle>(env, value);
  if (key == nullptr) refuse("the key was released");
  return key;
}

/** paths() -> of "ifma", "avx2" and "portable" what this processor has, the fastest first */
napi_value paths(napi_env env, napi_value*) {
  napi_value out, name;
  CHECK(napi_create_array(env, &out));
  u32 index = 0;
  for (const Kernels* each : allKernels()) {
    CHECK(napi_create_string_utf8(env, each->name, NAPI_AUTO_LENGTH, &name));
    CHECK(napi_set_element(env, out, index++, name));
  }
  return out;
}

/** loadKey(zkeyPath, path, threadCount, pieceSize) -> Promise<{ key, path, byteCount }> */
napi_value loadKey(napi_env env, napi_value* args) {
  const std::string zkeyPath = textOf(env, args[0]);
  const Kernels& kernels = kernelsOf(textOf(env, args[1]));
  const u32 threadCount = numberOf(env, args[2]);
  const u32 pieceSize = numberOf(env, args[3]);
  auto job = std::make_unique<Job>();
  auto key = std::make_shared<KeyHandle>();
  job->work = [=, &kernels] { *key = std::make_shared<ProvingKey>(zkeyPath, kernels, threadCount, pieceSize); };
  job->result = [key](napi_env e) {
    napi_value out, name;
    CHECK(napi_create_object(e, &out));
    CHECK(napi_set_named_property(e, out, "key", hold(e, std::make_unique<KeyHandle>(*key))));
    CHECK(napi_create_string_utf8(e, (*key)->kernels().name, NAPI_AUTO_LENGTH, &name));
    CHECK(napi_set_named_property(e, out, "path", name));
    setNumber(e, out, "byteCount", static_cast<double>((*key)->byteCount()));
    return out;
  };
  return start(env, std::move(job), {});
}

/** releaseKey(key): frees its memory when the running proof has ended. */
napi_value releaseKey(napi_env env, napi_value* args) {
  keyOf(env, args[0]).reset();
  return nullptr;
}

Words wordsOf(napi_env env, napi_value value) {
  const std::vector<Words> words = arrayOf<Words>(env, value);
  if (words.size() != 1) refuse("expected 32 bytes");
  return words[0];
}

/** prove(key, witness, r, s, ofWitness, control) -> Promise<{ proof, times }>; the proof is a, b, c as plain integers. */
napi_value prove(napi_env env, napi_value* args) {
  const KeyHandle key = keyOf(env, args[0]);
  const Bytes witness = bytesOf(env, args[1]);
  const ProofBlinding by{wordsOf(env, args[2]), wordsOf(env, args[3]), wordsOf(env, args[4])};
  for (const Words& factor : {by.r, by.s, by.ofWitness})
    if (!isBelow(factor, ScalarModulus::value)) refuse("a blinding factor is not below r");
  const Bytes controlBytes = bytesOf(env, args[5]);
  static_assert(sizeof(ProofControl) == 8);
  if (controlBytes.size != sizeof(ProofControl)) refuse("expected 8 bytes of control");
  ProofControl* const control = reinterpret_cast<ProofControl*>(controlBytes.data);
  auto job = std::make_unique<Job>();
  auto proof = std::make_shared<Proof>();
  job->work = [=] { *proof = key->prove(witness.data, witness.size, by, *control); };
  job->result = [proof](napi_env e) {
    napi_value out, times;
    CHECK(napi_create_object(e, &out));
    Words words[8];
    std::memcpy(words, &proof->a, 64);
    std::memcpy(words + 2, &proof->b, 128);
    std::memcpy(words + 6, &proof->c, 64);
    CHECK(napi_set_named_property(e, out, "proof", toBuffer(e, words, sizeof words)));
    CHECK(napi_create_object(e, &times));
    const PhaseTimes& t = proof->times;
    const std::pair<const char*, double> named[] = {{"matrices", t.matrices}, {"quotient", t.quotient}, {"digits", t.digits},
                                                    {"sums", t.sums},         {"finish", t.finish},     {"sumA", t.sumA},
                                                    {"sumB1", t.sumB1},       {"sumB2", t.sumB2},       {"sumCH", t.sumCH}};
    for (const auto& [name, value] : named) setNumber(e, times, name, value);
    CHECK(napi_set_named_property(e, out, "times", times));
    return out;
  };
  return start(env, std::move(job), {args[1], args[5]});
}

/** openBase(path, isG2, windowBits) -> base */
napi_value openBase(napi_env env, napi_value* args) {
  const Kernels& kernels = kernelsOf(textOf(env, args[0]));
  bool isG2;
  CHECK(napi_get_value_bool(env, args[1], &isG2));
  const u32 windowBits = numberOf(env, args[2]);
  if (windowBits < 2 || windowBits > 16) refuse("a window has 2 to 16 bits");
  return hold(env, std::make_unique<FixedBase>(kernels, isG2, windowBits));
}

/** multiplyBase(base, scalars): points as a zkey has them. */
napi_value multiplyBase(napi_env env, napi_value* args) {
  FixedBase& base = heldBy<FixedBase>(env, args[0]);
  const auto scalars = arrayOf<Words>(env, args[1]);
  for (const Words& scalar : scalars)
    if (!isBelow(scalar, ScalarModulus::value)) refuse("a scalar is not below r");
  void* points;
  napi_value out;
  CHECK(napi_create_buffer(env, scalars.size() * base.pointBytes(), &points, &out));
  base.multiply(scalars.data(), scalars.size(), static_cast<unsigned char*>(points));
  return out;
}

/** A number of TypeScript's that may be above 2^32. */
size_t sizeOf(napi_env env, napi_value value) {
  int64_t out;
  CHECK(napi_get_value_int64(env, value, &out));
  if (out < 0) refuse("expected a size");
  return static_cast<size_t>(out);
}

/** openSums(r1csPath, position, byteCount, [domainPower, constraintCount, publicCount, wireCount, isWhole], secrets) -> sums */
napi_value openSums(napi_env env, napi_value* args) {
  const auto sizes = arrayOf<u32>(env, args[3]);
  const auto secrets = arrayOf<Words>(env, args[4]);
  if (sizes.size() != 5 || secrets.size() != 4) refuse("expected five sizes and four secrets");
  for (const Words& secret : secrets)
    if (!isBelow(secret, ScalarModulus::value)) refuse("a secret is not below r");
  const auto [domainPower, constraintCount, publicCount, wireCount, isWhole] =
      std::array<u32, 5>{sizes[0], sizes[1], sizes[2], sizes[3], sizes[4]};
  if (domainPower >= twoAdicity) refuse("the domain is too large");
  const size_t bound = static_cast<size_t>(constraintCount) + publicCount + 1;
  if (bound > size_t{1} << domainPower || publicCount >= wireCount) refuse("the sizes do not fit");
  const QapPlan plan{Fr::toMontgomery(secrets[0]), Fr::toMontgomery(secrets[1]), Fr::toMontgomery(secrets[2]),
                     Fr::toMontgomery(secrets[3]), domainPower, constraintCount, publicCount, wireCount, isWhole != 0};
  return hold(env, std::make_unique<QapSums>(textOf(env, args[0]), sizeOf(env, args[1]), sizeOf(env, args[2]), plan));
}

/** nextTerms(sums, byteCount): some terms of A and B as a zkey has them; none after the last constraint. */
napi_value nextTerms(napi_env env, napi_value* args) {
  const auto terms = heldBy<QapSums>(env, args[0]).next(sizeOf(env, args[1]));
  return toBuffer(env, terms.data(), terms.size());
}

/** wireSums(sums): A, B and C of each wire, one after another. Once. */
napi_value wireSums(napi_env env, napi_value* args) {
  const auto words = heldBy<QapSums>(env, args[0]).wires();
  return toBuffer(env, words.data(), words.size() * sizeof(Words));
}

/** quotientScalars(sums): those of H. */
napi_value quotientScalars(napi_env env, napi_value* args) {
  const auto words = heldBy<QapSums>(env, args[0]).quotient();
  return toBuffer(env, words.data(), words.size() * sizeof(Words));
}

/** For tests: multiplyField(path, isScalarField, a, b), arrays of plain integers. */
napi_value multiplyField(napi_env env, napi_value* args) {
  const Kernels& kernels = kernelsOf(textOf(env, args[0]));
  bool isScalarField;
  CHECK(napi_get_value_bool(env, args[1], &isScalarField));
  const auto a = arrayOf<Words>(env, args[2]), b = arrayOf<Words>(env, args[3]);
  if (a.size() != b.size() || a.empty()) refuse("expected as many factors on both sides");
  std::vector<Words> out(a.size());
  (isScalarField ? kernels.multiplyScalar : kernels.multiplyBase)(a.data(), b.data(), out.data(), out.size());
  return toBuffer(env, out.data(), out.size() * sizeof(Words));
}

/** For tests: invertBase(values), plain integers. */
napi_value invertBase(napi_env env, napi_value* args) {
  std::vector<Words> values = arrayOf<Words>(env, args[0]);
  for (Words& value : values) value = Fp::plainInverse(value);
  return toBuffer(env, values.data(), values.size() * sizeof(Words));
}

/** For tests: splitScalars(scalars) -> |k1|, sign, |k2|, sign as 32-byte words each. */
napi_value splitScalars(napi_env env, napi_value* args) {
  std::vector<Words> out;
  for (const Words& k : arrayOf<Words>(env, args[0])) {
    const glv::Halves halves = glv::split(k);
    for (u128 value : {halves.k1, halves.k2}) {
      const bool isNegative = value >> 127 != 0;
      if (isNegative) value = 0 - value;
      out.push_back({{static_cast<u64>(value), static_cast<u64>(value >> 64), 0, isNegative ? u64{1} : 0}});
    }
  }
  return toBuffer(env, out.data(), out.size() * sizeof(Words));
}

template <class F>
napi_value sumPoints(napi_env env, const Kernels& kernels, const Bytes& points, const std::vector<Words>& scalars, ThreadPool& pool,
                     size_t pieceSize) {
  constexpr size_t pointBytes = sizeof(Affine<F>);
  constexpr bool isG2 = pointBytes == 128;
  if (points.size != scalars.size() * pointBytes) refuse("expected a point for each scalar");
  const std::atomic<int32_t> isCancelled{0};
  std::vector<MsmScratch> scratch(pool.threadCount());
  Repeats repeats;
  if (pieceSize == 0) repeats.find(scalars.data(), scalars.size(), pool);
  Scalars all, ofRepeats(repeats.values(), repeats.groupCount(), pool);
  all.assign(scalars.data(), scalars.size(), pool, pieceSize == 0 ? repeats.isMember() : nullptr);
  Msm msm(kernels, isG2, {all.halfCount() + ofRepeats.halfCount(), all.smallCount(), scalars.size(), scalars.size()});
  const auto eachWindow = [&](const auto& work) {
    pool.run(msm.windowCount(), [&](size_t w) { work(static_cast<unsigned>(w), scratch[ThreadPool::workerIndex()]); });
  };
  if (pieceSize == 0) {
    const PointTable table(kernels, {isG2, points.data, scalars.size(), 0}, pool);
    PointTable ofGroups;
    ofGroups.chooseSums(table, repeats.groupCount());
    size_t from = 0;
    for (const size_t to : repeats.shareEnds())
      ofGroups.sumGroups(kernels, table, repeats, std::exchange(from, to), to, scratch[0], isCancelled);
    eachWindow([&](unsigned w, MsmScratch& own) { msm.sumWindow(w, {{ofGroups, ofRepeats}, {table, all}}, own, isCancelled); });
  } else {
    PointTable table;
    for (size_t from = 0; from < scalars.size(); from += pieceSize) {
      const size_t count = std::min(pieceSize, scalars.size() - from);
      const Scalars piece(&scalars[from], count, pool);
      table.choose({isG2, points.data + from * pointBytes, count, 0}, &scalars[from]);
      pool.run(table.importCount(), [&](size_t part) { table.import(kernels, part); });
      eachWindow([&](unsigned w, MsmScratch& own) { msm.addToWindow(w, table, piece, own, isCancelled); });
    }
    eachWindow([&](unsigned w, MsmScratch& own) { msm.closeWindow(w, own, isCancelled); });
  }
  const Affine<F> sum = msm.finish<F>().toAffine();
  Words words[pointBytes / sizeof(Words)];
  std::memcpy(words, &sum, sizeof words);
  for (Words& word : words) word = Fp::fromMontgomery(word);
  return toBuffer(env, words, sizeof words);
}

/**
 * For tests: multiplyPoints(path, isG2, points, scalars, threadCount, pieceSize): points as a zkey has them, the sum plain. A
 * piece size of 0 takes all points at once.
 */
napi_value multiplyPoints(napi_env env, napi_value* args) {
  const Kernels& kernels = kernelsOf(textOf(env, args[0]));
  bool isG2;
  CHECK(napi_get_value_bool(env, args[1], &isG2));
  const Bytes points = bytesOf(env, args[2]);
  const auto scalars = arrayOf<Words>(env, args[3]);
  ThreadPool pool(numberOf(env, args[4]));
  const size_t pieceSize = numberOf(env, args[5]);
  return (isG2 ? sumPoints<Fp2> : sumPoints<Fp>)(env, kernels, points, scalars, pool, pieceSize);
}

/**
 * For tests: quotient(path, rows, values, witness, threadCount): the H scalars of matrices A and B, given as
 * rows of u32 (matrix, row, wire, value's index) sorted by matrix and row; values times 2^512 mod r.
 */
napi_value quotient(napi_env env, napi_value* args) {
  const Kernels* kernels = &kernelsOf(textOf(env, args[0]));
  const auto rows = arrayOf<u32>(env, args[1]);
  const auto values = arrayOf<Words>(env, args[2]), witness = arrayOf<Words>(env, args[3]);
  const unsigned power = numberOf(env, args[4]);
  ThreadPool pool(2);
  const size_t size = size_t{1} << power;
  std::unique_ptr<QuotientPlan> plan(kernels->planQuotient(power));
  if (plan == nullptr) {
    kernels = &portableKernels();
    plan.reset(kernels->planQuotient(power));
  }
  const ParallelFor parallel = [&](size_t count, const std::function<void(size_t)>& body) { pool.run(count, body); };
  Buffer vectors[3];
  for (Buffer& vector : vectors) vector = Buffer(plan->vectorBytes());
  for (u32 m = 0; m < 2; m++) {
    std::vector<u32> starts(size + 1, 0), wires, indexes;
    for (size_t i = 0; i + 3 < rows.size(); i += 4) {
      if (rows[i] != m) continue;
      if (rows[i + 1] >= size || rows[i + 2] >= witness.size() || rows[i + 3] >= values.size()) refuse("a row is outside");
      starts[rows[i + 1] + 1]++;
      wires.push_back(rows[i + 2]), indexes.push_back(rows[i + 3]);
    }
    for (size_t i = 0; i < size; i++) starts[i + 1] += starts[i];
    const std::unique_ptr<MatrixPlan> matrix(
        kernels->planMatrix({size, starts.data(), wires.data(), indexes.data(), values.size(), values.data()}));
    matrix->evaluate(witness.data(), vectors[m].as<u64>(), parallel);
  }
  std::vector<Words> out(size);
  plan->quotient(vectors[0].as<u64>(), vectors[1].as<u64>(), vectors[2].as<u64>(), out.data(), parallel);
  return toBuffer(env, out.data(), out.size() * sizeof(Words));
}

napi_value init(napi_env env, napi_value exports) {
  const std::pair<const char*, napi_callback> functions[] = {
      {"processorKernels", processorKernels},
      {"paths", call<paths>},
      {"loadKey", call<loadKey>},
      {"releaseKey", call<releaseKey>},
      {"prove", call<prove>},
      {"openBase", call<openBase>},
      {"multiplyBase", call<multiplyBase>},
      {"openSums", call<openSums>},
      {"nextTerms", call<nextTerms>},
      {"wireSums", call<wireSums>},
      {"quotientScalars", call<quotientScalars>},
      {"multiplyField", call<multiplyField>},
      {"invertBase", call<invertBase>},
      {"splitScalars", call<splitScalars>},
      {"multiplyPoints", call<multiplyPoints>},
      {"quotient", call<quotient>},
  };
  return exportFunctions(env, exports, functions);
}

}  // namespace

NAPI_MODULE(bn254_prover, init)
