import { defineOptions } from "./options.ts";

export const TEXT_BASE_OPTION = defineOptions({
  "--base <path>":
    "of a language model: the folder or address of its base; default: the model's server, and the base of this software",
});
