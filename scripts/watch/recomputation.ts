/** What a watcher has its thread compute, and what the thread finds. Plain data: it goes from thread to thread. */

/** Where the thread reads the ledger: the watcher's own full node. */
export interface WatchSeat {
  readonly rpcUrl: string;
  readonly rollupAddress: `0x${string}`;
  readonly sequencerUrl: string;
  /** Asked for versions before the present one and for settlements: the feed, since a full node has no list of either. */
  readonly historyUrl: string;
}

export interface Recomputation {
  readonly modelId: number;
  /** The epoch whose settlement is computed again; null: the model is trained again. */
  readonly epoch: number | null;
  readonly serverUrl: string;
  /** Folder or URL of a language model's base; null: as its server names it. */
  readonly base: string | null;
  /** Row store with the version's rows, for a model that is published without them. */
  readonly rowsFolder: string | null;
}

export interface Difference {
  readonly file: string;
  readonly row: number | null;
}

interface Compared {
  /** In a sentence. */
  readonly text: string;
  /** Versions that the model's recipe names, in the Datanets' places; empty of a settlement. */
  readonly versions: readonly number[];
}

export type Finding =
  | (Compared & { readonly result: "same"; readonly difference: null })
  | (Compared & { readonly result: "differs"; readonly difference: Difference })
  /** An epoch that no draws have divided: the replay has checked its division by row counts. */
  | { readonly result: "not-drawn" }
  /** Nothing can be said now: its server does not answer, or serves something else than the ledger has. */
  | { readonly result: "unavailable"; readonly code: string; readonly text: string };

/** What a watcher is done with: it is computed once. */
export type Conclusion = Exclude<Finding, { readonly result: "unavailable" }>;
