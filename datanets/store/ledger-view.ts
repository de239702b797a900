/**
 * Reads a sequencer or a full node for the host: keys of leaves, policies, commits, versions. Commits are checked
 * against the Datanet's chain, so none is left out, added or moved. A sequencer's word that they are final is trusted;
 * a full node checks L1 itself.
 */

import { datanetIds, hashStatics, unpackBinding } from "@openledger/circuits/ledger/leaf";
import { packSplit } from "@openledger/circuits/ledger/rewards";
import { commitChain, datanetHistory } from "@openledger/circuits/ledger/version-rows";
import { count, element, elementOrDecimal, hash, leafId } from "@openledger/circuits/wire/wire-fields";
import { hex32 } from "@openledger/foundation/hex";
import { RecentAnswers } from "@openledger/foundation/recent-answers";
import { isRollupError } from "@openledger/foundation/rollup-error";
import type { Secret } from "@openledger/foundation/secret";
import {
  askSequencer,
  type SequencerEndpoint,
  type SequencerFailure,
} from "@openledger/foundation/wire/sequencer-request";
import { LRUCache } from "lru-cache";
import { z } from "zod";
import { datanetError } from "../datanet-errors.ts";
import { LeafBatches, requestParts } from "./leaf-batches.ts";

const modelStatics = {
  featuresCommitment: element,
  ownersCommitment: element,
  payeeRoot: element,
  binding: element,
  ownerParts: count,
  validatorParts: count,
};

const leafSchema = z.object({
  id: leafId,
  kind: z.enum(["account", "datanet", "model"]),
  l1Owner: z.string(),
  keyX: element,
  chain: element,
  datanet: z
    .object({
      version: count,
      rowCount: count,
      publishedAt: count,
      policy: element,
      rowsRoot: element,
    })
    .nullish(),
  /** The epoch of a model. */
  counters: z.object({ epoch: count.nullish() }),
  // Attack: whoever registers a model signs any numbers; before a proof has bounded them it is none here, and other leaves are read.
  model: z.object(modelStatics).nullish().catch(null),
});
export type HostLeaf = z.output<typeof leafSchema>;
/** Leaves of one request; one in another form than is documented, as its id alone, fails no other. */
const foundLeavesSchema = z.array(z.union([leafSchema, z.object({ id: leafId })]));
export type DatanetLeaf = HostLeaf & { readonly datanet: NonNullable<HostLeaf["datanet"]> };

const heldModelSchema = z.object({
  id: leafId,
  counters: z.object({ isReady: z.boolean(), isApproved: z.boolean(), epoch: count, paymentCount: count }),
  model: z.object({
    accruedRoot: element,
    binding: element,
    validatorParts: count,
    datanetId: leafId,
    version: count,
  }),
});
/** State of a model that notices are made of. */
export type HeldModel = z.output<typeof heldModelSchema>;
/** Models of a search, with those that no proof has bounded as their ids alone. */
const foundModelsSchema = z.array(z.union([heldModelSchema, z.object({ id: leafId })]));

const payeesSchema = z.object({
  payees: z.array(z.object({ index: count, contributorId: leafId, validatorId: leafId, rowCount: count })),
});
export type HostPayee = z.output<typeof payeesSchema>["payees"][number];

const settlementsSchema = z.array(
  z.object({
    kind: z.string(),
    epoch: count,
    status: z.string(),
    earnedWei: z.array(elementOrDecimal).nullish(),
  }),
);
export type HostSettlement = z.output<typeof settlementsSchema>[number];

/** Facts of a model that the host compares a recomputation with. */
export interface HostModel {
  /** Hash of its statics, 0x-hex of 32 bytes. */
  readonly root: string;
  /** Datanet ids in the order of the model's places. */
  readonly datanetIds: readonly number[];
  /** Version of the first Datanet; the ledger names none of further ones. */
  readonly version: number;
  /** The open epoch. */
  readonly epoch: number;
}

const executedFields = {
  kind: z.string(),
  a: leafId,
  b: leafId,
  status: z.string(),
  opIndex: count.nullish(),
  acknowledgedAtMs: z.number().nullish(),
};
/** Signed operations, and executed entries of L1's queue. */
const operationSchema = z.union([
  z.object({ ...executedFields, hash, amountCode: elementOrDecimal, words: z.array(element) }),
  z.object({
    ...executedFields,
    hash: z.null(),
    queueIndex: count,
    amountWei: elementOrDecimal,
    word1: element,
    word2: element,
    word4: element,
  }),
]);
export type HostOperation = z.output<typeof operationSchema>;

