/**
 * Recomputation of a settlement for `verify settlement` and `rewards why`: the model's files from a folder or server, everything
 * else from L1 and the sequencer.
 */
import type { PublishedModel } from "@openledger/attribution/model/model-files";
import type { LedgerClient } from "@openledger/client/ledger-client";
import type { Openings } from "@openledger/models/settling/model-openings";
import { type VerifiedSettlement, verifySettlement } from "@openledger/models/settling/verify-settlement";
import type { Output } from "../../cli/output.ts";
import { openSettlementContext } from "../../cli/settlement-context.ts";
import type { CircuitOptions } from "../../cli/settlement-options.ts";
import { type PublishedOptions, publishedAt } from "../models/model-settle-direct.ts";

export interface CheckOptions extends PublishedOptions, Pick<CircuitOptions, "circuits"> {
  readonly keys?: string;
  /** Proofs are verified with the keys that L1 has registered; default: with keys made from the circuits' sources. */
  readonly hasKeysOfL1?: boolean;
}

/** Computes a settlement again from what is published and compares it with L1; its proof is verified. */
export async function checkSettlement(
  client: LedgerClient,
  expected: { modelId: number; epoch: number },
  options: CheckOptions,
  output: Output,
): Promise<VerifiedSettlement & { readonly model: PublishedModel; readonly openings: Openings }> {
  const onProgress = (text: string) => output.progress(text);
  const { circuits } = await openSettlementContext(options);
  const { model, openings } = await publishedAt(expected.modelId, expected.epoch, options, onProgress);
  onProgress("computing scores and totals again");
  const [{ deriveKey }, { verifierKey }] = await Promise.all([
    import("@openledger/verifier/circuits/derive-circuits"),
    import("@openledger/verifier/replay/verify-keys"),
  ]);
  const verified = await verifySettlement(client, expected, {
    model,
    openings,
    circuits,
    keyOf: async (circuit) =>
      options.hasKeysOfL1 === true
        ? verifierKey(circuit)
        : deriveKey(circuit, { keysFolder: options.keys ?? "keys", onProgress }),
  });
  return { ...verified, model, openings };
}
