import { test } from "vitest";
import { expectKey, expectSameKeys, expectVerificationKey } from "../testing/development-key.fixtures.ts";
import { scratchFolder } from "../testing/sample-circuit.fixtures.ts";

const folder = await scratchFolder();

test.each([
  { squareCount: 1, domainSize: 8 },
  { squareCount: 600, domainSize: 1024 },
])("makes a key for $squareCount squares whose proofs snarkjs accepts", ({ squareCount, domainSize }) =>
  expectKey(folder, squareCount, domainSize),
);

test.each([1, 600])("a verification key alone is the whole key's, and is kept: %i squares", (squareCount) =>
  expectVerificationKey(folder, squareCount),
);

test("the native addon and WebAssembly make the same key", () => expectSameKeys(folder, 600));
