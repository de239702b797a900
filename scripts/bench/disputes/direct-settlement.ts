/** What a direct model's settlement costs, and how far its shares are off. */
import { measureDirect } from "@openledger/attribution/internal/research/direct-quality";
import { compileCircuit } from "@openledger/circuits/compiler/compile";
import { settlementCircuitSpec } from "@openledger/circuits/registry/circuit-registry";
import type { SettlementSize } from "@openledger/circuits/settlement/settlement-size";
import type { DisputesBenchOptions, DisputesPart } from "./disputes-part.ts";

export const directSettlement: DisputesPart = { name: "settlement", measure };

/** An epoch with a thousand rows, as docs/attribution-proof.md names it. */
const DIRECT: SettlementSize = {
  rows: 1_024,
  features: 1_024,
  earners: 64,
  payments: 32,
  draws: 4,
  isDirect: true,
};

async function measure({ rows }: DisputesBenchOptions) {
  const spec = settlementCircuitSpec(DIRECT);
  console.log(`compiling ${spec.name}: two minutes, then cached`);
  const { constraintCounts } = await compileCircuit(spec);
  const directConstraints = constraintCounts.nonLinear + constraintCounts.linear;
  const { ways } = measureDirect({
    ...{ inputs: { kind: "email", bucketCount: DIRECT.features }, decay: 0.001, seed: "direct" },
    ...{ rowCount: rows, queryCount: 200, subsetCount: 0, leaveOneOutCount: 0, bitCounts: [10] },
  });
  const { sharesOff } = ways.find(({ way }) => way === "int10")!;
  return { fields: { directConstraints, sharesOff }, besides: {} };
}
