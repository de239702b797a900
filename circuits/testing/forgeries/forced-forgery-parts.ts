/** Test support: forgeries that every forced kind with a leaf B must refuse, and the statements that refuse them. */

import type { Leaf } from "../../ledger/leaf.ts";
import type { SignedOperation } from "../../ledger/operation.ts";
import { claimedPath } from "../../ledger/rewards.ts";
import { KIND } from "../../protocol.ts";
import {
  AUTHORISATION,
  type ForgeryOfKind,
  type Inputs,
  LEAF,
  LEAF_FIELD,
  PATH,
  setInput,
  setScratch,
} from "./forgery-check.ts";
import { type Build, HONEST, honest, World } from "./forgery-world.ts";
import { lawfulForm } from "./lawless-slot.ts";

export const PAYEE_LEAF = "NodeRead8: bits[2] * (at1[1] - at1[0]) === child - at1[0];";
const MISSING_A = "isMissingA * a[i] === 0;";
const MISSING_B = "isEmptyB * b[i] === 0;";
export const CLOSING_TIME =
  "isForcedCloseEpoch * (word1 - epochStart - EPOCH_SECONDS() + (1 << 40) - waited41) === 0;";
export const COVERAGE =
  "(isForcedWithdraw + isForcedTransfer + isForcedPay) * (balanceA - wantedWei + (1 << 96) - digits97) === 0;";

export const SURPLUS = "isForcedPay * (wantedWei - price + (1 << 96) - surplus97) === 0;";
export const ROWS = "opensDatanetB * (countersB + words[0] - rows41) === 0;";
export const NO_AMOUNT = "isForcedClaimRewards * words[0] === 0;";
export const APPROVAL_WORD = "isForcedApprove * (words[0] - rest39 - (1 << 39) * queued40) === 0;";

type Tamper = (inputs: Inputs) => void;
export const withWord = (
  kind: number,
  position: number,
  value: bigint,
  changes = {},
): ReturnType<typeof honest> =>
  honest(kind, { words: HONEST[kind]!.words!.with(position, value), ...changes });
export const opened =
  (name: "wideA" | "wideB", field: number, value: bigint): Tamper =>
  (inputs) =>
    setInput(inputs, name, [0, field], value);
/** The digits of who has the role in the payee. */
export const shownMember =
  (id: number): Tamper =>
  (inputs) => {
    for (let i = 0; i < 24; i++) setInput(inputs, "wideAmountBits", [0, i], (BigInt(id) >> BigInt(i)) & 1n);
  };
/** The witness of a forced claim that opens no payee. */
export const opensNoPayee: Tamper = (inputs) => {
  for (const name of ["wideAccruedChildren", "wideClaimedChildren"])
    (inputs as Record<string, unknown>)[name] = [claimedPath([], 0)];
  setScratch(inputs, 0n);
};
/** Forgery that declares leaf A or B missing, and opens nothing. */
const asMissing =
  (side: "a" | "b", isCleared: boolean): Tamper =>
  (inputs) => {
    setInput(inputs, "wideIsMissing", [0, side === "a" ? 0 : 1], 1n);
    if (!isCleared) return;
    const name = side === "a" ? "wideA" : "wideB";
    for (let field = 0; field < 9; field++) setInput(inputs, name, [0, field], 0n);
  };

/**
 * Forgeries that all entries of these kinds must refuse: an executable entry called invalid, a change to
 * another's leaf, a signed entry.
 */
export function common(kind: number): ForgeryOfKind[] {
  const leafFields = [
    "nonce",
    "l1Owner",
    "keyX",
    "balance",
    "chain",
    "openAmount",
    "counters",
    "body",
  ] as const;
  const changed = (side: "effectA" | "effectB", field: (typeof leafFields)[number]): Build => {
    const effect = (leaf: Leaf) => ({ ...leaf, [field]: leaf[field] + 1n });
    return () => honest(kind, { [side]: effect });
  };
  return [
    { rule: "called invalid", forged: () => honest(kind, { isValid: false }), at: PATH },
    {
      rule: "called invalid, with a wrong sibling of B",
      forged: () => honest(kind, { isValid: false }),
      tamper: (inputs) => setInput(inputs, "wideChildrenB", [0, 1, 7], 5n),
      at: PATH,
    },
    {
      rule: "called invalid, B said to be missing",
      forged: () => honest(kind, { isValid: false }),
      tamper: asMissing("b", false),
      at: MISSING_B,
    },
    ...leafFields.flatMap((field) => [
      { rule: `another ${field} of A`, forged: changed("effectA", field), at: PATH },
      { rule: `another ${field} of B`, forged: changed("effectB", field), at: PATH },
    ]),
    ...[4, 5, 6].map((position) => ({
      rule: `word ${position}`,
      tamper: (inputs: Inputs) => setInput(inputs, "wideWords", [0, position], 1n),
      at: "words[j] * (1 - hasWord[j]) === 0;",
    })),
    {
      rule: "another's signature",
      tamper: (inputs) => {
        const { ledger } = new World();
        const { signature } = lawfulForm(ledger, honest(KIND.transfer)) as SignedOperation;
        for (const [i, value] of [signature.r8x, signature.s].entries())
          setInput(inputs, "wideRest", [0, 2 + i], value);
      },
      at: AUTHORISATION,
    },
  ];
}

/** Forgeries of the kinds whose A is the sender's. */
export function ofOwner(kind: number): ForgeryOfKind[] {
  const invalid = () => honest(kind, { isValid: false });
  const ofStranger = () => withWord(kind, 3, 0xbadn, { isValid: true });
  return [
    {
      rule: "called invalid, A opened with another owner",
      forged: invalid,
      tamper: opened("wideA", LEAF_FIELD.l1Owner, 0xbadn),
      at: LEAF,
    },
    {
      rule: "called invalid, A said to be missing",
      forged: invalid,
      tamper: asMissing("a", false),
      at: MISSING_A,
    },
    { rule: "another sender, executed", forged: ofStranger, at: PATH },
    {
      rule: "another sender, A opened as his",
      forged: ofStranger,
      tamper: opened("wideA", LEAF_FIELD.l1Owner, 0xbadn),
      at: LEAF,
    },
  ];
}
