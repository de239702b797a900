import { leafReference } from "../../circuits/operation.ts";
import { LEAF_KIND } from "../../circuits/protocol.ts";
import { settlementMessage } from "../../circuits/settlement-operation.ts";
import { type LedgerClient, requireL2Key } from "../../client/ledger-client.ts";
import type { LedgerModelLeaf } from "../../client/model-schemas.ts";
import type { ProvenSettlement } from "../../client/send-settlement.ts";

/**
 * The settlement with the model's consent to its void draws: nobody can prove that a receipt cannot be opened, so the
 * model answers for it. `client` signs with the model's key. @throws CLI_NO_L2_KEY
 */
export function signVoids(
  client: LedgerClient,
  leaf: LedgerModelLeaf,
  settlement: ProvenSettlement,
): ProvenSettlement {
  const bRef = leafReference({ l1Owner: BigInt(leaf.l1Owner), kind: LEAF_KIND.model });
  const message = settlementMessage(settlement, { domain: client.domain, bRef });
  return { ...settlement, signature: requireL2Key(client).sign(message) };
}
