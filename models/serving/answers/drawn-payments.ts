/**
 * Finds which payments of a closed epoch were drawn (sampled by Ethereum's randomness): anybody may then compare the
 * prompts of their answers. answer-service.ts calls it.
 */
import { drawnPositions, drawSeed } from "@openledger/circuits/settlement/settlement-split";
import type { AnswerStore } from "./answer-store.ts";
import type { LedgerView } from "./ledger-view.ts";

/**
 * Marks the answers of the drawn payments, as soon as the randomness is on L1. The draws are those of the settlement:
 * they depend on nothing that a server could choose. After the settlement the ledger no longer names the closed epoch;
 * a server that was away all the while marks nothing. @throws ATT_SERVER_UNREACHABLE
 */
export async function markDrawnPayments(
  ledger: LedgerView,
  store: AnswerStore,
  modelId: number,
): Promise<void> {
  const model = await ledger.closed(modelId);
  const closed = model?.closedEpoch;
  if (model == null || closed == null || closed.prevRandao === null) return;
  const { amountWei, chain, epoch, prevRandao } = closed;
  const cumulative: bigint[] = [];
  for (;;) {
    const page = await ledger.payments(modelId, epoch, cumulative.length);
    if (page === null || page === "pruned" || page.payments.length === 0) break;
    cumulative.push(...page.payments.map(({ cumulativeWei }) => cumulativeWei));
    if (cumulative.length >= page.paymentCount) break;
  }
  const { drawCount } = model.model;
  const seed = drawSeed({ prevRandao, modelId, epoch: BigInt(epoch), chain });
  await store.markDrawn(epoch, drawnPositions(seed, drawCount, amountWei, cumulative));
}
