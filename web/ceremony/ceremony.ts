import type { CeremonyEntry, CeremonyInfo } from "@openledger/prover/ceremony/ceremony-api";
import type { CeremonyClient } from "@openledger/prover/ceremony/ceremony-client";

/** What each part of the page is given. */
export interface Ceremony {
  readonly client: CeremonyClient;
  readonly info: CeremonyInfo;
  readonly entries: readonly CeremonyEntry[];
}

export function showBytes(count: number): string {
  if (count < 1e6) return `${Math.ceil(count / 1e3)} kB`;
  return `${(count / 1e6).toFixed(count < 1e7 ? 1 : 0)} MB`;
}
