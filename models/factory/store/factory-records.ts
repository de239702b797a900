/** Records of the factory: bases, data sets and jobs, as its tables have them (factory-schema.ts). */
import type { RecipeBase } from "@openledger/attribution/model/recipe-fields";
import type { ModelSize } from "@openledger/attribution/model/registration";
import type { RecipeBaseModel } from "../../tuning/recipe/base-files.ts";
import type { FactoryBase, FactoryDataset, FactoryJob, FactoryRegistration } from "../factory-api.ts";

export interface StoredBase {
  readonly view: FactoryBase;
  /** A folder, an address, or "own". */
  readonly place: string;
  readonly files: RecipeBaseModel;
}

export interface StoredDataset {
  readonly leafId: number;
  readonly view: Omit<FactoryDataset, "asked" | "uses">;
  /** Roots of the versions in their places, with commas between; of rows of no Datanet, which earlier versions took, as if they were one. */
  readonly rowsRoot: string;
  /** Roots of accepted labels in the same places; null for rows that are read without. */
  readonly labelsRoots: string | null;
  /** Text of the first Datanet's card; null for rows of none, and of data sets of earlier versions of the software. */
  readonly card: string | null;
}

/** Sizes of the settlement circuit that the model is made for. */
export type CircuitSize = ModelSize;

export type StoredRegistration = Pick<
  FactoryRegistration,
  "state" | "percent" | "activation" | "failure" | "statics"
>;

/** A job as it begins. */
export interface NewJob {
  readonly view: Omit<FactoryJob, "queuedBefore">;
  readonly recipe: RecipeBase;
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
