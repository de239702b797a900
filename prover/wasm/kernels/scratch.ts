import type { FieldKernel } from "@openledger/circuits/wasm/field-kernel";
import { type Code, i32, scratchAddress } from "@openledger/foundation/wasm/assembler";

/** What each instance needs for itself. It begins with what the inversion uses, see field-division.ts. */
export const scratchBytes = 4096;
/** Room for operands of products, see coordinates.ts. */
export const operandsAt = 1024;
/** Pins are in the scratch's second half, at multiples of 16. */
const lastPinAt = scratchBytes - 16;
const pinsMask = scratchBytes / 2 - 16;

/**
 * Moves a kernel's pins against an address that changes from step to step. A processor takes a store for one to any
 * address with the same lowest 12 bits: pins at one place made all reads of the word of the stack wait that lay there by
 * chance, and one process of twelve took half as long again for its additions, or more.
 */
export function movePins(kernel: FieldKernel, address: Code): void {
  kernel.pinAt(i32.sub(i32.add(scratchAddress, i32.const(lastPinAt)), i32.and(address, i32.const(pinsMask))));
}
