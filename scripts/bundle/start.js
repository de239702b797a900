import { debuglog } from "node:util";
import v8 from "node:v8";
import { findBundle, loadFrom } from "@openledger/foundation/load-source";

/** V8's own, times four. V8 12, which Node 22 has, counts calls instead and has no such flag. */
const INTERRUPT_BUDGET = 4 * 132 * 1024;
/**
 * Flags of V8 for a process that soon ends: a function is optimised once it has run many bytes of code. An eighth of all that a
 * start of the devnet computes was the optimiser, for functions that were soon done. Empty where the running Node has no such flag.
 */
export const OPTIMISE_LATER =
  Number.parseInt(process.versions.v8, 10) < 12 ? [`--interrupt-budget=${INTERRUPT_BUDGET}`] : [];

/**
 * Runs a main module in this process. Where sources have changed, the bundle is made again first: for all that start
 * after it, too.
 * @param main the module's file URL
 */
export async function start(main) {
  for (const flag of OPTIMISE_LATER) v8.setFlagsFromString(flag);
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
