/** What is asked for when the processes of an installation are planned, and one of them as it is planned. */
import type { InstallationPlan, InstalledLease, InstalledProcess } from "./installation.ts";

/** `hasQueue`: workers of the queue of the secret files make the proofs, and not a child of the sequencer. */
export interface ProcessRequest extends InstallationPlan {
  readonly folder: string;
  readonly rpcUrl: string;
  readonly lease: InstalledLease | null;
  /** By variable. */
  readonly settings: Readonly<Record<string, string>>;
}

export interface PlannedProcess extends InstalledProcess {
  readonly env: Readonly<Record<string, string>>;
}
