import { readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { repositoryRoot } from "@openledger/circuits/compiler/compile";
import { listedFiles } from "@openledger/foundation/testing/listed-files";
import { expect, it } from "vitest";
import { PACKAGES } from "./packing/packages.ts";

const SOURCE = /\.(?:ts|tsx|js)$/;
const WORKSPACES =
  /^(?:foundation|circuits|prover|contracts|attribution|datanets|bridge|verifier|client|models|gateway|sequencer|web|scripts)\//;
/** Tests and what they need; tools of this repository's developers; what programs write. */
const NOT_PRODUCT =
  /\.(?:all\.)?test\.tsx?$|\.fixtures\.ts$|\.d\.ts$|(?:^|\/)testing\/|^scripts\/(?:bench|bundle|errors|extras|fuzz|packing|pages|prebuild|prebuilt|refusals|settings|test)[./]|\/(?:build|prebuilt|node_modules)\//;
/** Files that npm, a shell, a page or a person starts: their paths stand in manifests, in HTML, or in how-tos. */
const STARTED =
  /(?:^|\/)(?:single-file-)?main\.tsx?$|^web\/[a-z]+\/[a-z]+-worker\.ts$|^circuits\/batch\/wide\/wide-kinds\.ts$|^scripts\/(?:openledger\.[jt]s|start\.js|after-install\.js|complete-lockfile\.js|trim-install\.js|count-lines\.ts|package\.ts|biome\.ts)$|\/build\.js$/;

it("has no product file that tests alone import", () => {
  const files = new Set(listedFiles());
  const product = [...files].filter(
    (path) => SOURCE.test(path) && WORKSPACES.test(path) && !NOT_PRODUCT.test(path),
  );
  expect(product.length).toBeGreaterThan(1_500);
  const named = new Set<string>();
  // The devnet of `npm start` is a program of the product, though it stands beside the tests of whole rollups.
  const readers = [
    ...product,
    ...[...files].filter((path) => /^(?:e2e|examples)\/.*\.ts$/.test(path) && !/\.test\.ts$/.test(path)),
  ];
  for (const path of readers) {
    const text = readFileSync(join(repositoryRoot, path), "utf8");
    for (const [, target] of text.matchAll(/["'`]((?:\.{1,2}|@openledger)\/[^"'`\s]+)["'`]/g)) {
      const base = target!.startsWith(".")
        ? normalize(join(dirname(path), target!))
        : target!.slice("@openledger/".length);
      for (const end of ["", ".ts", ".tsx", ".js"])
        if (files.has(base + end) && base + end !== path) named.add(base + end);
    }
  }
  const entries = Object.values(PACKAGES).flatMap((one) => Object.values(one.entries));
  const isOffered = (path: string) =>
    entries.some(({ files, rooms }) =>
      [...files, ...rooms].some((one) => one === path || one === dirname(path)),
    );
  const isNamed = (path: string) =>
    isOffered(path) ||
    named.has(path) ||
    named.has(path.replace(/\.browser\.ts$/, ".ts")) ||
    STARTED.test(path);
  expect(product.filter((path) => !isNamed(path))).toEqual([]);
});
