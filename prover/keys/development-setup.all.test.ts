/** Keys of the least and of larger circuits; development-keys.all.test.ts has the sizes where the domain doubles. */
import { rm } from "node:fs/promises";
import { afterAll, beforeAll, test } from "vitest";
import { expectKey, expectVerificationKey } from "../testing/development-key.fixtures.ts";
import { makeScratchFolder } from "../testing/sample-circuit.fixtures.ts";

let folder: string;
beforeAll(async () => {
  folder = await makeScratchFolder();
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
  await (globalThis as { curve_bn128?: { terminate(): Promise<void> } }).curve_bn128?.terminate();
});

test.each([
  { squareCount: 1, domainSize: 8 },
  { squareCount: 600, domainSize: 1024 },
])("makes a key for $squareCount squares whose proofs snarkjs accepts", ({ squareCount, domainSize }) =>
  expectKey(folder, squareCount, domainSize),
);

test.each([1, 600])("a verification key alone is the whole key's, and is kept: %i squares", (squareCount) =>
  expectVerificationKey(folder, squareCount),
);
