/** Request schemas (zod) of the routes about models and settlements. docs/reference/api.md is the contract. */
import { MAX_FURTHER_ENTRIES, MAX_SETTLEMENT_BYTES } from "@openledger/circuits/wire/operator-api";
import { elementOrDecimal, hexBytes, leafId, proof, signature } from "@openledger/circuits/wire/wire-fields";
import { countFromText, limit } from "@openledger/foundation/wire/query-text";
import { z } from "zod";

const epochFromText = countFromText.refine((epoch) => epoch < 2 ** 24, "is not a 24-bit epoch");

export const modelParams = z.object({ id: countFromText });
export const leafParams = modelParams;
export const paymentsQuery = z.strictObject({
  epoch: epochFromText.optional(),
  from: countFromText.default(0),
  limit: limit(1_000, 500),
});
export const settlementsQuery = z.strictObject({ model: countFromText, limit: limit(200, 50) });
export const preVerifiedQuery = z.strictObject({ model: countFromText.optional() });
export const settlementParams = z.object({ model: countFromText, epoch: epochFromText });

/** Fields that every entry of a settlement has. */
export const entryFields = {
  circuit: z
    .string()
    .max(100)
    .meta({ examples: ["payee-table-64"] }),
  data: hexBytes(MAX_SETTLEMENT_BYTES).meta({
    description: "what L1 gets: docs/reference/settlement.md, On L1",
  }),
  publicSignals: z
    .tuple([elementOrDecimal, elementOrDecimal, elementOrDecimal])
    .meta({ description: "C, y, z" }),
  proof: proof.meta({ description: "the real part of G2's coordinates first" }),
};
export const furtherEntries = z
  .array(z.strictObject(entryFields))
  .max(MAX_FURTHER_ENTRIES)
  .optional()
  .meta({ description: "the other entries in L1's order, of a model of several shards" });

export const settlementBody = z.strictObject({
  kind: z.enum(["settle", "activation"]),
  modelId: leafId,
  settlementHash: elementOrDecimal.meta({ description: "J" }),
  ...entryFields,
  further: furtherEntries,
  signature: signature
    .optional()
    .meta({ description: "the model's, over J; needed for an activation, and where draws are void" }),
});
export type SettlementBody = z.output<typeof settlementBody>;
