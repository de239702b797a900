/**
 * Uses of an account's rows by paid answers, computed in the page from what the models' servers publish. The section "Rows at
 * work" of the earnings page shows them; amounts are in wei.
 */
import { PAYEE_ROLE, roleShareWei } from "@openledger/circuits/ledger/rewards";
import { scoresOf } from "@openledger/circuits/settlement/scores/direct-matrix";
import { drawShares } from "@openledger/circuits/settlement/settlement-split";
import { getOperation } from "@openledger/client/sequencer/ledger-reads";
import {
  type EpochPayments,
  getModel,
  getPayments,
  getSettlement,
  isSettled,
} from "@openledger/client/sequencer/model-reads";
import type { LedgerModelLeaf } from "@openledger/client/sequencer/model-schemas";
import type { SequencerAccess } from "@openledger/client/sequencer/sequencer-request";
import { RecentAnswers } from "@openledger/foundation/recent-answers";
import type { Hex } from "viem";
import { computePayout, fetchPublishedRows, type Published } from "../answer/answer-rows.ts";
import { findServedLocations } from "../ask/served-models.ts";
import type { Site } from "../ledger/site.ts";
import { nameOfPayment } from "../words/links.tsx";
import type { Reward } from "./account-earnings.ts";
import { fetchRowsSaid, type RowSaid } from "./row-texts.ts";

/** A row of the account in an answer that somebody has paid. */
export interface RowUse {
  readonly modelId: number;
  readonly epoch: number;
  /** Place in the version's order. */
  readonly row: number;
  /** null if the model's server publishes no rows, and for rows that are not among the best-paid of the answer. */
  readonly said: RowSaid | null;
  /** Name of the payment, by `nameOfPayment`. */
  readonly payment: string;
  /** null if this server does not know it any more. */
  readonly paidAtMs: number | null;
  /** Part of all roles of the account. An estimate is what the row gets in the mean over the draws. */
  readonly wei: bigint;
  readonly isProven: boolean;
}

/** Earnings of the account's rows in an epoch of a model. */
export interface EpochUses {
  readonly modelId: number;
  readonly epoch: number;
  readonly isProven: boolean;
  /** Sum of all rows: of a settled epoch as the settlement proves it, else of the payments that were read. */
  readonly sumWei: bigint;
  /** Newest first, of an answer the best-paid first; all rows of the payments that were read. */
  readonly uses: readonly RowUse[];
}

export interface RowUses {
  /** The epoch with the newest use first. */
  readonly epochs: readonly EpochUses[];
  /** Models of which no server that this page knows publishes anything. */
  readonly hiddenModels: readonly number[];
}

/** Number of settled epochs read before the newest: older ones are in their settlements. */
const SETTLED_EPOCHS = 3;
/** Maximum payments read of an epoch, the newest. */
const MAX_PAYMENTS = 64;
/** Maximum rows of a payment whose texts are fetched, those that got most. */
const MAX_TEXTS = 20;

/** Uses of an epoch by what they follow from; they change when it does. */
const usesCache = new RecentAnswers<string, EpochUses>({
  maxItems: 20_000,
  sizeOf: ({ uses }) => uses.length,
});

/** @throws CLI_SEQUENCER_…, CLI_UNREACHABLE of a model's server */
export async function readRowUses(site: Site, leafId: number, rewards: readonly Reward[]): Promise<RowUses> {
  const modelIds = [...new Set(rewards.map(({ modelId }) => modelId))];
  if (modelIds.length === 0) return { epochs: [], hiddenModels: [] };
  const { places } = await findServedLocations(site);
  const hiddenModels: number[] = [];
  const epochs: EpochUses[] = [];
  for (const modelId of modelIds) {
    const location = places.find((one) => one.modelId === modelId);
    if (location === undefined) {
      hiddenModels.push(modelId);
      continue;
    }
    const leaf = await getModel(site.sequencer, modelId);
    const newest = leaf.counters.epoch;
    for (let epoch = newest; epoch >= Math.max(1, newest - SETTLED_EPOCHS); epoch--)
      epochs.push(await usesOf(site.sequencer, { epoch, leaf, leafId, serverUrl: location.serverUrl }));
  }
  const newestOf = ({ uses }: EpochUses) => uses[0]?.paidAtMs ?? 0;
  const used = epochs.filter(({ sumWei }) => sumWei > 0n);
  return { epochs: used.sort((a, b) => newestOf(b) - newestOf(a)), hiddenModels };
}

interface Epoch {
  readonly leaf: LedgerModelLeaf;
  readonly leafId: number;
  readonly epoch: number;
  readonly serverUrl: string;
}

async function usesOf(access: SequencerAccess, one: Epoch): Promise<EpochUses> {
  const { epoch, leaf, leafId } = one;
  const payments = await getPayments(access, leaf.id, epoch);
  if (payments.payments.length === 0)
    return { modelId: leaf.id, epoch, isProven: false, sumWei: 0n, uses: [] };
  const settlement = isSettled(leaf, epoch) ? await getSettlement(access, leaf.id, epoch) : null;
  const key = `${leafId} ${leaf.id} ${epoch} ${payments.payments.length} ${settlement !== null}`;
  return usesCache.get(key, () => readUses(access, one, payments, settlement));
}

