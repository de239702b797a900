/**
 * Reads pre-verified settlements from L1's events: settlements whose proof the contract has checked before a batch takes them
 * (docs/reference/settlement.md, "Pre-verified settlements"). The bridge hands them to the sequencer; readers of L1 find their
 * proofs by it. The event holds all of it: the posted data, C and the proof, so that nobody has to read the transaction's
 * input.
 */

import { type ContractProof, imaginaryFirst } from "@openledger/circuits/wire/groth16-proof";
import type { Hex } from "viem";
import { bridgeError } from "../../bridge-errors.ts";
import type { L1Client } from "../l1-client.ts";
import { type RollupLog, readRollupLogs } from "../log-reader.ts";
import type { SubmittedSettlement } from "./submitted-part.ts";

export type PreVerifiedLog = RollupLog & { eventName: "SettlementPreVerified" };
type PreVerifiedTakenLog = RollupLog & { eventName: "PreVerifiedSettlementTaken" };

/** An entry of a settlement as it was pre-verified. */
export interface PreVerifiedEntry {
  readonly circuitIndex: number;
  readonly commitment: bigint;
  /** Posted form. */
  readonly data: Hex;
  readonly proof: ContractProof;
}

/** A settlement as it was pre-verified; its own circuit, C, data and proof are those of its first entry. */
export interface PreVerifiedSettlement extends PreVerifiedEntry {
  readonly modelId: number;
  /** J: the word of the record that it waits for. */
  readonly word: bigint;
  /** Further entries; empty for a settlement of one shard. */
  readonly further: readonly PreVerifiedEntry[];
}

export const preVerifiedOf = ({ args }: PreVerifiedLog): PreVerifiedSettlement => {
  const [first, ...further] = args.entries.map(({ circuit: circuitIndex, commitment, data }, i) => {
    const { b, ...proof } = args.proofs[i]!;
    return { circuitIndex, commitment, data, proof: { ...proof, b: imaginaryFirst(...b) } };
  });
  // L1 takes no settlement without entries.
  return { modelId: Number(args.modelId), word: args.word, ...first!, further };
};

/**
 * Reads the settlement that a record of a batch took. @throws BRG_HISTORY_UNREADABLE where its block has no such event;
 * BRG_L1_*
 */
export async function readPreVerifiedSettlement(
  client: L1Client,
  taken: PreVerifiedTakenLog,
): Promise<SubmittedSettlement> {
  const { address } = taken;
  const { modelId, preVerifiedAtBlock, word } = taken.args;
  const block = { fromBlock: preVerifiedAtBlock, toBlock: preVerifiedAtBlock, maxChunkBlocks: 1 };
  for await (const { logs } of readRollupLogs({ client, address, ...block })) {
    const found = logs.find(
      (log): log is PreVerifiedLog =>
        log.eventName === "SettlementPreVerified" && log.args.modelId === modelId && log.args.word === word,
    );
    if (found === undefined) continue;
    const { modelId: _id, word: _word, ...preVerified } = preVerifiedOf(found);
    return { ...preVerified, preVerifiedAtBlock: Number(preVerifiedAtBlock) };
  }
  throw bridgeError(
    "BRG_HISTORY_UNREADABLE",
    `block ${preVerifiedAtBlock} has no pre-verified settlement of model ${modelId}, and batch ${taken.args.batchNumber} took it`,
    { data: { batchNumber: Number(taken.args.batchNumber), modelId: Number(modelId) } },
  );
}
