/** Requires that all that the client package installs is under MIT, or in the public domain. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { packageManifest } from "./build-package.ts";

interface Locked {
  readonly license?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
}
/** Licences that ask for a notice at most. */
const FREE = new Set(["MIT", "CC0-1.0"]);
const lockfile = fileURLToPath(new URL("../../package-lock.json", import.meta.url));
const { packages } = JSON.parse(readFileSync(lockfile, "utf8")) as { packages: Record<string, Locked> };

/** Returns the lockfile's path of a package that the one at `from` imports, found as Node finds it. */
function pathOf(name: string, from: string): string {
  for (let at = from; ; at = at.slice(0, Math.max(0, at.lastIndexOf("node_modules/") - 1))) {
    const path = `${at}${at === "" ? "" : "/"}node_modules/${name}`;
    if (path in packages) return path;
    if (at === "") throw new Error(`${name}, which ${from} imports, is not in the lockfile`);
  }
}

it("what npm installs with the client, and its peer, is all under MIT, or in the public domain: docs/adr/0001-licence-of-the-client.md", () => {
  const { dependencies, peerDependencies } = packageManifest("client");
  const positions = new Set(
    Object.keys({ ...dependencies, ...peerDependencies }).map((name) => pathOf(name, "")),
  );
  for (const path of positions)
    for (const name of Object.keys(packages[path]!.dependencies ?? {})) positions.add(pathOf(name, path));
  expect(positions.size).toBeGreaterThan(15);
  const others = [...positions].filter((path) => !FREE.has(packages[path]!.license ?? ""));
  expect(others).toEqual([]);
  expect(packages["node_modules/circomlib"]!.license).toBe("GPL-3.0");
});
