import { blobWithProof, cellProofsOf } from "@openledger/circuits/blob/blob-sidecar";
import { isWhole } from "@openledger/foundation/testing/test-random";
import { sha256, stringToBytes } from "viem";
import { expect, test } from "vitest";
import { openNativeKzg } from "./native-kzg.ts";

/** Hash of the proofs that JavaScript makes of the blob's cells in three seconds; the whole run makes them. */
const CELLS = "0xf27d7898f4c56f73b56fc78b85f5a4086a3b26bc931cb95e0aef40b6f7d0af59";

// Elsewhere npm may have no package, and JavaScript makes the proofs.
test.runIf(`${process.platform}-${process.arch}` === "linux-x64")(
  "the compiled engine makes the bytes that JavaScript's makes",
  async () => {
    const native = (await openNativeKzg())!;
    const elements = Array.from({ length: 100 }, (_, i) => BigInt(i) ** 30n);
    const one = native.blob(elements);
    expect(one).toEqual(await blobWithProof(elements));
    const cells = native.cells(one.blob);
    expect(sha256(stringToBytes(cells.join()))).toBe(CELLS);
    if (isWhole) expect(cells).toEqual(await cellProofsOf(one.blob));
    expect(native.blob([]), "the point at infinity").toEqual(await blobWithProof([]));
    expect(() => native.blob([-1n])).toThrow(expect.objectContaining({ code: "CIR_BLOB_MALFORMED" }));
  },
  60_000,
);
