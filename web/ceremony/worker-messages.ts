import type { CeremonyEntry, CeremonyInfo } from "@openledger/prover/ceremony/ceremony-api";
import type { ContributionWork } from "@openledger/prover/ceremony/contribute";

/** The only message to the worker; then it ends. */
export type WorkerTask =
  | { readonly kind: "contribute"; readonly work: ContributionWork }
  | { readonly kind: "check"; readonly info: CeremonyInfo; readonly entries: readonly CeremonyEntry[] };

export type WorkerAnswer =
  | { readonly kind: "progress"; readonly done: number; readonly total: number }
  | { readonly kind: "contributed"; readonly round: Uint8Array; readonly hash: Uint8Array }
  | { readonly kind: "checked" }
  /** `code` of a RollupError, else null. */
  | { readonly kind: "failed"; readonly code: string | null; readonly message: string };
