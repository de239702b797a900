/** Messages between a watcher and its thread: tasks and findings. They are plain data, since they go from thread to thread. */

/** Source from which the thread reads the ledger: the watcher's own full node. */
export interface WatchSeat {
  readonly rpcUrl: string;
  readonly rollupAddress: `0x${string}`;
  readonly sequencerUrl: string;
  /** Feed with earlier versions and with settlements: a full node has no list of either. */
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
  /** Result in one sentence. */
  readonly text: string;
  /** Versions that the model's recipe names, in the Datanets' places; empty of a settlement. */
  readonly versions: readonly number[];
  /** Id of the signed figure that was compared with the model's; null or absent: there was none, or none is stored. */
  readonly figure?: string | null;
}

export type Finding =
  | (Compared & { readonly result: "same"; readonly difference: null })
  | (Compared & { readonly result: "differs"; readonly difference: Difference })
  /** An epoch that no draws have divided: the replay has checked its division by row counts. */
  | { readonly result: "not-drawn" }
  /** Temporary failure: its server does not answer, or serves something else than the ledger has. */
  | { readonly result: "unavailable"; readonly code: string; readonly text: string };

/** Final result of a task: it is computed once. */
export type Conclusion = Exclude<Finding, { readonly result: "unavailable" }>;
