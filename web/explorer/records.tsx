/**
 * Words of operations for all tables of the explorer: names of kinds, leaves on both sides. Words of an
 * operation are field elements.
 */
import { amountOf } from "@openledger/circuits/ledger/moved-amounts";
import { KIND, type KindName, kindRule } from "@openledger/circuits/protocol";
import type { LedgerRecord } from "@openledger/client/sequencer/sequencer-schemas";
import type { ComponentChildren } from "preact";
import { Badge } from "../design/badge.tsx";
import { type Column, DataTable } from "../design/data-table.tsx";
import { Identifier } from "../design/identifier.tsx";
import { LeafLink } from "../words/links.tsx";
import { Open } from "../words/open.tsx";

const NAMES: Readonly<Record<KindName, string>> = {
  null: "Nothing",
  transfer: "Transfer",
  commitData: "Commit data",
  payInference: "Pay for an answer",
  createAccount: "Create an account",
  createDatanet: "Create a Datanet",
  createModel: "Create a model",
  withdraw: "Withdraw",
  publishVersion: "Publish a version",
  approveModel: "Approve a model",
  revokeModel: "Revoke a model",
  setKey: "Change the key",
  closeEpoch: "Close an epoch",
  settle: "Settle an epoch",
  claimRewards: "Claim rewards",
  activation: "Activate a model",
  depositNew: "Deposit into a new account",
  depositTo: "Deposit",
  forcedWithdraw: "Withdraw, forced",
  forcedSetKey: "Change the key, forced",
  forcedSetOwner: "Change the owner, forced",
  forcedClaimRewards: "Claim rewards, forced",
  forcedTransfer: "Transfer, forced",
  forcedCloseEpoch: "Close an epoch, forced",
  forcedPayInference: "Pay for an answer, forced",
  forcedRevokeModel: "Revoke a model, forced",
  forcedApproveModel: "Approve a model, forced",
  forcedCommitData: "Commit rows, forced",
  forcedPublishVersion: "Publish a version, forced",
};

/** Name of a kind of operation. */
export function showKind(kind: string): string {
  return NAMES[kind as KindName] ?? kind;
}

type Operation = Pick<LedgerRecord, "kind" | "a" | "b" | "amountCode" | "words">;

/** Link to the leaf on one side of an operation; "–" where the kind has none. */
export function leafOf(operation: Pick<Operation, "kind" | "a" | "b">, side: "a" | "b"): ComponentChildren {
  const rule = kindRule(KIND[operation.kind as KindName]);
  const isUsed = side === "a" ? rule?.usesA : rule?.usesB && !rule.isCreate;
  return isUsed ? <LeafLink id={operation[side]} /> : "–";
}

/** Words of an operation, in hex. */
export function Words({ words }: { words: readonly bigint[] }) {
  if (words.length === 0) return <>–</>;
  return (
    <span class="row">
      {words.map((word, i) => (
        <Identifier key={`${i}-${word}`} value={`0x${word.toString(16)}`} label={`word ${i}`} />
      ))}
    </span>
  );
}

const COLUMNS: readonly Column<LedgerRecord>[] = [
  { label: "Slot", cell: ({ slot }) => slot },
  {
    label: "Operation",
    cell: ({ kind, isValid }) => (
      <span class="row">
        {showKind(kind)}
        {kindRule(KIND[kind as KindName])?.isQueue === true && !isValid && (
          <Badge tone="bad">without effect</Badge>
        )}
      </span>
    ),
  },
  { label: "From", cell: (record) => leafOf(record, "a") },
  { label: "To", cell: (record) => leafOf(record, "b") },
  {
    label: "OPEN",
    isNumber: true,
    cell: (record) => {
      const wei = amountOf(record);
      return wei === null ? "–" : <Open wei={wei} isBare />;
    },
  },
  { label: "Words", cell: ({ words }) => <Words words={words} /> },
];

/** Table of a batch's operations. */
export function Records({ records }: { records: readonly LedgerRecord[] }) {
  return (
    <DataTable
      caption="Operations of the batch"
      columns={COLUMNS}
      rows={records}
      keyOf={({ slot }) => slot}
      empty="The batch has no operations."
    />
  );
}
