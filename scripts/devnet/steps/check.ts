/** A sentence that must be true once the job is done. */
export interface Check {
  readonly claim: string;
  readonly holds: boolean;
  readonly detail: string;
}
