/** A sentence that must be true once the job is done. */
export interface Check {
  readonly statement: string;
  readonly holds: boolean;
  readonly detail: string;
}
