/** Words for what a Safe's transaction does, read from its bytes alone. */

import { unpackClaim } from "@openledger/circuits/batch/epoch-operations";
import { queuedAmountOf } from "@openledger/circuits/ledger/moved-amounts";
import { PAYEE_ROLE } from "@openledger/circuits/ledger/rewards";
import { KIND, type KindName, WITHDRAW_ALL_WEI } from "@openledger/circuits/protocol";
import type { SafeCall } from "@openledger/client/safe/safe-call";
import { hex32 } from "@openledger/foundation/hex";
import type { ComponentChildren } from "preact";
import { getAddress, numberToHex } from "viem";
import { Identifier } from "../design/identifier.tsx";
import { leafOf, showKind } from "../explorer/records.tsx";
import { showCount } from "../words/format.ts";
import { Open } from "../words/open.tsx";

type Entry = Extract<SafeCall, { kind: "operation" }>["entry"];
type Fact = readonly [string, ComponentChildren];

const kindOf = ({ kind }: Entry): KindName =>
  (Object.entries(KIND).find(([, value]) => value === kind)?.[0] ?? "null") as KindName;

/** Name of a call, as a title. */
export const callTitle = (call: SafeCall): string =>
  call.kind === "allowance"
    ? "Let the rollup take its fees"
    : showKind(kindOf(call.entry)).replace(/, forced$/, "");

const addressOf = (word: bigint | undefined, label: string) => (
  <Identifier value={getAddress(numberToHex((word ?? 0n) % 2n ** 160n, { size: 20 }))} label={label} />
);
const elementOf = (word: bigint | undefined, label: string) => (
  <Identifier value={hex32(word ?? 0n)} label={label} />
);

/** Facts of a call. */
export function callFacts(call: SafeCall): readonly Fact[] {
  if (call.kind === "allowance") return [["At most", <Open key="at-most" wei={call.amountWei} />]];
  const { entry, maxFeeWei } = call;
  const { a = 0, amountWei = 0n, b = 0 } = entry;
  const kind = kindOf(entry);
  const sides = { kind, a, b, amountCode: 0n, words: [] };
  const facts: Fact[] = [];
  if (entry.kind !== KIND.forcedCloseEpoch) facts.push(["Of", leafOf(sides, "a")]);
  if (entry.b !== undefined && leafOf(sides, "b") !== "–") facts.push(["To", leafOf(sides, "b")]);
  const wei = queuedAmountOf({ kind, amountWei });
  if (wei !== null) facts.push(["Amount", <Open key="amount" wei={wei} />]);
  else if (amountWei === WITHDRAW_ALL_WEI) facts.push(["Amount", "all it has then"]);
  return [...facts, ...wordsOf(entry), ["Fee", <Fee key="fee" wei={maxFeeWei} />]];
}

const Fee = ({ wei }: { wei: bigint }) => (
  <>
    at most <Open wei={wei} />, burned
  </>
);

function wordsOf({ amountWei = 0n, kind, word1, word2, word3, word4 }: Entry): readonly Fact[] {
  switch (kind) {
    case KIND.forcedSetKey:
      return [["New key", word1 === 0n ? "none" : elementOf(word1, "the new key")]];
    case KIND.forcedSetOwner:
      return [["New owner", addressOf(word1, "the new owner")]];
    case KIND.forcedWithdraw:
      return [["Recipient", addressOf(word1, "the recipient")]];
    case KIND.forcedTransfer:
      return [["Its owner", addressOf(word1, "the recipient's owner")]];
    case KIND.forcedPayInference:
      return [
        ["Its owner", addressOf(word1, "the model's owner")],
        ["Receipt", elementOf(word2, "the receipt")],
      ];
    case KIND.forcedApproveModel:
      return [
        ["Its owner", addressOf(word1, "the model's owner")],
        ["Hash of its statics", elementOf(word2, "the statics")],
      ];
    case KIND.forcedClaimRewards: {
      const { payeeIndex, role } = unpackClaim(word1 ?? 0n);
      const [name = "payee"] = Object.entries(PAYEE_ROLE).find(([, value]) => value === role) ?? [];
      return [["As", `${name} of row ${showCount(payeeIndex)} of its payee table`]];
    }
    case KIND.forcedCommitData:
      return [
        ["Rows", showCount(amountWei)],
        ["Root of the rows", elementOf(word2, "the rows' root")],
      ];
    case KIND.forcedPublishVersion:
      return [
        ["Rows", showCount(amountWei)],
        ["Root of the rows", elementOf(word1, "the rows' root")],
        ["Commitment to the owners", elementOf(word2, "the commitment")],
        ["Root of the payees", elementOf(word3, "the payees' root")],
        ["Hash of the card", elementOf(word4, "the card")],
      ];
    default:
      return [];
  }
}