export interface HostCommit {
  readonly rowsRoot: bigint;
  readonly contributorId: number;
  readonly rowCount: number;
  readonly isFinal: boolean;
  readonly committedAtMs: number | null;
  /** Number of signed operations executed before it. */
  readonly opIndex: number;
}

/** A PublishVersion or ForcedPublishVersion; the first one's number is 1. */
interface HostVersion {
  readonly version: number;
  readonly rowsRoot: bigint;
  readonly rowCount: number;
  readonly policy: bigint;
  readonly isFinal: boolean;
  readonly publishedAtMs: number | null;
  /** Number of signed operations executed before it. */
  readonly opIndex: number;
}

interface DatanetHistory {
  /** Commits in the ledger's order. */
  readonly commits: readonly HostCommit[];
  readonly versions: readonly HostVersion[];
}

const operationsPageSchema = z.object({
  operations: z.array(operationSchema),
  /** Name of the last operation here; null at the end of what the sequencer has. */
  nextBefore: z.union([hash, count]).nullable(),
  /** True where nothing of the leaf is older than these. */
  isComplete: z.boolean(),
  /** Time before which all was executed that is pruned, in Unix milliseconds; null where nothing is. */
  prunedBeforeMs: z.number().nullable(),
});
type OperationsPage = z.output<typeof operationsPageSchema>;

/** Operations of a page of `operationsPage`. */
export const OPERATIONS_PAGE_SIZE = 200;
/** Maximum leaves of a search's answer, by the sequencer's limit. */
const MAX_LEAVES_FOUND = 1_000;
/** Maximum sum of the waits that the sequencer may ask for before a request has failed, in milliseconds. */
const MAX_WAIT_MS = 5_000;
/** Maximum leaves that are cached, some 200 bytes each. */
const MAX_CACHED_LEAVES = 20_000;
/** Maximum commits and versions of cached histories, some 200 bytes each, and maximum final operations, some 600. */
const MAX_CACHED_ENTRIES = 500_000;
const MAX_FINAL_OPERATIONS = 200_000;
/** Codes of the sequencer for a leaf that is not there, or of another kind. */
const ABSENT = new Set(["OP_UNKNOWN_LEAF", "OP_WRONG_LEAF_KIND"]);

/** Cursor from which the sequencer's list continues. */
export const nameOf = (operation: HostOperation) => operation.hash ?? operation.queueIndex;

