/** Durable store of what the factory has acknowledged: bases, data sets, jobs and their events. Rows and models are files. */
import { join } from "node:path";
import type { RollupError } from "@openledger/foundation/rollup-error";
import { checkedJson } from "@openledger/foundation/store/checked-json";
import { CheckedLevel, type LevelDb, type LevelWrite } from "@openledger/foundation/store/checked-level";
import type { StoreRollup } from "@openledger/foundation/store/store-identity";
import type { RecipeBaseModel } from "../../tuning/recipe/base-files.ts";
import type { TextRecipe } from "../../tuning/recipe/text-recipe.ts";
import type {
  FactoryBase,
  FactoryDataset,
  FactoryJob,
  FactoryRegistration,
  JobEvent,
} from "../factory-api.ts";

export interface StoredBase {
  readonly view: FactoryBase;
  /** A folder, an address, or "own". */
  readonly place: string;
  readonly files: RecipeBaseModel;
}

export interface StoredDataset {
  readonly leafId: number;
  readonly view: Omit<FactoryDataset, "asked">;
  /** Root of the version, or of the uploaded rows as if they were one. */
  readonly rowsRoot: string;
  /** The version's list, in its order; empty for rows that were uploaded. */
  readonly list: readonly { digest: string; contributorId: number; validatorId: number }[];
}

/** Sizes of the settlement circuit that the model is made for. */
export interface CircuitSize {
  readonly rows: number;
  readonly payees: number;
  readonly features: number;
  readonly draws: number;
  /** Maximum shards, for circuits of shards; rows and payees are those of one shard. */
  readonly shards?: number;
}

export interface StoredJob {
  readonly view: Omit<FactoryJob, "queuedBefore">;
  /** Counts jobs as they came. */
  readonly order: number;
  readonly recipe: TextRecipe;
  readonly size: CircuitSize | null;
  /** true: somebody has requested a stop at its next step. */
  readonly isStopWished: boolean;
  /** Last step whose event is stored; −1: not even the event of the base alone. */
  readonly saidStep: number;
  /** Computing before this run, in seconds. */
  readonly secondsBefore: number;
  readonly registration: Pick<
    FactoryRegistration,
    "state" | "percent" | "activation" | "failure" | "statics"
  >;
}

const REMEDIES = {
  locked: "Stop the other one, or give this one another FACTORY_DATA_PATH.",
  corrupt: "Take the folder from a copy, or begin with an empty one.",
  failed: "Read the reason (a full disk, for example), mend it and start the factory again.",
};

const digits = (value: number) => value.toString().padStart(10, "0");
const put = (key: string, value: unknown): LevelWrite => ({ type: "put", key, value });

/** Each write is durable when it resolves. All throw SRV_STORE_CORRUPT or SRV_STORE_FAILED. */
export class FactoryStore {
  readonly #level: CheckedLevel;
  readonly #db: LevelDb;

  private constructor(level: CheckedLevel) {
    this.#level = level;
    this.#db = level.db;
  }

  /** @throws SRV_WRONG_DIRECTORY, SRV_STORE_FORMAT, SRV_STORE_LOCKED, SRV_STORE_CORRUPT, SRV_STORE_FAILED */
  static async open(
    folder: string,
    { chainId, rollupAddress }: StoreRollup,
    onFailure: (error: RollupError) => void,
  ): Promise<FactoryStore> {
    // Folders of data sets, jobs and served models beside it count only where it names them.
    const level = await CheckedLevel.open(join(folder, "store"), {
      identity: { kind: "factory", rollup: { chainId, rollupAddress } },
      valueEncoding: checkedJson,
      remedies: REMEDIES,
      onFailure,
    });
    return new FactoryStore(level);
  }

  bases(): Promise<StoredBase[]> {
    return this.#all("base");
  }

  datasets(): Promise<StoredDataset[]> {
    return this.#all("dataset");
  }

  jobs(): Promise<StoredJob[]> {
    return this.#all("job");
  }

  putBase(base: StoredBase): Promise<void> {
    return this.#level.write([put(`base/${base.view.id}`, base)]);
  }

  putDataset(dataset: StoredDataset): Promise<void> {
    return this.#level.write([put(`dataset/${dataset.view.id}`, dataset)]);
  }

  deleteDataset(id: string): Promise<void> {
    return this.#level.write([{ type: "del", key: `dataset/${id}` }]);
  }

  /** A job with what happened to it, all or nothing. */
  putJob(job: StoredJob, events: readonly JobEvent[]): Promise<void> {
    const { id } = job.view;
    const writes = events.map((event) => put(`event/${id}/${digits(event.number)}`, event));
    return this.#level.write([...writes, put(`job/${id}`, job)]);
  }

  /** Events with numbers above `after`, ascending. */
  async *events(jobId: string, after: number): AsyncGenerator<JobEvent> {
    const range = { gt: `event/${jobId}/${digits(after)}`, lt: `event/${jobId}0` };
    for await (const [, value] of this.#level.readEach(this.#db.iterator(range))) yield value as JobEvent;
  }

  async deleteJob(id: string): Promise<void> {
    const keys: string[] = [];
    for await (const [key] of this.#each(`event/${id}`)) keys.push(key);
    await this.#level.write([`job/${id}`, ...keys].map((key) => ({ type: "del" as const, key })));
  }

  close(): Promise<void> {
    return this.#level.close();
  }

  async #all<T>(kind: string): Promise<T[]> {
    const found: T[] = [];
    for await (const [, value] of this.#each(kind)) found.push(value as T);
    return found;
  }

  /** Keys below a prefix; "0" is what follows "/". */
  #each(prefix: string): AsyncGenerator<[string, unknown]> {
    const range = { gte: `${prefix}/`, lt: `${prefix}0` };
    return this.#level.readEach(this.#db.iterator(range)) as AsyncGenerator<[string, unknown]>;
  }
}
