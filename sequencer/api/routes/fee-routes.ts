/**
 * Routes of fees: the fee of a unit now and in the next batch, a suggested limit, and the operator's earnings
 * and costs.
 */
import type { FastifyInstance } from "fastify";
import { sequencerError } from "../../sequencer-errors.ts";
import type { ApiModules } from "../api-options.ts";
import { weightsView } from "../api-views.ts";

/** Batches that a suggested limit outlasts, if the fee rises as fast as it may. Guess. */
const BATCHES_AHEAD = 4;

export async function registerFeeRoutes(
  app: FastifyInstance,
  { operator }: Pick<ApiModules, "operator">,
): Promise<void> {
  const lineOf = () => {
    if (operator !== null) return operator.pipeline;
    throw sequencerError("SEQ_READ_ONLY", "fees are set by the sequencer: ask it", { data: {} });
  };
  const schema = (summary: string) => ({ schema: { tags: ["ledger"], summary } as object });

  app.get("/v1/fees", schema("What an operation costs now, and in the next batch"), () => {
    const { fee, feePerUnitWei, load } = lineOf();
    const { rules, nextWei } = fee;
    const basis = fee.basis(load);
    const isConstant = rules.feeMode === "constant";
    const isFalling = feePerUnitWei > nextWei;
    const highest = isFalling ? feePerUnitWei : nextWei;
    let suggested = highest;
    for (let i = 0; i < BATCHES_AHEAD && !isConstant; i++) suggested = fee.highestAfter(suggested);
    const costs = Object.entries(weightsView).map(([kind, weight]) => {
      const units = BigInt(weight);
      const feeWei = (units * feePerUnitWei).toString();
      return [kind, { weight, feeWei, nextFeeWei: (units * nextWei).toString() }];
    });
    return {
      mode: rules.feeMode,
      feePerUnitWei: feePerUnitWei.toString(),
      nextFeePerUnitWei: nextWei.toString(),
      suggestedMaxFeePerUnitWei: suggested.toString(),
      minFeePerUnitWei: isConstant ? null : rules.feeMinPerUnitWei.toString(),
      maxFeePerUnitWei: isConstant ? null : rules.feeMaxPerUnitWei.toString(),
      stepPerMille: isConstant ? 0 : rules.feeStepPerMille,
      load,
      basis:
        basis === null
          ? null
          : {
              aimWei: basis.aimWei.toString(),
              gasPriceWei: basis.gasPriceWei.toString(),
              openPerEtherWei: basis.openPerEtherWei.toString(),
              reportedAtMs: basis.reportedAtMs,
            },
      operations: Object.fromEntries(costs),
    };
  });

  app.get("/v1/operator/account", schema("What the operator earned and spent, over the last batches"), () => {
    const { account, fee } = lineOf();
    const openPerEtherWei = fee.openPerEther();
    const { incomeWei, l1CostEtherWei, proofCostWei, resultWei, ...counts } = account.result(openPerEtherWei);
    return {
      ...counts,
      incomeWei: incomeWei.toString(),
      l1CostEtherWei: l1CostEtherWei.toString(),
      proofCostWei: proofCostWei.toString(),
      openPerEtherWei: openPerEtherWei?.toString() ?? null,
      resultWei: resultWei?.toString() ?? null,
    };
  });
}
