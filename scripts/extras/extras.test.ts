/** Requires that the packages of tests are no part of an installation, and are the versions that the workspaces name. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { repositoryRoot } from "@openledger/circuits/compiler/compile";
import { expect, it } from "vitest";

type Versions = Readonly<Record<string, string>>;
interface Manifest {
  readonly workspaces?: readonly string[];
  readonly dependencies?: Versions;
  readonly peerDependencies?: Versions;
  readonly peerDependenciesMeta?: Readonly<Record<string, { readonly optional?: boolean }>>;
}

const read = <T>(path: string) => JSON.parse(readFileSync(join(repositoryRoot, path), "utf8")) as T;
const root = read<Manifest>("package.json");
const manifests = [root, ...root.workspaces!.map((name) => read<Manifest>(`${name}/package.json`))];
const extras = read<Manifest>("scripts/extras/package.json").dependencies!;

it("has each package of tests in the version that every workspace names, as an optional peer", () => {
  const named: Record<string, string> = {};
  for (const { peerDependencies = {}, peerDependenciesMeta } of manifests)
    for (const [name, version] of Object.entries(peerDependencies)) {
      expect(peerDependenciesMeta?.[name]?.optional, name).toBe(true);
      expect(extras[name], name).toBe(version);
      named[name] = version;
    }
  // The clients take zod's schemas, so zod is here again.
  const { zod, ...own } = extras;
  expect(own).toEqual(named);
  const users = manifests.flatMap(({ dependencies }) => dependencies?.zod ?? []);
  expect(new Set(users)).toEqual(new Set([zod]));
});

it("keeps the packages of tests out of what npm ci installs", () => {
  const { packages } = read<{ packages: object }>("package-lock.json");
  const { zod: _, ...own } = extras;
  expect(Object.keys(own).filter((name) => `node_modules/${name}` in packages)).toEqual([]);
});
