import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildPackage } from "../packing/build-package.ts";
import { bundleClient, PAYING } from "../packing/bundled-client.ts";

/** The client package, built as `npm run package` does: gzip of a bundle that deposits, transfers and reads; its exports. */
export async function benchPackage() {
  const folder = mkdtempSync(join(tmpdir(), "bench-package-"));
  try {
    buildPackage("client", folder);
    const alone = await bundleClient(folder, PAYING);
    const withViem = await bundleClient(folder, PAYING, true);
    const { exports } = await bundleClient(folder, null);
    return { gzipKb: alone.gzipKb, withViemKb: withViem.gzipKb, exports: exports.length };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
