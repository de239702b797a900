// The Node-API surface: see ../../suffix-engine.ts. Sorting runs off the event loop.
#include <node_api.h>

#include <memory>
#include <new>

#include "suffix-array.h"

namespace {

struct Job {
  const std::uint8_t* text;
  spans::Position* array;
  spans::Position length;
  bool isOutOfMemory = false;
  napi_async_work work = nullptr;
  napi_deferred deferred = nullptr;
  /** Keeps both arguments alive. */
  napi_ref kept = nullptr;
};

void execute(napi_env, void* data) {
  Job& job = *static_cast<Job*>(data);
  try {
    spans::InducedSort<std::uint8_t>(job.text, job.array, job.length, 256).run();
  } catch (const std::bad_alloc&) {
    job.isOutOfMemory = true;
  }
}

napi_value makeError(napi_env env, const char* text) {
  napi_value message, error;
  napi_create_string_utf8(env, text, NAPI_AUTO_LENGTH, &message);
  napi_create_error(env, nullptr, message, &error);
  return error;
}

void complete(napi_env env, napi_status, void* data) {
  const std::unique_ptr<Job> job(static_cast<Job*>(data));
  napi_value nothing;
  napi_get_undefined(env, &nothing);
  if (job->isOutOfMemory) {
    napi_reject_deferred(env, job->deferred, makeError(env, "out of memory"));
  } else {
    napi_resolve_deferred(env, job->deferred, nothing);
  }
  napi_delete_reference(env, job->kept);
  napi_delete_async_work(env, job->work);
}

napi_value sort(napi_env env, napi_callback_info info) {
  napi_value args[2] = {}, promise, name, list;
  size_t count = 2, textBytes = 0, arrayLength = 0;
  napi_typedarray_type textType, arrayType;
  void *text = nullptr, *array = nullptr;
  napi_get_cb_info(env, info, &count, args, nullptr, nullptr);
  if (napi_get_typedarray_info(env, args[0], &textType, &textBytes, &text, nullptr, nullptr) != napi_ok ||
      napi_get_typedarray_info(env, args[1], &arrayType, &arrayLength, &array, nullptr, nullptr) != napi_ok ||
      textType != napi_uint8_array || arrayType != napi_int32_array || textBytes != arrayLength ||
      textBytes > 0x7fffffff) {
    napi_throw(env, makeError(env, "expected a text's bytes and an Int32Array of their number"));
    return nullptr;
  }
  auto job = std::make_unique<Job>();
  job->text = static_cast<const std::uint8_t*>(text);
  job->array = static_cast<spans::Position*>(array);
  job->length = static_cast<spans::Position>(textBytes);
  napi_create_array(env, &list);
  napi_set_element(env, list, 0, args[0]);
  napi_set_element(env, list, 1, args[1]);
  napi_create_reference(env, list, 1, &job->kept);
  napi_create_promise(env, &job->deferred, &promise);
  napi_create_string_utf8(env, "suffix array", NAPI_AUTO_LENGTH, &name);
  napi_create_async_work(env, nullptr, name, execute, complete, job.get(), &job->work);
  napi_queue_async_work(env, job.release()->work);
  return promise;
}

napi_value init(napi_env env, napi_value exports) {
  napi_value function;
  napi_create_function(env, "sort", NAPI_AUTO_LENGTH, sort, nullptr, &function);
  napi_set_named_property(env, exports, "sort", function);
  return exports;
}

}  // namespace

NAPI_MODULE(NODE_GYP_MODULE_NAME, init)
