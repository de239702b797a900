/** What a challenger is given, wherever its loop runs: in a process, or on a thread beside a server. */

import type { Address } from "viem";
import type { ModelPlaces } from "./playing/published-files.ts";
import type { L1Sender } from "./sending/l1-sender.ts";

export const ROLES = ["watch", "defend", "propose"] as const;
/** Watch: recompute what others post and claim. Defend: the own games and leaves. Propose: claim what is drawn. */
export type Role = (typeof ROLES)[number];

export interface ChallengerSetting {
  readonly rpcUrl: string;
  /** The registry of committed models that a rollup names as its gate, or games alone. */
  readonly disputes: Address;
  /** Whose models are played; null plays none. */
  readonly rollup: Address | null;
  readonly roles: ReadonlySet<Role>;
  readonly places: ModelPlaces;
  /** Keeps what was read, found and spent; null for nowhere. */
  readonly folder: string | null;
  /** Between two looks; null for a single one, which does all at once and leaves money where it is. */
  readonly everyMs: number | null;
  /** What is spent on data-availability challenges of one model commitment at most; 0n challenges none. */
  readonly mostFeesWei: bigint;
  /** The most that one challenge may cost; default: eight times the contract's stake. */
  readonly mostStakeWei?: bigint | undefined;
}

export type ChallengerSender = Pick<L1Sender, "address" | "publicClient" | "send">;

/** Without what does not pass between threads. */
export type ServedSetting = Omit<ChallengerSetting, "places" | "disputes"> & {
  readonly places: Omit<ChallengerSetting["places"], "serverOf">;
};
