/**
 * Words that are small numbers only after a shift. A check of a limit that is made of a scaled or packed value lets field
 * elements through which the first value above the limit does not show (field-aliases.ts). So every word of every kind is
 * set to such elements, and the circuit's verdict and effect are compared with the model's.
 */
import { beforeAll, describe, expect, it } from "vitest";
import { initPoseidon } from "../../field/poseidon.ts";
import { KIND, KIND_RULES, kindRule } from "../../protocol.ts";
import { fieldAliases, shiftedDown } from "../../testing/forgeries/field-aliases.ts";
import { APPROVAL_WORD, COVERAGE, NO_AMOUNT, ROWS } from "../../testing/forgeries/forced-forgery-parts.ts";
import {
  BALANCE,
  inputsFor,
  loadForgeryTester,
  newRootIn,
  tester,
  WEI,
} from "../../testing/forgeries/forgery-check.ts";
import { HONEST, honest, nameOf, OPENING, World } from "../../testing/forgeries/forgery-world.ts";
import { type LawlessOperation, lawfulForm } from "../../testing/forgeries/lawless-slot.ts";
import { expectRefusedBy } from "../../testing/forgeries/refusal-check.ts";
import { creditFees } from "../batch.ts";
import { executeSlot } from "../slot.ts";

await initPoseidon();
beforeAll(loadForgeryTester);

/**
 * Limit of a word that must be below 2^bits: the powers of two that some packing multiplies it with, and the
 * statement that refuses.
 */
interface Limit {
  readonly bits: number;
  readonly shifts: readonly number[];
  readonly at: readonly string[];
}
const ADDRESS: Limit = {
  bits: 160,
  shifts: [],
  at: ["(isCreate + isWithdraw) * (words[0] - digits160) === 0;"],
};
const LIMITS: Record<number, Record<number, Limit>> = {
  [KIND.createAccount]: { 0: ADDRESS },
  [KIND.createDatanet]: { 0: ADDRESS },
  // A price at 2^74 of the counters, a split at 2^96 of the word.
  [KIND.createModel]: {
    0: ADDRESS,
    6: { bits: 128, shifts: [74, 96], at: [WEI, "isCreateModel * (split - split32) === 0;"] },
  },
  [KIND.withdraw]: { 0: ADDRESS, 1: { bits: 96, shifts: [64], at: [WEI, BALANCE.wide] } },
  // N: at 2^56 of a binding; a check of 2^64 · N was its only one.
  [KIND.publishVersion]: {
    3: { bits: 32, shifts: [56, 64], at: ["isPublish * (words[3] - split32) === 0;"] },
  },
  [KIND.claimRewards]: {
    0: {
      bits: 13,
      shifts: [12],
      at: ["isClaimRewards * (word - payeeIndex - (1 << 12) * bits[12]) === 0;"],
    },
  },
  ...Object.fromEntries(
    KIND_RULES.filter((rule) => rule.isQueue).map(({ kind }) => [
      kind,
      { 0: { bits: 96, shifts: [64], at: [WEI, NO_AMOUNT, COVERAGE, ROWS, APPROVAL_WORD] } },
    ]),
  ),
};
/** Changes to words without a range check. The model decides whether the changed word is valid. */
const ANY = [-1n, -(2n ** 96n), 2n ** 160n, 2n ** 253n, 3n]
  .map((x) => shiftedDown(x, 0))
  .concat([32, 64, 96].map((bits) => shiftedDown(1n, bits)));

/** The root after the operation by the model; null if it refuses. */
function rootByModel(operation: LawlessOperation): bigint | null {
  const { ledger } = new World();
  try {
    const { feeWei } = executeSlot(ledger, lawfulForm(ledger, operation), OPENING);
    creditFees(ledger, OPENING.feeAccountId, feeWei);
    return ledger.root;
  } catch {
    return null;
  }
}

async function rootByCircuit(operation: LawlessOperation): Promise<bigint | null> {
  const inputs = inputsFor(new World(), "wide", operation);
  const witness = await tester.calculateWitness(inputs).catch(() => null);
  return witness === null ? null : newRootIn(tester, witness);
}

const kinds = Object.keys(HONEST).map(Number);
describe("field aliases", () => {
  it.each(kinds.map((kind) => [nameOf(kind), kind] as const))("of %s's words", async (name, kind) => {
    const words = honest(kind).words ?? [];
    for (let position = 0; position < words.length; position++) {
      const forged = (alias: bigint) => honest(kind, { words: words.with(position, alias) });
      const limit = LIMITS[kind]?.[position];
      for (const alias of limit === undefined ? [] : fieldAliases(limit.bits, limit.shifts)) {
        const message = `${name} wide, an alias of word ${position}`;
        const inputs = inputsFor(new World(), "wide", forged(alias));
        await expectRefusedBy(tester, inputs, limit!.at, message);
        // L1 lets no such word into its queue, so the model need not refuse it.
        if (!kindRule(kind)!.isQueue) expect(rootByModel(forged(alias)), `${message}: ${alias}`).toBeNull();
      }
      for (const alias of limit === undefined ? ANY : []) {
        const root = await rootByCircuit(forged(alias));
        const message = `${name}, word ${position} = ${alias}: the circuit's root is not the model's`;
        // The circuit may take less of a queue entry that L1 lets nobody make.
        if (!kindRule(kind)!.isQueue || root !== null) expect(root, message).toBe(rootByModel(forged(alias)));
      }
    }
  });
});
