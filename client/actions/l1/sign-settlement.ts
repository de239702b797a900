/**
 * The model's signature on a settlement or an activation, where the ledger asks for it. Settling (models/settling/settle-epoch.ts) and
 * the registration of models (client/tasks/register-model.ts) call it.
 */
import { settlementMessage } from "@openledger/circuits/batch/settlement-operation";
import { leafReference } from "@openledger/circuits/ledger/operation";
import { KIND, LEAF_KIND } from "@openledger/circuits/protocol";
import { type LedgerClient, requireL2Key } from "../../ledger-client.ts";
import type { LedgerModelLeaf } from "../../sequencer/model-schemas.ts";
import type { ProvenSettlement } from "./send-settlement.ts";

export type SignSettlementErrorCode = "CLI_NOT_CONFIGURED";

/**
 * The settlement with the model's consent: to its void draws, since nobody can prove that a receipt cannot be opened, or
 * to its activation, which fixes its cap. `client` signs with the model's key. @throws CLI_NOT_CONFIGURED
 * @example
 * ```ts
 * const signed = signSettlement(client, await getModel(client, 11), settlement);
 * await sendSettlement(client, encodeSettlementBody(signed));
 * ```
 */
export function signSettlement(
  client: LedgerClient,
  leaf: LedgerModelLeaf,
  settlement: ProvenSettlement,
): ProvenSettlement {
  const bRef = leafReference({ l1Owner: BigInt(leaf.l1Owner), kind: LEAF_KIND.model });
  const kind = settlement.kind === "activation" ? KIND.activation : KIND.settle;
  const message = settlementMessage(settlement, { domain: client.domain, bRef }, kind);
  return { ...settlement, signature: requireL2Key(client).sign(message) };
}
