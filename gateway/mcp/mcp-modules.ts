/** Parts of the gateway that MCP's tools use. open-gateway.ts passes them. */
import type { LedgerClient } from "@openledger/client/ledger-client";
import type { Asker } from "../asking/asker.ts";
import type { Budget } from "../asking/budget.ts";
import type { ModelLocations } from "../asking/model-locations.ts";
import type { QuestionJournal } from "../asking/question-journal.ts";

export interface McpModules {
  readonly asker: Asker;
  readonly locations: ModelLocations;
  readonly budget: Budget;
  readonly journal: QuestionJournal;
  /** Signs for the gateway's account. */
  readonly client: LedgerClient;
  readonly leafId: number;
  readonly maxPriceWei: bigint;
  /** True if a person confirms every payment. */
  readonly isConfirmed: boolean;
  /** Datanet host; null: none is known. */
  readonly hostUrl: string | null;
  /** Folder of contributed rows. */
  readonly rowsFolder: string;
}
