/** A rollup whose gate is a contract of disputes, a datanet of e-mails on it, and the people who meet there. */

import { trainDirect } from "@openledger/attribution/model/direct/direct-training";
import type { OwnedRow } from "@openledger/attribution/model/owned-rows";
import { encodeRow } from "@openledger/attribution/rows/row-content";
import { recipeFor, sampleInputs } from "@openledger/attribution/testing/sample-rows";
import { registeredDirect } from "@openledger/challenger/internal/model-commitments/testing/direct-case";
import type { SettlementSize } from "@openledger/circuits/settlement/settlement-size";
import { type Address, getAddress } from "viem";
import { buildModelCircuits } from "../../world/model-circuits.ts";
import type { HonestModel } from "./falsehood.ts";
import { type GatedOptions, publishRows, startGatedWorld } from "./gated-world.ts";

export type DisputeWorld = Awaited<ReturnType<typeof startDisputeWorld>>;

export interface DisputeWorldOptions extends GatedOptions {
  readonly size: SettlementSize;
}

export async function startDisputeWorld(options: DisputeWorldOptions) {
  const { size, tell } = options;
  /** What the rollup asks, and what judges model commitments. Commands take its address. */
  let gate!: Address;
  return startGatedWorld(
    options,
    { name: "disputes", others: await buildModelCircuits(size) },
    async (run, signed) => {
      tell("openledger disputes deploy");
      const made = await run<{ gate: Address }>("disputes", "deploy", ...signed);
      gate = getAddress(made.gate);
      return gate;
    },
    async (world, { clients }) => {
      tell("a datanet with a version, posted on L1");
      const mails = sampleInputs("email", size.rows, "hostile owner");
      const contents = mails.map((row) => encodeRow("email", row));
      const { datanetId, rows } = await publishRows(world, clients, contents);
      tell("an honest model");
      const honest: HonestModel = { model: honestModel(rows, datanetId, size), rows, draws: size.draws };
      return { honest, gate, datanetId, size };
    },
  );
}

function honestModel(rows: readonly OwnedRow[], datanetId: number, size: SettlementSize) {
  const { datanet, ...given } = recipeFor(rows, size.features, { isChallengeable: true });
  return registeredDirect(trainDirect(rows, { ...given, datanet: { ...datanet, id: datanetId } }));
}
