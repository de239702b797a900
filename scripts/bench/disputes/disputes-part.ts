/** A part of `npm run bench -- disputes`. Each measures alone; the last line has the fields of all. */
export interface DisputesPart {
  /** As `--part` names it. */
  readonly name: string;
  measure(options: DisputesBenchOptions): Promise<MeasuredPart>;
}

export interface MeasuredPart {
  /** Of `disputes` in the last line. */
  readonly fields: Readonly<Record<string, unknown>>;
  /** Beside it. */
  readonly besides: Readonly<Record<string, unknown>>;
}

export interface DisputesBenchOptions {
  /** E-mails that the model is made of. */
  readonly rows: number;
  /** Random challenges of the honest posting. */
  readonly challenges: number;
}
