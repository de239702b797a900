/** Statuses of operations and queue entries: the sequencer's API gives them, clients wait for them. */

/** Statuses in the order in which an operation passes them. "dropped" ends an operation that is never executed. */
export const OPERATION_STATUSES = [
  "pending",
  "acknowledged",
  "closed",
  "proven",
  "posted",
  "final",
  "dropped",
] as const;
export type OperationStatus = (typeof OPERATION_STATUSES)[number];
