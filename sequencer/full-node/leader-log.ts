/**
 * Client of another sequencer's log (docs/reference/api.md, `GET /v1/log`), which a full node follows. Nothing
 * in it is believed before it is checked.
 */
import { operationBody } from "@openledger/circuits/wire/operation-json";
import { loggedPreconfirmation } from "@openledger/circuits/wire/sequencer-answers";
import { element, hash, signature, wei } from "@openledger/circuits/wire/wire-fields";
import { askSequencer } from "@openledger/foundation/wire/sequencer-request";
import type { PreconfirmationEvidence } from "@openledger/verifier/evidence/preconfirmation-evidence";
import type { Address } from "viem";
import { z } from "zod";
import { signedKind } from "../api/api-schemas.ts";
import { entryFields, furtherEntries } from "../api/settlement-schemas.ts";
import { sequencerError } from "../sequencer-errors.ts";

const count = z.int().nonnegative();
const common = { sequence: count, batchNumber: count };

const entrySchema = z.discriminatedUnion("type", [
  z.object({
    ...common,
    type: z.literal("opened"),
    timestamp: count.transform(BigInt),
    feePerUnitWei: wei,
    feeAccountId: count,
    openedAtMs: count,
  }),
  z.object({
    ...common,
    type: z.literal("operation"),
    acknowledgedAtMs: count,
    operation: operationBody.transform((body) => ({ ...body, kind: signedKind(body.kind) })),
    bRef: element,
    preconfirmation: loggedPreconfirmation,
  }),
  z.object({ ...common, type: z.literal("queue"), queueIndex: count }),
  z.object({
    ...common,
    type: z.literal("settlement"),
    acknowledgedAtMs: count,
    epoch: count,
    kind: z.enum(["settle", "activation"]),
    modelId: count,
    settlementHash: element,
    ...entryFields,
    further: furtherEntries,
    signature: signature.nullable(),
  }),
  z.object({
    ...common,
    type: z.literal("closed"),
    /** Name of the batch's circuit; older sequencers always use the first one, and omit it. */
    circuit: z.string().max(100).optional(),
    batchHash: hash,
    newRoot: element,
  }),
]);
export type LeaderEntry = z.output<typeof entrySchema>;
export type LeaderOperation = Extract<LeaderEntry, { type: "operation" }>;
export type LeaderSettlement = Extract<LeaderEntry, { type: "settlement" }>;

const pageSchema = z.object({
  chainId: count,
  rollupAddress: z
    .string()
    .regex(/^0x[0-9a-fA-F]{40}$/)
    .transform((text) => text as Address),
  finalBatch: count,
  base: z.object({ batchNumber: count, root: element, batchHash: hash.nullish() }).nullable(),
  entries: z.array(entrySchema),
  nextSequence: count,
});
export type LeaderPage = z.output<typeof pageSchema>;

const REQUEST_TIMEOUT_MS = 20_000;
/** Entries of a page. */
const PAGE_SIZE = 500;
/** A sequence behind every log: its page has no entries. */
const NO_SEQUENCE = 9_999_999_999;

/** @throws SEQ_LEADER_UNREACHABLE; SEQ_LEADER_REFUSED with the leader's own code; SEQ_LEADER_UNREADABLE */
export async function readLeaderLog(
  url: string,
  from: { readonly sequence: number } | { readonly afterBatch: number },
): Promise<LeaderPage> {
  const position = "sequence" in from ? `from=${from.sequence}` : `afterBatch=${from.afterBatch}`;
  const endpoint = { sequencerUrl: url, timeoutMs: REQUEST_TIMEOUT_MS };
  const path = `/v1/log?${position}&limit=${PAGE_SIZE}`;
  const { failure, value } = await askSequencer(endpoint, { path }, pageSchema);
  if (failure === null) return value;
  const { cause, error, kind, reason, status } = failure;
  if (kind === "unreachable")
    throw sequencerError("SEQ_LEADER_UNREACHABLE", `${url} did not answer`, { data: { url }, cause });
  if (kind === "unreadable") throw sequencerError("SEQ_LEADER_UNREADABLE", reason, { data: { url }, cause });
  throw sequencerError("SEQ_LEADER_REFUSED", `${url} answered ${status}`, {
    data: { url, status, code: error?.code ?? null },
  });
}

/** Evidence of a page's operation with its preconfirmation, as in a preconfirmation file; null where nothing is signed. */
export function evidenceOf(
  { operation, preconfirmation }: Pick<LeaderOperation, "operation" | "preconfirmation">,
  rollup: { chainId: number; rollupAddress: Address },
  bRef: bigint,
): PreconfirmationEvidence | null {
  const { chainId, rollupAddress } = rollup;
  const { signature, ...facts } = preconfirmation;
  if (signature === null) return null;
  return { chainId, rollupAddress, preconfirmation: { ...facts, signature }, opening: { operation, bRef } };
}

/** Preconfirmations of all operations in the leader's log behind its last final batch. @throws SEQ_LEADER_* */
export async function readPreconfirmations(url: string): Promise<PreconfirmationEvidence[]> {
  const { finalBatch } = await readLeaderLog(url, { sequence: NO_SEQUENCE });
  const evidences: PreconfirmationEvidence[] = [];
  let page = await readLeaderLog(url, { afterBatch: finalBatch });
  for (;;) {
    for (const entry of page.entries) {
      const evidence = entry.type === "operation" ? evidenceOf(entry, page, entry.bRef) : null;
      if (evidence !== null) evidences.push(evidence);
    }
    if (page.entries.length < PAGE_SIZE) return evidences;
    page = await readLeaderLog(url, { sequence: page.nextSequence });
  }
}
