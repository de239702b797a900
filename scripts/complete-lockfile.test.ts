import { readFileSync } from "node:fs";
import { repositoryRoot } from "@openledger/circuits/compiler/compile";
import { expect, it } from "vitest";

interface Locked {
  readonly integrity?: string;
  readonly inBundle?: boolean;
  readonly link?: boolean;
  readonly optional?: boolean;
  readonly os?: readonly string[];
}

it("has npm ci install no package whose bytes the lockfile does not fix", () => {
  const lock = JSON.parse(readFileSync(`${repositoryRoot}/package-lock.json`, "utf8")) as {
    packages: Record<string, Locked>;
  };
  // A bundled package comes in its bundle's bytes, which have a hash; a link is a folder of ours.
  const fetched = Object.entries(lock.packages).filter(
    ([key, one]) => key.includes("node_modules/") && !one.inBundle && !one.link,
  );
  expect(fetched.length).toBeGreaterThan(500);
  const isFor = ({ optional, os }: Locked) => optional !== true || os?.join() !== "none";
  const free = fetched.filter(([, one]) => isFor(one) && !/^sha512-[\w+/]{86}==$/.test(one.integrity ?? ""));
  expect(free.map(([key]) => key)).toEqual([]);
});
