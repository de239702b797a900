// What each addon exports for foundation/native-part.ts.
#pragma once
#include <node_api.h>

#include "processor.h"

/** processorKernels() -> names of the kernels that this processor can run, whether the addon has them or not */
inline napi_value processorKernels(napi_env env, napi_callback_info) {
  napi_value list, name;
  if (napi_create_array(env, &list) != napi_ok) return nullptr;
  uint32_t i = 0;
  for (const char* each : processor::kernelNames())
    if (napi_create_string_utf8(env, each, NAPI_AUTO_LENGTH, &name) == napi_ok) napi_set_element(env, list, i++, name);
  return list;
}
