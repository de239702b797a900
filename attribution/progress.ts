/**
 * Progress of a long computation, a training or a registration: `done` of `total` in units of its stage. Commands and
 * pages show it.
 */
export interface Progress {
  readonly stage: string;
  readonly done: number;
  readonly total: number;
}

/** Called synchronously, at least every few seconds of a long computation. It changes no result. */
export type OnProgress = (progress: Progress) => void;
