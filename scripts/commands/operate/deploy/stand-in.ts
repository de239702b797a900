/**
 * Creation code by which `openledger deploy` estimates the gas of a contract whose constructor calls another that is not
 * deployed yet. One creation makes a stand-in first and then the contract, with the stand-in's address among its arguments: any
 * node can estimate that, also one that takes no state overrides.
 */
import { type Address, concatHex, type Hex, numberToHex, size } from "viem";

/** Stand-in for the address in a contract's arguments. */
export const STAND_IN: Address = "0x00000000000000000000000000000000000570e7";

const word = STAND_IN.slice(2).padStart(64, "0");
const push2 = (value: number): Hex => concatHex(["0x61", numberToHex(value, { size: 2 })]);

/**
 * Creation code that makes both, and fails with the contract's own error. It must have room in EIP-3860's 49,152 bytes.
 * @param data creation code with arguments
 * @param answer of the stand-in, to whatever it is asked
 */
export function withStandIn(data: Hex, answer: bigint): Hex {
  // PUSH32 answer, MSTORE at 0, RETURN 32 bytes.
  const runtime = concatHex(["0x7f", numberToHex(answer, { size: 32 }), "0x60005260206000f3"]);
  // PUSH1 size, DUP1, PUSH1 9, PUSH0, CODECOPY, PUSH0, RETURN.
  const creation = concatHex(["0x60", numberToHex(size(runtime), { size: 1 }), "0x8060095f395ff3", runtime]);
  const sources = sourcesOf(data);
  const assemble = (codeSize: number): Hex => {
    const create = (from: number, bytes: number, stored: readonly number[]): Hex =>
      concatHex([
        // CODECOPY to 0.
        ...([push2(bytes), push2(from), "0x5f39"] as const),
        // DUP1, the stand-in's address; MSTORE.
        ...stored.flatMap((position): Hex[] => ["0x80", push2(position), "0x52"]),
        // CREATE without value.
        ...([push2(bytes), "0x5f5ff0"] as const),
      ]);
    const both = concatHex([
      create(codeSize, size(creation), []),
      create(codeSize + size(creation), size(data), sources),
    ]);
    // JUMPI over: RETURNDATACOPY, REVERT with it. JUMPDEST, STOP.
    const failing: Hex = "0x3d5f5f3e3d5ffd";
    const over = size(both) + size(push2(0)) + 1 + size(failing);
    return concatHex([both, push2(over), "0x57", failing, "0x5b00"]);
  };
  const codeSize = size(assemble(0));
  return concatHex([assemble(codeSize), creation, data]);
}

/** Finds the places at which the stand-in's address is a word of its own, as byte offsets. */
function sourcesOf(data: Hex): number[] {
  const text = data.slice(2);
  const sources: number[] = [];
  for (let at = text.indexOf(word); at >= 0; at = text.indexOf(word, at + 64))
    if (at % 2 === 0) sources.push(at / 2);
  return sources;
}
