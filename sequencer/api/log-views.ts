/**
 * JSON of the log's entries for full nodes (docs/reference/api.md, `GET /v1/log`): everything that makes the ledger, in order.
 */

import { leafReference } from "@openledger/circuits/ledger/operation";
import { KIND, kindRule } from "@openledger/circuits/protocol";
import { toHexSignature } from "@openledger/circuits/wire/hex-signature";
import { encodeOperation } from "@openledger/circuits/wire/operation-body";
import type { Preconfirmation } from "@openledger/circuits/wire/sequencer-preconfirmation";
import { hex32 } from "@openledger/foundation/hex";
import type { LogEntry, OperationEntry, SettlementEntry } from "../store/log-entry.ts";
import { postingJson } from "../store/settlement-posting.ts";
import type { LedgerHost } from "./api-options.ts";

/** @returns null where the entry's batch is gone by now, because it is being made again */
export async function entryView(host: LedgerHost, sequence: number, entry: LogEntry): Promise<object | null> {
  switch (entry.type) {
    case "opened":
      return {
        sequence,
        ...entry,
        timestamp: Number(entry.timestamp),
        feePerUnitWei: entry.feePerUnitWei.toString(),
      };
    case "operation":
      return operationEntryView(host, sequence, entry, await host.preconfirmationOf(entry));
    case "queue":
      return {
        sequence,
        type: entry.type,
        batchNumber: entry.batchNumber,
        queueIndex: entry.operation.queueIndex,
      };
    case "settlement":
      return settlementEntryView(sequence, entry);
    case "closed": {
      const batch = await host.pipeline.batch(entry.batchNumber);
      if (batch === undefined) return null;
      const { batchHash, circuit, position } = batch;
      return { sequence, ...entry, circuit, batchHash, newRoot: hex32(position.root) };
    }
    default:
      return entry satisfies never;
  }
}

function operationEntryView(
  host: LedgerHost,
  sequence: number,
  entry: OperationEntry,
  preconfirmation: Preconfirmation | null,
) {
  const { acknowledgedAtMs, batchNumber, deadlineSeconds, hash, operation, opIndex } = entry;
  const unsigned = { operationHash: hash, opIndex, deadlineSeconds, signature: null };
  const rule = kindRule(operation.kind)!;
  const b = rule.usesB && !rule.isCreate ? host.pipeline.head.ledger.leaf(operation.b)?.leaf : undefined;
  return {
    sequence,
    type: entry.type,
    batchNumber,
    acknowledgedAtMs,
    preconfirmation: preconfirmation ?? unsigned,
    operation: encodeOperation(operation),
    // B's present reference: after a change of its owner it differs from the signed one.
    bRef: hex32(b === undefined ? 0n : leafReference(b)),
  };
}

function settlementEntryView(sequence: number, entry: SettlementEntry) {
  const { acknowledgedAtMs, batchNumber, epoch, hash, operation, posting } = entry;
  const { signature } = operation;
  return {
    sequence,
    type: entry.type,
    batchNumber,
    acknowledgedAtMs,
    epoch,
    kind: operation.kind === KIND.activation ? "activation" : "settle",
    modelId: operation.modelId,
    settlementHash: hash,
    ...postingJson(posting),
    signature: signature === null ? null : toHexSignature(signature),
  };
}
