/** docs/reference/l1-format.md names the contract's events and functions as its ABI has them. */
import { readFileSync } from "node:fs";
import { rollupAbi } from "@openledger/contracts/build/rollup-abi";
import {
  type AbiEvent,
  type AbiFunction,
  type AbiParameter,
  toEventSelector,
  toFunctionSelector,
  toFunctionSignature,
} from "viem";
import { describe, expect, test } from "vitest";

const page = readFileSync(new URL("../../docs/reference/l1-format.md", import.meta.url), "utf8");

/**
 * Type of a parameter. A tuple's type is its fields in brackets; an array of tuples ends as the array does.
 */
const typeOf = (input: AbiParameter): string =>
  "components" in input
    ? `(${input.components.map((part) => `${typeOf(part)} ${part.name}`).join(", ")})${input.type.slice("tuple".length)}`
    : input.type;

describe("docs/reference/l1-format.md", () => {
  const unfolded = page.replaceAll(/\n {2}(?=\S)/g, " ");
  const rows = [...unfolded.matchAll(/^- (0x[0-9a-f]+): `([^`]+)`$/gm)].map(
    ([, selector, text]) => [selector, text] as const,
  );

  test("has every event of the contract, with its topic and fields", () => {
    const events = rollupAbi.filter((item): item is AbiEvent & typeof item => item.type === "event");
    const expected = events.map((event) => {
      const inputs: readonly { type: string; name?: string; indexed?: boolean }[] = event.inputs;
      const fields = inputs.map(
        (input) => `${typeOf(input)}${input.indexed ? " indexed" : ""} ${input.name}`,
      );
      return [toEventSelector(event), `${event.name}(${fields.join(", ")})`];
    });
    expect(rows.filter(([selector]) => selector!.length === 66).sort()).toEqual(expected.sort());
  });

  test("has the selectors of the functions that it names", () => {
    const functions = rows.filter(([selector]) => selector!.length === 10);
    expect(functions.length).toBe(8);
    for (const [selector, text] of functions) {
      const named = rollupAbi.find(
        (item) => item.type === "function" && toFunctionSelector(item) === selector,
      );
      expect(named && toFunctionSignature(named as AbiFunction), selector).toBe(text);
    }
  });
});
