import { blobWithProof, cellProofsOf } from "@openledger/circuits/blob/blob-sidecar";
import { expect, test } from "vitest";
import { openNativeKzg } from "./native-kzg.ts";

// Elsewhere npm may have no package, and JavaScript makes the proofs.
test.runIf(`${process.platform}-${process.arch}` === "linux-x64")(
  "the compiled engine makes the bytes that JavaScript's makes",
  async () => {
    const native = (await openNativeKzg())!;
    const elements = Array.from({ length: 100 }, (_, i) => BigInt(i) ** 30n);
    const one = native.blob(elements);
    expect(one).toEqual(await blobWithProof(elements));
    expect(native.cells(one.blob)).toEqual(await cellProofsOf(one.blob));
    expect(native.blob([]), "the point at infinity").toEqual(await blobWithProof([]));
    expect(() => native.blob([-1n])).toThrow(expect.objectContaining({ code: "CIR_BLOB_MALFORMED" }));
  },
  60_000,
);
