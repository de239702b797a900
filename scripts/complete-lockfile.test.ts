import { readFileSync } from "node:fs";
import { join } from "node:path";
import { repositoryRoot } from "@openledger/circuits/compiler/compile";
import { expect, it } from "vitest";

interface Locked {
  readonly name?: string;
  readonly version?: string;
  readonly resolved?: string;
  readonly integrity?: string;
  readonly inBundle?: boolean;
  readonly link?: boolean;
  readonly optional?: boolean;
  readonly os?: readonly string[];
}

it.each([
  { path: "package-lock.json", minPackages: 400 },
  { path: "scripts/extras/package-lock.json", minPackages: 80 },
])("has npm ci install no package whose bytes $path does not fix", ({ path, minPackages }) => {
  const lock = JSON.parse(readFileSync(join(repositoryRoot, path), "utf8")) as {
    packages: Record<string, Locked>;
  };
  // A bundled package comes in its bundle's bytes, which have a hash; a link is a folder of ours.
  const fetched = Object.entries(lock.packages).filter(
    ([key, one]) => key.includes("node_modules/") && !one.inBundle && !one.link,
  );
  expect(fetched.length).toBeGreaterThan(minPackages);
  const addressless = fetched.filter(
    ([key, { name = key.split("node_modules/").at(-1)!, version, resolved }]) => {
      const file = `${name.split("/").at(-1)}-${version}.tgz`;
      return resolved !== `https://registry.invalid/${name}/-/${file}`;
    },
  );
  expect(
    addressless.map(([key]) => key),
    "node scripts/complete-lockfile.js",
  ).toEqual([]);
  const isFor = ({ optional, os }: Locked) => optional !== true || os?.join() !== "none";
  const free = fetched.filter(([, one]) => isFor(one) && !/^sha512-[\w+/]{86}==$/.test(one.integrity ?? ""));
  expect(free.map(([key]) => key)).toEqual([]);
});