async function readUses(
  access: SequencerAccess,
  { epoch, leaf, leafId, serverUrl }: Epoch,
  payments: EpochPayments,
  settlement: Awaited<ReturnType<typeof getSettlement>>,
): Promise<EpochUses> {
  const published = await fetchPublishedRows(serverUrl, leaf, epoch);
  const partOf = ownParts(leaf, leafId);
  const found: { place: number; row: number; wei: bigint }[] = [];
  const texts = new Set<number>();
  const locations = payments.payments.map((_, position) => position).slice(-MAX_PAYMENTS);
  for (const place of locations) {
    const all =
      settlement === null
        ? estimated(place, leaf, payments, published)
        : (await computePayout(place, { leaf, payments, settlement }, published)).rows;
    const own = all.flatMap(({ earnedWei, row }) => {
      const wei = partOf(row, earnedWei);
      return wei > 0n ? [{ place, row, wei }] : [];
    });
    const bestFirst = own.sort((a, b) => (a.wei < b.wei ? 1 : a.wei > b.wei ? -1 : a.row - b.row));
    for (const { row } of bestFirst.slice(0, MAX_TEXTS)) texts.add(row);
    found.push(...bestFirst);
  }
  const said = await fetchRowsSaid(serverUrl, texts);
  const times = new Map<number, number | null>();
  for (const location of new Set(found.map((use) => use.place))) {
    const operation = await getOperation(access, payments.payments[location]!.hash as Hex);
    times.set(location, operation?.acknowledgedAtMs ?? null);
  }
  const uses = found.map(({ place, row, wei }) => ({
    modelId: leaf.id,
    epoch,
    row,
    wei,
    said: said.get(row) ?? null,
    payment: nameOfPayment(payments.payments[place]!, leaf.id),
    paidAtMs: times.get(place) ?? null,
    isProven: settlement !== null,
  }));
  const readWei = found.reduce((sum, { wei }) => sum + wei, 0n);
  return {
    modelId: leaf.id,
    epoch,
    isProven: settlement !== null,
    sumWei: settlement === null ? readWei : settledWei(leaf, leafId, settlement.earnedWei ?? []),
    // Stable: the rows of an answer stay together, the best-paid first.
    uses: uses.sort((a, b) => (b.paidAtMs ?? 0) - (a.paidAtMs ?? 0)),
  };
}

/**
 * Sum that a settlement gave an account in all its roles.
 * @param earnedWei of each payee, by the settlement
 */
export function settledWei(
  { model, payees }: Pick<LedgerModelLeaf, "model" | "payees">,
  leafId: number,
  earnedWei: readonly bigint[],
): bigint {
  const validatorParts = BigInt(model.validatorParts);
  return payees.reduce((sum, { contributorId, validatorId }, i) => {
    const earned = earnedWei[i] ?? 0n;
    const roles = [
      ...(contributorId === leafId ? [PAYEE_ROLE.contributor] : []),
      ...(validatorId === leafId ? [PAYEE_ROLE.validator] : []),
    ];
    return roles.reduce((own, role) => own + roleShareWei(earned, role, validatorParts), sum);
  }, 0n);
}

/** Computes the account's part of what a row earned: as contributor, as validator, or both. */
function ownParts({ model, payees }: LedgerModelLeaf, leafId: number) {
  const owners = payees.flatMap((payee) => Array<(typeof payees)[number]>(payee.rowCount).fill(payee));
  const validatorParts = BigInt(model.validatorParts);
  return (row: number, earnedWei: bigint): bigint => {
    const owner = owners[row]!;
    const asContributor = owner.contributorId === leafId ? PAYEE_ROLE.contributor : null;
    const asValidator = owner.validatorId === leafId ? PAYEE_ROLE.validator : null;
    return [asContributor, asValidator].reduce<bigint>(
      (sum, role) => (role === null ? sum : sum + roleShareWei(earnedWei, role, validatorParts)),
      0n,
    );
  };
}

/** Divides the payment's own amount: over many draws that is what it divides in the mean. */
function estimated(
  position: number,
  { model }: LedgerModelLeaf,
  { payments }: EpochPayments,
  published: Published,
) {
  const { amountWei, receipt } = payments[position]!;
  const opening = published.openings.get(receipt);
  if (opening === undefined) return [];
  const scores = scoresOf(published.matrix, opening.query);
  const positive = scores.reduce((sum, score) => (score > 0n ? sum + score : sum), 0n);
  const split = { ownerParts: BigInt(model.ownerParts), validatorParts: BigInt(model.validatorParts) };
  const { rewardWei } = drawShares(amountWei, 1, split);
  const total = positive === 0n ? BigInt(scores.length) : positive;
  return scores.flatMap((score, row) => {
    const weight = positive === 0n ? 1n : score;
    return weight > 0n ? [{ row, earnedWei: (rewardWei * weight) / total }] : [];
  });
}
