/** Makes a row's certificate from what the ledger, L1 and the model's owner publish (verifier/certificates). */
import { sha256 } from "@noble/hashes/sha2.js";
import { answeringFiles } from "@openledger/attribution/model/answering-hash";
import type { ModelParts } from "@openledger/attribution/model/model-family";
import type { PublishedModel } from "@openledger/attribution/model/model-files";
import type { OwnedRow } from "@openledger/attribution/model/owned-rows";
import { type RecipeVersion, versionsOf } from "@openledger/attribution/model/recipe-fields";
import { createPatientL1Client } from "@openledger/bridge/l1/l1-client";
import { RollupContract } from "@openledger/bridge/l1/rollup-contract";
import { hashDatanetBody } from "@openledger/circuits/ledger/leaf";
import { hashRow } from "@openledger/circuits/ledger/version-rows";
import { clientError } from "@openledger/client/client-errors";
import type { LedgerClient } from "@openledger/client/ledger-client";
import { getLeaf } from "@openledger/client/sequencer/ledger-reads";
import { getProvenLeaf } from "@openledger/client/sequencer/proven-leaf";
import { findBatchBlock } from "@openledger/verifier/certificates/certificate-on-l1";
import { makeCertificate } from "@openledger/verifier/certificates/make-certificate";
import { certifiedLeaf, replayVersion } from "@openledger/verifier/certificates/replayed-version";
import type { CertifiedVersion } from "@openledger/verifier/certificates/row-certificate";
import type { Openings } from "./model-openings.ts";
import { settledFeatures, settledModelOf } from "./prepare-settlement.ts";
import type { VerifiedSettlement } from "./verify-settlement.ts";

export interface PublishedRow {
  readonly row: number;
  readonly model: Pick<PublishedModel, "features" | "columns" | "answeringHash"> & ModelParts;
  readonly openings: Openings;
  /** All rows of the model's versions, in their order. */
  readonly rows: readonly OwnedRow[];
  /** More draws than fit are left out, those that paid the row least first; one is always there. */
  readonly maxBytes?: number;
}

export type CertifyRowErrorCode = "CLI_UNKNOWN" | "CLI_LEAF_UNPROVEN" | `BRG_${string}`;

/**
 * @internal
 * The certificate of what a row earned, as bytes. `verified` has passed `verifySettlement`.
 * @throws CLI_UNKNOWN where there is no such row, or it earned nothing (`data.reason`); CLI_LEAF_UNPROVEN, BRG_*
 */
export async function certifyRow(
  client: LedgerClient,
  { leaf, payments, sampled, settlement }: VerifiedSettlement,
  { model, openings, row, rows, ...size }: PublishedRow,
): Promise<Uint8Array> {
  const unknown = (reason: string, message: string, remedy: string) =>
    clientError("CLI_UNKNOWN", message, { data: { reason, row, rowCount: rows.length }, remedy });
  const content = rows[row]?.content;
  if (content === undefined)
    throw unknown("no-such-row", `the version has no row ${row}`, `name a row from 0 to ${rows.length - 1}`);
  const { chain, closingBatch, epoch } = sampled.data;
  const settled = {
    model: settledModelOf(leaf),
    closed: { chain, closingBatch, epoch, amountWei: payments.at(-1)!.cumulativeWei },
    features: settledFeatures(model),
    openingOf: (i: number) => openings.get(payments[i]!.receipt),
  };
  const named = versionsOf(model.recipe)[rows[row]!.datanet ?? 0]!;
  const { parameters, queryMap, recipe } = answeringFiles(model);
  const certificate = makeCertificate(settled, sampled, {
    row,
    recipe: { bytes: recipe, otherDigests: [sha256(parameters), sha256(queryMap)] },
    digest: sha256(content),
    rows: rows.map((one) => ({ ...one, rowHash: hashRow(one.content) })),
    version: await versionOf(client, named, Number(closingBatch)),
    batchNumber: settlement.batchNumber,
    ...size,
  });
  if (certificate !== null) return certificate;
  const { epoch: settledEpoch, modelId } = settlement;
  throw unknown(
    "nothing-earned",
    `row ${row} earned nothing in epoch ${settledEpoch} of model ${modelId}`,
    `certify a row that earned; openledger rewards why ${modelId} ${settledEpoch} lists them, with the draws that paid them`,
  );
}

/** The Datanet's leaf as the sequencer has posted it; a version that is no longer the newest is found on L1. */
async function versionOf(
  client: LedgerClient,
  { id, version }: RecipeVersion,
  closingBatch: number,
): Promise<CertifiedVersion> {
  const rollup = new RollupContract({
    client: createPatientL1Client({ rpcUrl: client.chain.rpcUrls.default.http[0]! }),
    address: client.rollupAddress,
  });
  const [{ datanet }, proven] = await Promise.all([getLeaf(client, id), getProvenLeaf(client, id)]);
  if (proven !== null && datanet != null) {
    const { batchNumber, leaf, path } = proven;
    const big = { publishedAt: BigInt(datanet.publishedAt), policy: datanet.policy };
    const body = { ...datanet, ...big, version: BigInt(version), rowCount: BigInt(datanet.rowCount) };
    if (hashDatanetBody(body) === leaf.body) {
      const { blockNumber: from } = await rollup.closedAt(closingBatch);
      const block = await findBatchBlock(rollup, batchNumber, BigInt(from));
      if (block !== null)
        return { ...big, batchNumber, path, leaf: certifiedLeaf(leaf), blockNumber: Number(block) };
    }
  }
  return replayVersion(rollup, { datanetId: id, version });
}
