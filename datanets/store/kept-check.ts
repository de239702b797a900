import type { Finding } from "../cleaning/finding.ts";

/** What a look at a Datanet's rows has found. */
export interface KeptCheck {
  /** What the host had of the Datanet then. */
  readonly rowCount: number;
  readonly recordCount: number;
  readonly checkedAtMs: number;
  readonly findings: readonly Finding[];
}
