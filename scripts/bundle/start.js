import { debuglog } from "node:util";
import v8 from "node:v8";
import { findBundle, loadFrom } from "@openledger/foundation/load-source";

/**
 * V8's own, times four: a function is optimised once it has run that many bytes of code. An eighth of all that a start of the
 * devnet computes was the optimiser, for functions that were soon done.
 */
export const INTERRUPT_BUDGET = 4 * 132 * 1024;

/**
 * Runs a main module in this process. Where sources have changed, the bundle is made again first: for all that start
 * after it, too.
 * @param main the module's file URL
 */
export async function start(main) {
  v8.setFlagsFromString(`--interrupt-budget=${INTERRUPT_BUDGET}`);
  return loadFrom(findBundle() ?? (await makeBundle()), main);
}

async function makeBundle() {
  try {
    const { buildBundle } = await import("./build.js");
    await buildBundle();
  } catch (error) {
    // A source that cannot be translated is named by tsx, too; a folder that cannot be written needs no bundle.
    debuglog("openledger")("no bundle made: %s", error.message);
  }
  return findBundle();
}