export class HostLedger {
  readonly #endpoint: SequencerEndpoint;
  readonly #batches = new LeafBatches((ids) => this.#askLeaves(ids));
  readonly #leaves: RecentAnswers<number, HostLeaf | null>;
  readonly #histories: RecentAnswers<number, DatanetHistory>;
  /** Final operations of Datanets, newest first: they are fetched once. */
  readonly #final = new LRUCache<number, readonly HostOperation[]>({
    maxSize: MAX_FINAL_OPERATIONS,
    // One Datanet may have more than the limit: it then takes all of it.
    sizeCalculation: ({ length }) => Math.max(1, Math.min(length, MAX_FINAL_OPERATIONS)),
  });

  constructor(
    options: { sequencerUrl: string; serverToken?: Secret<string> | undefined; cacheMs: number },
    nowMs: () => number = Date.now,
  ) {
    const { cacheMs, sequencerUrl, serverToken } = options;
    this.#endpoint = { sequencerUrl, token: serverToken?.reveal(), maxWaitMs: MAX_WAIT_MS };
    this.#leaves = new RecentAnswers({ cacheMs, nowMs, maxItems: MAX_CACHED_LEAVES });
    this.#histories = new RecentAnswers({
      cacheMs,
      nowMs,
      maxItems: MAX_CACHED_ENTRIES,
      sizeOf: ({ commits, versions }) => commits.length + versions.length,
    });
  }

  /** null if there is no such leaf. @throws SRV_SEQUENCER_UNREACHABLE */
  leaf(id: number): Promise<HostLeaf | null> {
    return this.#leaves.get(id, () => this.#askLeaf(id));
  }

  /** Leaves by their ids, a hundred in one request; null for one that is not there. @throws SRV_SEQUENCER_UNREACHABLE */
  async leaves(ids: Iterable<number>): Promise<ReadonlyMap<number, HostLeaf | null>> {
    return new Map(
      await Promise.all([...new Set(ids)].map(async (id) => [id, await this.leaf(id)] as const)),
    );
  }

  /** @throws DNT_UNKNOWN, SRV_SEQUENCER_UNREACHABLE */
  async datanet(id: number): Promise<DatanetLeaf> {
    return datanetOf(id, await this.leaf(id));
  }

  /** null if the ledger has no such model. @throws SRV_SEQUENCER_UNREACHABLE */
  async model(id: number): Promise<HostModel | null> {
    const leaf = await this.leaf(id);
    if (leaf?.model == null || leaf.counters.epoch == null) return null;
    const { ownerParts, validatorParts, ...commitments } = leaf.model;
    const split = packSplit({ ownerParts: BigInt(ownerParts), validatorParts: BigInt(validatorParts) });
    const binding = unpackBinding(commitments.binding);
    return {
      root: hex32(hashStatics({ ...commitments, split })),
      datanetIds: datanetIds(binding),
      version: Number(binding.version),
      epoch: leaf.counters.epoch,
    };
  }

  /** @throws DNT_UNKNOWN, SRV_SEQUENCER_UNREACHABLE, DNT_LEDGER_INCOMPLETE */
  history(id: number): Promise<DatanetHistory> {
    return this.#histories.get(id, () => this.#askHistory(id));
  }

  /** Models of each of these Datanets, a hundred Datanets in one request. @throws SRV_SEQUENCER_UNREACHABLE */
  async modelsOf(ids: readonly number[]): Promise<ReadonlyMap<number, readonly HeldModel[]>> {
    const found = new Map<number, HeldModel[]>(ids.map((id) => [id, []]));
    for (const part of requestParts(ids)) {
      // A model of Datanets in two parts is in both answers.
      for await (const model of this.#modelsOfSome(part))
        for (const id of new Set(datanetIds(unpackBinding(model.model.binding))))
          if (part.includes(id)) found.get(id)!.push(model);
    }
    return found;
  }

  /** Leaves of an L1 owner, the first thousand by their ids. @throws SRV_SEQUENCER_UNREACHABLE */
  async leafIdsOf(l1Owner: string): Promise<number[]> {
    const leaves = await this.#ask(`/v1/leaves?owner=${l1Owner}`, z.array(z.object({ id: leafId })));
    return (leaves ?? []).map(({ id }) => id);
  }

  /** Payees of a model, in the order of their places. @throws SRV_SEQUENCER_UNREACHABLE */
  async payeesOf(modelId: number): Promise<HostPayee[]> {
    return (await this.#ask(`/v1/models/${modelId}`, payeesSchema))?.payees ?? [];
  }

  /** Settlements of a model, newest first. @throws SRV_SEQUENCER_UNREACHABLE */
  async settlementsOf(modelId: number, limit: number): Promise<HostSettlement[]> {
    return (await this.#ask(`/v1/settlements?model=${modelId}&limit=${limit}`, settlementsSchema)) ?? [];
  }

  /** Leaves that are cached, unknown ones among them. */
  get cachedLeafCount(): number {
    return this.#leaves.itemCount;
  }

  /** Clears the cache: the next answer is fresh. */
  forget(id: number): void {
    this.#leaves.delete(id);
    this.#histories.delete(id);
  }

  /**
   * Operations and executed queue entries of a leaf, newest first; none of a leaf that is not there.
   * @param before name of an operation: older ones than it
   * @throws SRV_SEQUENCER_UNREACHABLE
   */
  async operationsPage(id: number, before?: string | number): Promise<OperationsPage> {
    const rest = before === undefined ? "" : `&before=${before}`;
    const path = `/v1/operations?leaf=${id}&limit=${OPERATIONS_PAGE_SIZE}${rest}`;
    const { failure, value } = await askSequencer(this.#endpoint, { path }, operationsPageSchema);
    if (failure === null) return value;
    const { code = "", data = {} } = failure.error ?? {};
    const none = { operations: [], nextBefore: null };
    if (ABSENT.has(code)) return { ...none, isComplete: true, prunedBeforeMs: null };
    if (code !== "SEQ_HISTORY_PRUNED") throw unreachable(failure);
    // All that is older is pruned.
    const prunedBeforeMs = z.number().safeParse(data.prunedBeforeMs).data ?? null;
    return { ...none, isComplete: false, prunedBeforeMs };
  }

  async #askLeaf(id: number): Promise<HostLeaf | null> {
    // Attack: the sequencer refuses such an id, and with it the request for everybody's leaves of that moment.
    if (!leafId.safeParse(id).success) return null;
    const leaf = await this.#batches.leaf(id);
    if (leaf === null || "kind" in leaf) return leaf;
    throw datanetError(
      "SRV_SEQUENCER_UNREACHABLE",
      `the sequencer says of leaf ${id} what is not documented`,
      {
        data: { leafId: id },
      },
    );
  }

  async #askLeaves(ids: readonly number[]) {
    return (await this.#ask(`/v1/leaves?ids=${ids.join(",")}`, foundLeavesSchema)) ?? [];
  }

  async *#modelsOfSome(ids: readonly number[]): AsyncGenerator<HeldModel> {
    for (let after = -1; ; ) {
      const path = `/v1/leaves?datanetId=${ids.join(",")}${after < 0 ? "" : `&after=${after}`}`;
      const models = (await this.#ask(path, foundModelsSchema)) ?? [];
      for (const model of models) if ("model" in model) yield model;
      const last = models.at(-1)?.id;
      // A list that goes round, as of a sequencer that does not know the field, has no end.
      if (models.length < MAX_LEAVES_FOUND || last === undefined || last <= after) return;
      after = last;
    }
  }

  async #askHistory(id: number): Promise<DatanetHistory> {
    try {
      return await this.#readHistory(id);
    } catch (error) {
      if (!isRollupError(error, "DNT_LEDGER_INCOMPLETE")) throw error;
      // An operation that came between the two requests is in the second list.
      return this.#readHistory(id);
    }
  }

  async #readHistory(id: number): Promise<DatanetHistory> {
    const operations = await this.#operations(id);
    const leaf = datanetOf(id, await this.#askLeaf(id));
    const history = datanetHistory(id, operations);
    const commits = history.commits.map(({ contributorId, operation, rowCount, rowsRoot }) => ({
      rowsRoot,
      contributorId,
      rowCount,
      opIndex: operation.opIndex!,
      isFinal: operation.status === "final",
      committedAtMs: operation.acknowledgedAtMs ?? null,
    }));
    const versions = history.versions.map(({ operation, policy, rowCount, rowsRoot }, i) => ({
      version: i + 1,
      rowsRoot,
      rowCount,
      policy,
      isFinal: operation.status === "final",
      publishedAtMs: operation.acknowledgedAtMs ?? null,
      opIndex: operation.opIndex!,
    }));
    if (commitChain(commits) !== leaf.chain || versions.length !== leaf.datanet.version) {
      throw datanetError(
        "DNT_LEDGER_INCOMPLETE",
        `the ${commits.length} commits and ${versions.length} versions that are listed are not those of Datanet ${id}`,
        { data: { datanetId: id, commitCount: commits.length, versionCount: versions.length } },
      );
    }
    return { commits, versions };
  }

  /** Newest first. */
  async #operations(id: number): Promise<HostOperation[]> {
    const known = this.#final.get(id) ?? [];
    const newestKnown = known[0] && nameOf(known[0]);
    const found: HostOperation[] = [];
    for (let before: string | number | undefined; ; ) {
      const { nextBefore, operations } = await this.operationsPage(id, before);
      const end = operations.findIndex((operation) => nameOf(operation) === newestKnown);
      found.push(...(end < 0 ? operations : operations.slice(0, end)));
      if (end >= 0 || nextBefore === null) break;
      before = nextBefore;
    }
    const all = [...found, ...known];
    const firstFinal = all.findIndex(({ status }) => status === "final");
    const isSettled = ({ status }: HostOperation) => status === "final" || status === "dropped";
    if (firstFinal >= 0 && all.slice(firstFinal).every(isSettled)) this.#final.set(id, all.slice(firstFinal));
    return all;
  }

  async #ask<Schema extends z.ZodType>(path: string, schema: Schema): Promise<z.output<Schema> | null> {
    const { failure, value } = await askSequencer(this.#endpoint, { path }, schema);
    if (failure === null) return value;
    if (ABSENT.has(failure.error?.code ?? "")) return null;
    throw unreachable(failure);
  }
}

const unreachable = ({ cause, reason, url }: SequencerFailure) =>
  datanetError("SRV_SEQUENCER_UNREACHABLE", `the sequencer does not help: ${reason}`, {
    data: { url },
    cause,
  });

/** A leaf that is a Datanet. @throws DNT_UNKNOWN */
export function datanetOf(id: number, leaf: HostLeaf | null): DatanetLeaf {
  const { datanet } = leaf ?? {};
  if (leaf !== null && datanet != null) return { ...leaf, datanet };
  throw datanetError("DNT_UNKNOWN", `leaf ${id} is no Datanet`, {
    data: { reason: "datanet", datanetId: id },
  });
}
