import { execFileSync } from "node:child_process";
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
  // What is committed or staged: `npm install` may rewrite the file of the work tree by the settings of its machine.
  const staged = execFileSync("git", ["show", `:${path}`], { cwd: repositoryRoot, maxBuffer: 2 ** 25 });
  const lock = JSON.parse(staged.toString()) as { packages: Record<string, Locked> };
  // A bundled package comes in its bundle's bytes, which have a hash; a link is a folder of ours.
  const fetched = Object.entries(lock.packages).filter(
    ([key, one]) => key.includes("node_modules/") && !one.inBundle && !one.link,
  );
  expect(fetched.length).toBeGreaterThan(minPackages);
  // npm's own order: in another one the next `npm install` would rewrite the file.
  const keys = Object.keys(lock.packages);
  expect(keys).toEqual(keys.toSorted((a, b) => a.localeCompare(b, "en")));
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
