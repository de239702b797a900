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
function placeOf(name: string, from: string): string {
  for (let at = from; ; at = at.slice(0, Math.max(0, at.lastIndexOf("node_modules/") - 1))) {
    const place = `${at}${at === "" ? "" : "/"}node_modules/${name}`;
    if (place in packages) return place;
    if (at === "") throw new Error(`${name}, which ${from} imports, is not in the lockfile`);
  }
}

it("what npm installs with the client, and its peer, is all under MIT, or in the public domain: docs/adr/0001-licence-of-the-client.md", () => {
  const { dependencies, peerDependencies } = packageManifest("client");
  const places = new Set(
    Object.keys({ ...dependencies, ...peerDependencies }).map((name) => placeOf(name, "")),
  );
  for (const place of places)
    for (const name of Object.keys(packages[place]!.dependencies ?? {})) places.add(placeOf(name, place));
  expect(places.size).toBeGreaterThan(15);
  const others = [...places].filter((place) => !FREE.has(packages[place]!.license ?? ""));
  expect(others).toEqual([]);
  expect(packages["node_modules/circomlib"]!.license).toBe("GPL-3.0");
});
