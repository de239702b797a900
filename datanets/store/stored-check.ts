/** Result of a check of a Datanet's rows, as row-check.ts stores it. */
import type { Finding } from "../cleaning/finding.ts";

/** Result of a check of a Datanet's rows. */
export interface StoredCheck {
  /** Rows and records that the host had of the Datanet at the check. */
  readonly rowCount: number;
  readonly recordCount: number;
  readonly checkedAtMs: number;
  /** Rows of other Datanets for which the check had no room: none was compared with them. */
  readonly uncomparedCount: number;
  readonly findings: readonly Finding[];
}
