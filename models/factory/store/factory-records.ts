/** Records of the factory: bases, data sets and jobs, as its tables have them (factory-schema.ts). */
import type { RecipeBaseModel } from "../../tuning/recipe/base-files.ts";
import type { TextRecipe } from "../../tuning/recipe/text-recipe.ts";
import type { FactoryBase, FactoryDataset, FactoryJob, FactoryRegistration } from "../factory-api.ts";

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

export type StoredRegistration = Pick<
  FactoryRegistration,
  "state" | "percent" | "activation" | "failure" | "statics"
>;

/** A job as it begins. */
export interface NewJob {
  readonly view: Omit<FactoryJob, "queuedBefore">;
  readonly recipe: TextRecipe;
  readonly size: CircuitSize | null;
  readonly registration: StoredRegistration;
}

export interface StoredJob extends NewJob {
  /** true: somebody has requested a stop at its next step. */
  readonly isStopWished: boolean;
  /** Last step whose event is stored; −1: not even the event of the base alone. */
  readonly saidStep: number;
  /** Computing before this run, in seconds. */
  readonly secondsBefore: number;
  /** Place in the queue: the smallest is next. */
  readonly turn: number;
  /** Number of the job's entry in the queue. */
  readonly run: number;
  /** Token of the worker that has the job. */
  readonly holder: string | null;
  /** Starts since the last new step. */
  readonly silentStarts: number;
  /** The same of the proof of its model's activation. */
  readonly proofRun: number;
  readonly proofHolder: string | null;
  readonly proofStarts: number;
}
