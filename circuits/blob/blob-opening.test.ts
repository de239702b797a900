import { describe, expect, test } from "vitest";
import {
  type BatchData,
  batchElements,
  decodeWire,
  encodeWire,
  type SlotRecord,
} from "../batch/batch-data.ts";
import { KIND } from "../protocol.ts";
import { decodeBlob, encodeBlob, evaluateBlob, versionedHashOf } from "./blob-bytes.ts";
import { blobElements, recordsOfBlob } from "./blob-elements.ts";
import { readOpening, stateBatch } from "./blob-opening.ts";
import { isOpening } from "./kzg-cells.ts";

const record = (kind: number, words: readonly bigint[], fields: Partial<SlotRecord> = {}): SlotRecord => ({
  kind,
  a: 3,
  b: 5,
  amountCode: 77n,
  isValid: false,
  words,
  ...fields,
});
const l1 = { domain: 1n, oldRoot: 2n, batchNumber: 9n, firstOpIndex: 4n, oldNextId: 6, idFeeWei: 10n ** 18n };
const NULL = record(KIND.null, [], { a: 0, b: 0, amountCode: 0n });
const table = { members: 2, rows: 4, units: 2, low: 2, top: 1, isBlob: true };
const batch: BatchData = {
  ...l1,
  newRoot: 8n,
  timestamp: 1_000n,
  newNextId: 7,
  feeAccountId: 1,
  feePerUnitWei: 3n,
  signedCount: 3,
  shape: { narrow: 6, wide: 2, table },
  narrow: [
    record(KIND.transfer, []),
    record(KIND.transfer, [], { a: 9 }),
    NULL,
    NULL,
    record(KIND.payInference, [123n]),
  ],
  wide: [record(KIND.withdraw, [11n, 12n])],
};
const CIRCUIT_ID = 99n;
const C = 55n;

describe("a batch whose narrow slots stand in a blob", () => {
  test("is read back from its posted bytes and its blob", async () => {
    const { statement, versionedHash, wire } = await stateBatch(batch, CIRCUIT_ID, C);
    const head = decodeWire(wire, batch.shape, l1);
    expect(head).toEqual({ ...batch, narrow: [] });
    const elements = decodeBlob(encodeBlob(blobElements(batch)));
    expect({ ...head, narrow: recordsOfBlob(elements, batch.shape) }).toEqual(batch);
    // L1 reads the same elements without the narrow slots.
    expect(batchElements(head)).toEqual(batchElements(batch));
    const opening = readOpening(wire);
    expect(versionedHashOf(opening.commitment)).toBe(versionedHash);
    expect(opening.y).toBe(evaluateBlob(elements, statement.z));
    expect(statement).toMatchObject({
      blobLow: opening.y & ((1n << 128n) - 1n),
      blobHigh: opening.y >> 128n,
    });
    expect(await isOpening(opening.commitment, statement.z, opening)).toBe(true);
  });

  test("has exactly 128 bytes behind its words", async () => {
    const wire = encodeWire(batch, new Uint8Array(128));
    const error = { code: "CIR_WIRE_MALFORMED" };
    expect(() => decodeWire(wire.subarray(0, -1), batch.shape, l1)).toThrow(expect.objectContaining(error));
    expect(() => decodeWire(Uint8Array.of(...wire, 0), batch.shape, l1)).toThrow(
      expect.objectContaining(error),
    );
    expect(() => readOpening(wire.subarray(0, 127))).toThrow(expect.objectContaining(error));
    expect(() => encodeWire(batch)).toThrow(RangeError);
    const inCalldata = { ...batch, shape: { ...batch.shape, table: { ...table, isBlob: false } } };
    expect(() => encodeWire(inCalldata, new Uint8Array(128))).toThrow(RangeError);
  });

  test("posts no pair", () => {
    const pairCountAt = 32 + 5 + 4 + 3 + 8 + 2 + 2;
    const wire = encodeWire(batch, new Uint8Array(128));
    wire[pairCountAt + 1] = 1;
    const withPair = Uint8Array.of(...wire.subarray(0, 63), ...new Uint8Array(23), ...wire.subarray(63));
    expect(() => decodeWire(withPair, batch.shape, l1)).toThrow(
      expect.objectContaining({ code: "CIR_WIRE_MALFORMED" }),
    );
  });
});
