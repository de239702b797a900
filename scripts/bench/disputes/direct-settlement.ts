/** What a direct model's settlement costs and how far its shares are off, beside an older model's. */
import { compileCircuit } from "@openledger/circuits/compiler/compile";
import { settlementCircuitSpec } from "@openledger/circuits/registry/circuit-registry";
import type { SettlementSize } from "@openledger/circuits/settlement/settlement-size";
import { benchSharesOff } from "../emails.ts";
import type { DisputesBenchOptions, DisputesPart } from "./disputes-part.ts";

export const directSettlement: DisputesPart = { name: "settlement", measure };

/** An epoch with a thousand rows, as docs/explanation/attribution-proof.md names it. */
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
  return { fields: { directConstraints, sharesOff: benchSharesOff(rows) }, besides: {} };
}
