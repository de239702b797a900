/**
 * Messages between a server or worker of the factory and the processes that compute for it. A task goes in, stages, events and a result come out; all
 * of it survives JSON.
 */
import type { RecipeBase } from "@openledger/attribution/model/recipe-fields";
import type { RegistrationTerms } from "@openledger/attribution/model/registration";
import type { Payee } from "@openledger/circuits/ledger/rewards";
import type { SettlementBody } from "@openledger/client/actions/l1/send-settlement";
import type { KernelChoice } from "../../engine/kernels/create-kernels.ts";
import type { RecipeBaseModel } from "../../tuning/recipe/base-files.ts";
import type {
  FactoryBase,
  FactoryBasePlan,
  FactoryComparison,
  FactoryEstimate,
  FactoryForm,
  FactoryStatics,
  JobResult,
  JobStage,
  NewJobEvent,
} from "../factory-api.ts";
import type { CircuitSize, StoredDataset } from "../store/factory-records.ts";

/** Resources of a machine for a computation. */
export interface MachineTask {
  /** Place of a language model's base; for others this software's own. */
  readonly basePlace: string;
  /** Folder of rows.jsonl and owners.json. */
  readonly rowsFolder: string;
  readonly kernels: KernelChoice;
  readonly threadCount: number;
  readonly maxMemoryBytes: number;
}

/** Task that every computation with a model gets. */
export interface ModelTask extends MachineTask {
  readonly recipe: RecipeBase;
}

/** Form of a job with the facts that a recipe is made of. */
export interface PlanOrder {
  readonly form: FactoryForm;
  readonly dataset: Pick<StoredDataset, "card" | "view">;
  /** Files of a language model's base. */
  readonly base: RecipeBaseModel | null;
  /** Features of the settlement circuit; of a sorting model its buckets. */
  readonly features: number;
}

/** Task that begins with a form. */
export interface OrderTask extends MachineTask {
  readonly order: PlanOrder;
}

export interface TrainTask extends ModelTask {
  readonly mode: "train";
  readonly jobFolder: string;
  readonly form: FactoryForm;
  /** Labels of a sorting model, in the card's order. */
  readonly labels: readonly string[];
  /** Text of the Datanet's card, which is published with the model. */
  readonly card: string | null;
  /** Events up to this step are there already; −1 = none. */
  readonly saidStep: number;
  readonly registration: {
    /** false: no circuit holds the rows. */
    readonly isRegistrable: boolean;
    /** Sizes of the circuit, or of the model itself. */
    readonly size: CircuitSize;
    readonly terms: PlainTerms;
  };
}

/** RegistrationTerms without bigints, which do not travel. */
export interface PlainTerms {
  readonly ownerParts: number;
  readonly validatorParts: number;
  readonly predecessorId: number;
}

export const termsOf = ({ ownerParts, predecessorId, validatorParts }: PlainTerms): RegistrationTerms => ({
  split: { ownerParts: BigInt(ownerParts), validatorParts: BigInt(validatorParts) },
  predecessorId,
});

export interface CompareTask extends ModelTask {
  readonly mode: "compare";
  readonly jobFolder: string;
  readonly prompts: readonly string[] | null;
  readonly answerTokens: number;
}

export interface ActivationTask {
  readonly mode: "activation";
  readonly modelId: number;
  readonly payees: readonly Payee[];
  readonly deploymentPath: string;
  readonly sequencerUrl: string;
  readonly rpcUrl: string;
  readonly prover: "auto" | "native" | "wasm" | "snarkjs";
}

/** A hub's base that is put into a folder below `bases`. */
export interface BaseCopyTask {
  readonly mode: "baseCopy";
  readonly place: string;
  readonly bases: string;
  readonly kernels: KernelChoice;
}

export type FactoryTask =
  | { readonly mode: "base"; readonly place: string }
  | { readonly mode: "basePlan"; readonly place: string; readonly bases: string }
  | BaseCopyTask
  | TrainTask
  | (OrderTask & { readonly mode: "plan" })
  | (OrderTask & { readonly mode: "measure" })
  | CompareTask
  | (ModelTask & { readonly mode: "merge"; readonly jobFolder: string })
  | ActivationTask;

export type Measurement = Omit<FactoryEstimate, "queuedBefore" | "registerFeeWei">;

export interface TaskResults {
  readonly base: { readonly view: Omit<FactoryBase, "id" | "source">; readonly files: RecipeBaseModel };
  readonly basePlan: FactoryBasePlan;
  readonly baseCopy: { readonly folder: string };
  readonly train: {
    readonly result: JobResult;
    readonly recipe: RecipeBase;
    readonly statics: FactoryStatics | null;
  };
  readonly plan: { readonly recipe: RecipeBase };
  readonly measure: Measurement;
  readonly compare: FactoryComparison;
  readonly merge: null;
  readonly activation: SettlementBody;
}
export type TaskWish = "pause" | "stop";

export interface EventsMessage {
  readonly kind: "events";
  readonly step: number;
  readonly events: readonly NewJobEvent[];
}
export interface StageMessage {
  readonly kind: "stage";
  readonly stage: JobStage;
  readonly done: number;
  readonly total: number;
}

/** Bytes of a base that are copied. */
export interface CopyMessage {
  readonly kind: "copy";
  readonly done: number;
  readonly total: number;
}

/** The state after a step is in the job's folder. */
export interface CheckpointMessage {
  readonly kind: "checkpoint";
  readonly step: number;
}
export type ProgressMessage = EventsMessage | StageMessage | CopyMessage | CheckpointMessage;

/** Order from the parent: a wish, or the number of this process' messages that it has stored so far. */
export type TaskOrder = { readonly wish: TaskWish } | { readonly storedCount: number };

export type TaskMessage =
  /** Events of one step. They come in one message, so that all of them are stored or none. */
  | ProgressMessage
  | { readonly kind: "result"; readonly result: unknown }
  | { readonly kind: "paused" }
  | { readonly kind: "failed"; readonly failure: { code: string; message: string; data: object } };

/** Sends a message to the parent; resolves when what it says is in the database. */
export type Say = (message: ProgressMessage) => Promise<void>;
