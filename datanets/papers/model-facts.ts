/** Facts of a registered model that its papers are written from: by the ledger, its Datanets' hosts, and its recipe. */
import type { Card } from "../card/card.ts";
import type { LeafRows, VersionFacts } from "./version-facts.ts";

/** A Datanet whose rows a model was trained on. */
export interface TrainedDatanet {
  readonly datanetId: number;
  /** The version by the ledger; null where only the recipe names it, and the recipe is not known. */
  readonly listed: {
    readonly version: number;
    /** 0x-hex of 32 bytes. */
    readonly rowsRoot: string;
    readonly rowCount: number;
    readonly publishedAtMs: number | null;
  } | null;
  /** The version by its host; null if no host has it, or it is not listed. */
  readonly described: {
    readonly hostUrl: string;
    /** Hash of the card, 0x-hex of 32 bytes; null if the version was published without one, and the card is the present one. */
    readonly policy: string | null;
    readonly card: Card;
    readonly facts: VersionFacts;
    /** Name of its Croissant file. */
    readonly croissant: string;
  } | null;
}

/** A recipe, whose hash the model's statics bind. */
export interface RecipeFacts {
  /** SHA-256 of the recipe's file, 64 hexadecimal digits. */
  readonly sha256: string;
  readonly family: string;
  /** Labels of a classifier. */
  readonly classes: readonly string[] | null;
  /** Licence that the model has by its terms; null where it has none, or terms were not looked at. */
  readonly licence: string | null;
  /** Base of a language model: its name by the recipe, and its files by SHA-256. */
  readonly base: {
    readonly name: string;
    readonly files: readonly { readonly name: string; readonly sha256: string }[];
  } | null;
  /** Rules and settings of the training as JSON, one line each. */
  readonly settings: readonly { readonly name: string; readonly value: string }[];
}

/** A batch of the ledger. */
export interface LedgerPosition {
  readonly batchNumber: number;
  /** Time of its closing, in Unix milliseconds; null if the sequencer does not know it. */
  readonly atMs: number | null;
}

export interface ModelFacts {
  readonly modelId: number;
  readonly chainId: number;
  readonly rollupAddress: string;
  readonly l1Owner: string;
  /** Hash of the model's statics on the ledger, 0x-hex of 32 bytes. */
  readonly staticsHash: string;
  readonly predecessorId: number | null;
  /** Rows of all Datanets, as the statics bind them. */
  readonly rowCount: number;
  /** Contributors whom the ledger pays, with the number of their rows; none before the activation. */
  readonly contributors: readonly LeafRows[];
  readonly ownerParts: number;
  readonly validatorParts: number;
  /** Datanets that have not approved the model. */
  readonly unapproved: readonly number[];
  /** Batch of the registration; null where the sequencer no longer has it. */
  readonly registered: LedgerPosition | null;
  /** Batch of the activation; null before it. */
  readonly activated: LedgerPosition | null;
  /** Datanet 0 first. */
  readonly datanets: readonly TrainedDatanet[];
  /** null: no server of the model was named, so nobody has shown the recipe. */
  readonly recipe: RecipeFacts | null;
  /** Leaves that have computed the model again, and signed the result. */
  readonly recomputations: readonly {
    readonly leafId: number;
    readonly atMs: number;
    /** True for other bytes than the published ones. */
    readonly isDifferent: boolean;
  }[];
}

/** Cards of the versions that are known. */
const cardsOf = ({ datanets }: Pick<ModelFacts, "datanets">): Card[] =>
  datanets.flatMap(({ described }) => (described === null ? [] : [described.card]));

/** Languages that any of the cards names, each once. */
export const languagesOf = (model: Pick<ModelFacts, "datanets">): string[] => [
  ...new Set(cardsOf(model).flatMap(({ languages }) => languages)),
];

/** Leaves whose records a model's papers show: its Datanets, and who has recomputed it. */
export const recordLeaves = ({ datanets, recomputations }: ModelFacts): number[] => [
  ...datanets.map(({ datanetId }) => datanetId),
  ...recomputations.map(({ leafId }) => leafId),
];
