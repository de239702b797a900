/**
 * Cuts a batch circuit's inputs into those of its parts, and predicts the ledger's root before each wide slot (one of an
 * operation that the leaf table cannot hold), so that all start at once. table-witness.ts feeds the parts with it.
 */
import { mismatch } from "../compiler/composed-copies.ts";
import type { CircuitInputs, InputValue } from "../compiler/witness-calculator.ts";
import { permute } from "../field/poseidon-permutation.ts";
import { TAG } from "../protocol.ts";

/** State that one wide slot passes to the next. */
export interface SlotState {
  readonly root: bigint;
  readonly nextId: bigint;
}

/**
 * The i-th place's own inputs and those that it shares with the whole batch; its state is the caller's.
 * @param count places of the section
 * @throws RollupError CIR_INPUT_MISMATCH if an array has another number of slots
 */
export function slotInputs(
  inputs: CircuitInputs,
  section: string,
  index: number,
  count: number,
  ports: ReadonlySet<string>,
): CircuitInputs {
  const own: CircuitInputs = {};
  for (const [name, value] of Object.entries(inputs)) {
    if (ports.has(name) && name !== "oldRoot") own[name] = value;
    if (!isOfSection(name, section)) continue;
    if (!Array.isArray(value) || value.length !== count)
      throw mismatch(`input ${name} is not an array over ${count} slots`);
    const local = name.slice(section.length);
    own[local[0]!.toLowerCase() + local.slice(1)] = value[index] as InputValue;
  }
  return own;
}

/** Inputs of the frame: all that belong to no slot, and those of the slots for which the frame has ports. */
export function frameInputs(
  inputs: CircuitInputs,
  ports: ReadonlySet<string>,
  sections: readonly string[],
): CircuitInputs {
  const isSlots = (name: string) => sections.some((section) => isOfSection(name, section));
  return Object.fromEntries(Object.entries(inputs).filter(([name]) => !isSlots(name) || ports.has(name)));
}

/**
 * Foresees the state before every wide slot from the witness alone, so that slots need not wait for each
 * other: the root is the hash of the topmost children on A's way, and a slot opens an id if B is empty and
 * not missing. The circuit demands both. Callers compare a foreseen state with the output of the slot before.
 */
export function foreseeStates(inputs: CircuitInputs, count: number): SlotState[] {
  const row = (name: string, index: number, at: number): bigint[] => {
    const value = (inputs[name] as InputValue[] | undefined)?.[index];
    const rows = Array.isArray(value) ? value : [];
    const found = rows.length > 0 && Array.isArray(rows[0]) ? (rows.at(at) as InputValue) : rows;
    if (!Array.isArray(found) || found.length === 0) throw mismatch(`input ${name} has no row ${index}`);
    return found.map((element) => BigInt(element as bigint));
  };
  const states: SlotState[] = [];
  let nextId = BigInt((inputs.oldNextId ?? 0n) as bigint);
  for (let i = 0; i < count; i++) {
    states.push({ root: permute([TAG.node, ...row("wideChildrenA", i, -1)])[0]!, nextId });
    if (row("wideB", i, 0)[0] === 0n && row("wideIsMissing", i, 0)[1] === 0n) nextId += 1n;
  }
  return states;
}

/** A batch without slots of a section has their arrays, without an element; the circuit has no such signals. */
export const withoutEmpty = (inputs: CircuitInputs): CircuitInputs =>
  Object.fromEntries(
    Object.entries(inputs).filter(([, value]) => !(Array.isArray(value) && value.length === 0)),
  );

export function toBigInt(value: InputValue | undefined): bigint {
  if (value === undefined || typeof value === "object") throw mismatch("oldRoot or oldNextId is missing");
  return BigInt(value as bigint);
}

const isOfSection = (name: string, section: string) =>
  name.startsWith(section) && /^[A-Z]/.test(name.slice(section.length));
