// What the addons of the prover share: JavaScript functions from C++ ones, and the bytes that they are given.
#pragma once
#include <node_api.h>

#include <exception>
#include <memory>
#include <string>
#include <utility>

/** An error as JavaScript sees it; without a code where that is empty. */
struct JsError {
  std::string code, message;
};

/** What a C++ exception is to JavaScript; each addon has its own. */
JsError describe(std::exception_ptr failure);

#define CHECK(call)                                                        \
  do {                                                                     \
    if ((call) != napi_ok) throw JsError{"PRV_PROVE_FAILED", #call " failed"}; \
  } while (false)

[[noreturn]] inline void refuse(const char* message) { throw JsError{"ERR_INVALID_ARG_VALUE", message}; }

inline napi_value makeError(napi_env env, const JsError& error) {
  napi_value code = nullptr, message, out;
  if (!error.code.empty()) napi_create_string_utf8(env, error.code.c_str(), NAPI_AUTO_LENGTH, &code);
  napi_create_string_utf8(env, error.message.c_str(), NAPI_AUTO_LENGTH, &message);
  napi_create_error(env, code, message, &out);
  return out;
}

/** A native function of at most 6 arguments: arguments in, value out, C++ exceptions to JavaScript ones. */
template <napi_value (*body)(napi_env, napi_value*)>
napi_value call(napi_env env, napi_callback_info info) {
  napi_value args[6] = {};
  size_t count = 6;
  napi_get_cb_info(env, info, &count, args, nullptr, nullptr);
  try {
    return body(env, args);
  } catch (...) {
    napi_throw(env, makeError(env, describe(std::current_exception())));
    return nullptr;
  }
}

struct Bytes {
  unsigned char* data;
  size_t size;
};

inline Bytes bytesOf(napi_env env, napi_value value, size_t multipleOf = 1) {
  bool isBuffer = false;
  CHECK(napi_is_buffer(env, value, &isBuffer));
  if (!isBuffer) refuse("expected bytes");
  void* data;
  Bytes out;
  CHECK(napi_get_buffer_info(env, value, &data, &out.size));
  out.data = static_cast<unsigned char*>(data);
  if (out.size % multipleOf != 0) refuse("wrong number of bytes");
  return out;
}

/** What JavaScript holds for a later call, with a mark of its type. */
template <class T>
struct Held {
  static constexpr char mark = 0;
  const char* type;
  std::unique_ptr<T> value;
};

template <class T>
napi_value hold(napi_env env, std::unique_ptr<T> value) {
  napi_value out;
  auto held = std::unique_ptr<Held<T>>(new Held<T>{&Held<T>::mark, std::move(value)});
  const auto finalize = [](napi_env, void* data, void*) { delete static_cast<Held<T>*>(data); };
  CHECK(napi_create_external(env, held.get(), finalize, nullptr, &out));
  held.release();
  return out;
}

template <class T>
T& heldBy(napi_env env, napi_value value) {
  void* data;
  if (napi_get_value_external(env, value, &data) != napi_ok) refuse("expected what a load gave");
  const auto& held = *static_cast<const Held<T>*>(data);
  if (held.type != &Held<T>::mark) refuse("expected what another load gives");
  return *held.value;
}

/** Puts functions into an addon's exports, each by its name. */
template <size_t count>
napi_value exportFunctions(napi_env env, napi_value exports, const std::pair<const char*, napi_callback> (&functions)[count]) {
  for (const auto& [name, function] : functions) {
    napi_value value;
    if (napi_create_function(env, name, NAPI_AUTO_LENGTH, function, nullptr, &value) != napi_ok) return exports;
    napi_set_named_property(env, exports, name, value);
  }
  return exports;
}
