/**
 * Comparison of a batch as a server shows it with the data that Ethereum holds, field by field: one step of the batch page's
 * check.
 */
import type { BatchData, SlotRecord } from "@openledger/circuits/batch/batch-data";
import { KIND, kindRule } from "@openledger/circuits/protocol";
import type { LedgerBatch, LedgerRecord } from "@openledger/client/sequencer/sequencer-schemas";
import { hex } from "./check-steps.ts";

interface ShownDifference {
  readonly what: string;
  readonly shown: string;
  readonly onL1: string;
}

/** The first thing in which a batch as a server tells it is not the batch on Ethereum; null if there is none. */
export function firstDifference(shown: LedgerBatch, onL1: BatchData): ShownDifference | null {
  const header: [string, bigint | null | undefined, bigint][] = [
    ["the root before", shown.oldRoot, onL1.oldRoot],
    ["the root after", shown.newRoot, onL1.newRoot],
    ["the fee of a unit", shown.feePerUnitWei, onL1.feePerUnitWei],
  ];
  for (const [what, here, there] of header)
    if (here != null && here !== there) return { what, shown: hex(here), onL1: hex(there) };
  const records = shown.records ?? [];
  // Empty slots may stand between the sections of a leaf table.
  const posted = [...onL1.narrow, ...onL1.wide].filter(({ kind }) => kind !== KIND.null);
  if (records.length !== posted.length)
    return {
      what: "the number of operations",
      shown: String(records.length),
      onL1: String(posted.length),
    };
  for (const [i, record] of records.entries()) {
    const difference = recordDifference(record, posted[i]!);
    if (difference !== null) return { ...difference, what: `operation ${i + 1}, its ${difference.what}` };
  }
  return null;
}

function recordDifference(shown: LedgerRecord, onL1: SlotRecord): ShownDifference | null {
  const parts: [string, string, string][] = [
    ["kind", shown.kind, kindRule(onL1.kind)?.name ?? String(onL1.kind)],
    ["first entry", String(shown.a), String(onL1.a)],
    ["second entry", String(shown.b), String(onL1.b)],
    ["amount", String(shown.amountCode), String(onL1.amountCode)],
    ["validity", String(shown.isValid), String(onL1.isValid)],
    ["words", shown.words.map(hex).join(" "), onL1.words.map(hex).join(" ")],
  ];
  const found = parts.find(([, here, there]) => here !== there);
  return found === undefined ? null : { what: found[0], shown: found[1], onL1: found[2] };
}
