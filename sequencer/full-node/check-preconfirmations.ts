/** Checks signed preconfirmations of files and feeds against L1. `openledger verify preconfirmations` calls it. */

import type { BlobSource } from "@openledger/bridge/blobs/blob-source";
import { createPatientL1Client } from "@openledger/bridge/l1/l1-client";
import { RollupContract } from "@openledger/bridge/l1/rollup-contract";
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { type Outcome, outcomeOf } from "@openledger/verifier/evidence/check-report";
import {
  checkPreconfirmations,
  type PreconfirmationCheck,
} from "@openledger/verifier/evidence/preconfirmation-check";
import type { PreconfirmationEvidence } from "@openledger/verifier/evidence/preconfirmation-evidence";
import type { Address } from "viem";
import { readPreconfirmations } from "./leader-log.ts";

export interface CheckOptions {
  readonly rpcUrl: string;
  readonly rollupAddress: Address;
  /** Evidence files of acknowledged operations. */
  readonly evidences: readonly PreconfirmationEvidence[];
  /** Sequencers, or full nodes, whose soft preconfirmations are checked. */
  readonly feedUrls: readonly string[];
  readonly fromBlock?: bigint | undefined;
  /** Source of the blobs of its batches; absent: blobs are not read. */
  readonly blobs?: BlobSource | undefined;
}

export interface CheckResult extends PreconfirmationCheck {
  readonly outcome: Outcome;
}

/** @throws BRG_PRECONFIRMATION_*, BRG_L1_*, BRG_HISTORY_UNREADABLE; SEQ_LEADER_* for a feed */
export async function checkAgainstL1(options: CheckOptions): Promise<CheckResult> {
  await initPoseidon();
  const { blobs, feedUrls, fromBlock, rollupAddress, rpcUrl } = options;
  const client = createPatientL1Client({ rpcUrl });
  const rollup = new RollupContract({ client, address: rollupAddress, blobs });
  const evidences = [...options.evidences];
  for (const url of feedUrls) evidences.push(...(await readPreconfirmations(url)));
  const check = await checkPreconfirmations(rollup, evidences, { fromBlock });
  return { ...check, outcome: outcomeOf(check.checked) };
}
