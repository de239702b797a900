import { bls12_381 } from "@noble/curves/bls12-381.js";
import { bytesToHex, hexToBytes } from "viem";
import { describe, expect, test } from "vitest";
import { BLOB_FIELD_ORDER, versionedHashOf } from "./blob-bytes.ts";
import { commitBlob, openBlob } from "./kzg.ts";
import { cellProofs, isOpening } from "./kzg-cells.ts";

/** A few coefficients. The contracts' tests check a full blob on a node. */
const coefficients = [3n, 0n, BLOB_FIELD_ORDER - 1n, 1n << 184n, 7n];

describe("KZG over Ethereum's setup", () => {
  test("a constant's commitment is that multiple of the generator, and its openings are the point at infinity", async () => {
    const generator = bls12_381.G1.Point.BASE;
    expect(await commitBlob([5n])).toEqual(generator.multiply(5n).toBytes(true));
    expect(bytesToHex(await commitBlob([]))).toBe(`0xc0${"00".repeat(47)}`);
    const { proof, y } = await openBlob([5n], 9n);
    expect(y).toBe(5n);
    expect(proof).toEqual(await commitBlob([]));
  });

  test("an opening holds at its point and its value alone", async () => {
    const z = 123_456_789n;
    const commitment = await commitBlob(coefficients);
    const opening = await openBlob(coefficients, z);
    const value = coefficients.reduceRight((sum, d) => (sum * z + d) % BLOB_FIELD_ORDER, 0n);
    expect(opening.y).toBe(value);
    expect(await isOpening(commitment, z, opening)).toBe(true);
    expect(await isOpening(commitment, z + 1n, opening)).toBe(false);
    expect(await isOpening(commitment, z, { ...opening, y: opening.y + 1n })).toBe(false);
    expect(await isOpening(commitment, z, { ...opening, y: opening.y + BLOB_FIELD_ORDER })).toBe(false);
  });

  test("every cell of a constant blob has the point at infinity as its proof", async () => {
    // EIP-7594: a cell's proof commits to the quotient by the cell's vanishing polynomial, and a constant's quotient is 0.
    const constant = `${"00".repeat(31)}05`;
    const proofs = await cellProofs(hexToBytes(`0x${constant.repeat(4_096)}`));
    expect(proofs.map((proof) => bytesToHex(proof))).toEqual(Array(128).fill(`0xc0${"00".repeat(47)}`));
  });

  test("a versioned hash starts with 1", async () => {
    // EIP-4844: of the point at infinity, the blob of zeros.
    expect(versionedHashOf(await commitBlob([]))).toBe(
      "0x010657f37554c781402a22917dee2f75def7ab966d7b770905398eba3c444014",
    );
  });

  test("refuses what no blob holds", async () => {
    await expect(commitBlob([BLOB_FIELD_ORDER])).rejects.toMatchObject({ code: "CIR_BLOB_MALFORMED" });
    await expect(openBlob(Array(4_097).fill(1n), 1n)).rejects.toMatchObject({ code: "CIR_BLOB_MALFORMED" });
  });
});
