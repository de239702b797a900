import type { TextRow } from "@openledger/attribution/rows/text-rows";

/** All that decides the bytes of an adapter that is tuned in a page, beside the base and the rows. */
export interface TuneSettings {
  readonly rank: number;
  /** Times that the tuning goes through all rows; at least 20 steps are made. */
  readonly rounds: number;
  readonly rowsPerStep: number;
  readonly rate: number;
  /** Part of the rate that is left at the last step. */
  readonly lastPart: number;
  /** A longer text becomes several rows. */
  readonly rowTokens: number;
  readonly heldOutRows: number;
  readonly seed: string;
}

/** What happens on the way: kinds and fields are those of the factory's events. */
export type TuneEvent =
  | {
      readonly kind: "stage";
      readonly stage: "load" | "train";
      readonly done: number;
      readonly total: number;
    }
  | {
      readonly kind: "step";
      readonly step: number;
      /** Mean of the step's rows, in nats a token. */
      readonly loss: number;
      readonly rate: number;
      readonly tokenCount: number;
      readonly tokensPerSecond: number;
      readonly secondsLeft: number;
    }
  | { readonly kind: "heldOut"; readonly step: number; readonly loss: number; readonly rowCount: number }
  | { readonly kind: "sample"; readonly step: number; readonly prompt: string; readonly text: string }
  | {
      readonly kind: "hardest";
      readonly step: number;
      readonly rows: readonly { readonly row: number; readonly loss: number; readonly excerpt: string }[];
    };

/** To the worker: one task, then wishes. */
export type TuneOrder =
  | {
      readonly kind: "begin";
      /** Address of the folder with the base's files. */
      readonly baseUrl: string;
      /** As the adapter's configuration names it. */
      readonly baseName: string;
      readonly rows: readonly TextRow[];
      readonly settings: TuneSettings;
      /** null = to measure only. */
      readonly stateName: string | null;
      readonly threadCount: number;
    }
  | { readonly kind: "wish"; readonly wish: "stop" | "pause" };

/** From the worker: events, then one of the others. */
export type TuneReport =
  | { readonly kind: "event"; readonly event: TuneEvent }
  | { readonly kind: "done"; readonly files: readonly (readonly [name: string, bytes: Uint8Array])[] }
  | { readonly kind: "paused" }
  /** `code` of a RollupError, else null. */
  | { readonly kind: "failed"; readonly code: string | null; readonly message: string };
