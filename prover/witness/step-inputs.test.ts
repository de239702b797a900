/** Test of the inputs of compiled witness steps. */
import { FIELD_ORDER } from "@openledger/circuits/protocol";
import { expect, it } from "vitest";
import { flattenInputs } from "./step-inputs.ts";

const layout = [{ name: "a", firstWire: 1, count: 1 }];
const bytesOf = (a: bigint) =>
  Buffer.from(flattenInputs([{ a }], layout)!)
    .reverse()
    .toString("hex");

it("writes values of the field, -1 as r - 1, and none outside it", () => {
  expect(BigInt(`0x${bytesOf(5n)}`)).toBe(5n);
  expect(BigInt(`0x${bytesOf(-1n)}`)).toBe(FIELD_ORDER - 1n);
  for (const beyond of [FIELD_ORDER, FIELD_ORDER + 5n, -FIELD_ORDER, 1n << 256n])
    expect(() => bytesOf(beyond), `${beyond}`).toThrow(
      expect.objectContaining({ code: "CIR_INPUT_MISMATCH", data: { reason: "range" } }),
    );
});
