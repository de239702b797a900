/** Option --base of the commands that compute with a language model of the ledger: asking, training again, verifying. */
import { defineOptions } from "./options.ts";

export const TEXT_BASE_OPTION = defineOptions({
  "--base <path>": "for a language model: folder or URL of its base; default: from its server, or built in",
});
