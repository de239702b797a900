/** What somebody has who begins with the npm package: a folder of his own, and in it what npm installs. */
import { execFile, execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { buildPackage } from "../packing/build-package.ts";
import { startLocalRegistry } from "./local-registry.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

export interface InstalledPackage {
  readonly folder: string;
  remove(): void;
}

/** Packs the tarball and installs it with viem, which it names as a peer. Everything else comes with it. */
export async function installPackage(): Promise<InstalledPackage> {
  const folder = mkdtempSync(join(tmpdir(), "openledger-client-"));
  const registry = await startLocalRegistry(root);
  try {
    const { name, version } = buildPackage(join(folder, "content"));
    execFileSync("npm", ["pack", join(folder, "content"), "--pack-destination", folder, "--silent"]);
    rmSync(join(folder, "content"), { recursive: true });
    writeFileSync(join(folder, "package.json"), '{ "private": true, "type": "module" }\n');
    const flags = [
      "--registry",
      registry.url,
      "--cache",
      join(folder, ".npm"),
      "--ignore-scripts",
      "--no-audit",
    ];
    await promisify(execFile)("npm", ["install", `./${name}-${version}.tgz`, "viem", ...flags], {
      cwd: folder,
    });
    return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
  } finally {
    registry.close();
  }
}
