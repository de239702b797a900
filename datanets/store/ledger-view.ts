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
import { isRollupError } from "@openledger/foundation/rollup-error";
import { askSequencer } from "@openledger/foundation/wire/sequencer-request";
import { z } from "zod";
import { datanetError } from "../datanet-errors.ts";

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
});
export type HostLeaf = z.output<typeof leafSchema>;
export type DatanetLeaf = HostLeaf & { readonly datanet: NonNullable<HostLeaf["datanet"]> };

const modelSchema = z.object({
  counters: z.object({ epoch: count }),
  model: z.object({
    featuresCommitment: element,
    ownersCommitment: element,
    payeeRoot: element,
    binding: element,
    ownerParts: count,
    validatorParts: count,
  }),
});

const heldModelSchema = z.object({
  id: leafId,
  counters: z.object({ isReady: z.boolean(), isApproved: z.boolean(), epoch: count, paymentCount: count }),
  model: z.object({ accruedRoot: element, validatorParts: count, datanetId: leafId, version: count }),
});
/** State of a model that notices are made of. */
export type HeldModel = z.output<typeof heldModelSchema>;

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

interface OperationsPage {
  readonly operations: readonly HostOperation[];
  /** Name of the last operation here; null at the end of the list. */
  readonly nextBefore: string | number | null;
}

const PAGE_SIZE = 200;
/** Codes of the sequencer for a leaf that is not there, or of another kind. */
const ABSENT = new Set(["OP_UNKNOWN_LEAF", "OP_WRONG_LEAF_KIND"]);

/** Cursor from which the sequencer's list continues. */
export const nameOf = (operation: HostOperation) => operation.hash ?? operation.queueIndex;

export class HostLedger {
  readonly #endpoint: { readonly sequencerUrl: string };
  readonly #cacheMs: number;
  readonly #nowMs: () => number;
  readonly #leaves = new Map<number, { readonly atMs: number; readonly leaf: Promise<HostLeaf | null> }>();
  readonly #models = new Map<number, { readonly atMs: number; readonly model: Promise<HostModel | null> }>();
  readonly #histories = new Map<
    number,
    { readonly atMs: number; readonly history: Promise<DatanetHistory> }
  >();
  /** Final operations of each Datanet, newest first: they are fetched once. */
  readonly #final = new Map<number, readonly HostOperation[]>();

  constructor(options: { sequencerUrl: string; cacheMs: number }, nowMs: () => number = Date.now) {
    this.#endpoint = { sequencerUrl: options.sequencerUrl };
    this.#cacheMs = options.cacheMs;
    this.#nowMs = nowMs;
  }

  /** null if there is no such leaf. @throws SRV_SEQUENCER_UNREACHABLE */
  leaf(id: number): Promise<HostLeaf | null> {
    return cached(this.#leaves, id, this.#nowMs(), this.#cacheMs, "leaf", () => this.#askLeaf(id));
  }

  /** @throws DNT_UNKNOWN, SRV_SEQUENCER_UNREACHABLE */
  async datanet(id: number): Promise<DatanetLeaf> {
    const leaf = await this.leaf(id);
    const { datanet } = leaf ?? {};
    if (leaf === null || datanet == null)
      throw datanetError("DNT_UNKNOWN", `leaf ${id} is no Datanet`, {
        data: { reason: "datanet", datanetId: id },
      });
    return { ...leaf, datanet };
  }

  /** null if the ledger has no such model. @throws SRV_SEQUENCER_UNREACHABLE */
  model(id: number): Promise<HostModel | null> {
    return cached(this.#models, id, this.#nowMs(), this.#cacheMs, "model", () => this.#askModel(id));
  }

  /** @throws DNT_UNKNOWN, SRV_SEQUENCER_UNREACHABLE, DNT_LEDGER_INCOMPLETE */
  history(id: number): Promise<DatanetHistory> {
    return cached(this.#histories, id, this.#nowMs(), this.#cacheMs, "history", () => this.#askHistory(id));
  }

  /** Models that name a Datanet, a thousand at most. @throws SRV_SEQUENCER_UNREACHABLE */
  async modelsOf(datanetId: number): Promise<HeldModel[]> {
    return (await this.#ask(`/v1/leaves?datanetId=${datanetId}`, z.array(heldModelSchema))) ?? [];
  }

  /** Payees of a model, in the order of their places. @throws SRV_SEQUENCER_UNREACHABLE */
  async payeesOf(modelId: number): Promise<HostPayee[]> {
    return (await this.#ask(`/v1/models/${modelId}`, payeesSchema))?.payees ?? [];
  }

  /** Settlements of a model, newest first. @throws SRV_SEQUENCER_UNREACHABLE */
  async settlementsOf(modelId: number, limit: number): Promise<HostSettlement[]> {
    return (await this.#ask(`/v1/settlements?model=${modelId}&limit=${limit}`, settlementsSchema)) ?? [];
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
    const path = `/v1/operations?leaf=${id}&limit=${PAGE_SIZE}${rest}`;
    const operations = (await this.#ask(path, z.array(operationSchema))) ?? [];
    const last = operations.at(-1);
    const isLast = last === undefined || operations.length < PAGE_SIZE;
    return { operations, nextBefore: isLast ? null : nameOf(last) };
  }

  #askLeaf(id: number): Promise<HostLeaf | null> {
    return this.#ask(`/v1/leaves/${id}`, leafSchema);
  }

  async #askModel(id: number): Promise<HostModel | null> {
    const answer = await this.#ask(`/v1/models/${id}`, modelSchema);
    if (answer === null) return null;
    const { ownerParts, validatorParts, ...commitments } = answer.model;
    const split = packSplit({ ownerParts: BigInt(ownerParts), validatorParts: BigInt(validatorParts) });
    const binding = unpackBinding(commitments.binding);
    return {
      root: hex32(hashStatics({ ...commitments, split })),
      datanetIds: datanetIds(binding),
      version: Number(binding.version),
      epoch: answer.counters.epoch,
    };
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
    const leaf = await this.#askLeaf(id);
    if (leaf?.datanet == null)
      throw datanetError("DNT_UNKNOWN", `leaf ${id} is no Datanet`, {
        data: { reason: "datanet", datanetId: id },
      });
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
    throw datanetError("SRV_SEQUENCER_UNREACHABLE", `the sequencer does not help: ${failure.reason}`, {
      data: { url: failure.url },
      cause: failure.cause,
    });
  }
}

/** Caches a result; a failure is requested again at once. */
function cached<Name extends string, T>(
  cache: Map<number, { readonly atMs: number } & { readonly [K in Name]: Promise<T> }>,
  id: number,
  nowMs: number,
  cacheMs: number,
  name: Name,
  ask: () => Promise<T>,
): Promise<T> {
  const known = cache.get(id);
  if (known !== undefined && nowMs - known.atMs < cacheMs) return known[name];
  const pending = ask();
  const entry = { atMs: nowMs, [name]: pending } as { readonly atMs: number } & {
    readonly [K in Name]: Promise<T>;
  };
  cache.set(id, entry);
  pending.catch(() => {
    if (cache.get(id) === entry) cache.delete(id);
  });
  return pending;
}
