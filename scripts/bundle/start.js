import { debuglog } from "node:util";
import { findBundle, loadFrom } from "@openledger/foundation/load-source";

/**
 * Runs a main module in this process. Where sources have changed, the bundle is made again first: for all that start
 * after it, too.
 * @param main the module's file URL
 */
export async function start(main) {
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
