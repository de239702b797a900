/** A rollup whose gate has a contract of disputes for each kind of models, a datanet of e-mails on it, and the people who meet there. */

import { trainDirect } from "@openledger/attribution/model/direct-training";
import type { OwnedRow } from "@openledger/attribution/model/owned-rows";
import type { Recipe } from "@openledger/attribution/model/recipe";
import { trainModel } from "@openledger/attribution/model/trained-model";
import { encodeRow } from "@openledger/attribution/rows/row-content";
import { directRecipeFor } from "@openledger/attribution/testing/direct-rows";
import { recipeFor, sampleInputs } from "@openledger/attribution/testing/sample-rows";
import { registeredDirect } from "@openledger/challenger/internal/postings/testing/direct-case";
import { registered } from "@openledger/challenger/internal/postings/testing/dispute-fixture";
import type { SettlementSize } from "@openledger/circuits/settlement/settlement-size";
import { type Address, getAddress } from "viem";
import { buildModelCircuits, SETTLEMENT_INDEX, TABLE_INDEX } from "../../world/model-circuits.ts";
import { type HonestModel, MODEL_KINDS, type ModelKind } from "./falsehood.ts";
import { type GatedOptions, publishRows, startGatedWorld } from "./gated-world.ts";

export type DisputeWorld = Awaited<ReturnType<typeof startDisputeWorld>>;

/** What there is of a kind of models. */
interface DisputeSide {
  /** The contract that judges its postings. */
  readonly disputes: Address;
  readonly honest: HonestModel;
  /** Of the circuit that settles it, and that circuit's place on L1. */
  readonly size: SettlementSize;
  readonly settlingIndex: number;
}

const FEATURES_OF_CLASSIFIER = 16;

export interface DisputeWorldOptions extends GatedOptions {
  readonly sizes: Readonly<Record<ModelKind, SettlementSize>>;
}

export async function startDisputeWorld(options: DisputeWorldOptions) {
  const { sizes, tell } = options;
  const { classifier, direct } = sizes;
  const contracts = {} as Record<ModelKind, Address>;
  /** What the rollup asks: one gate before the contracts of all kinds. Commands take its address. */
  let gate!: Address;
  return startGatedWorld(
    options,
    { name: "disputes", others: await buildModelCircuits(classifier, [direct]) },
    async (run, signed) => {
      tell("openledger disputes deploy");
      for (const kind of MODEL_KINDS) {
        const terms = ["--kind", kind === "direct" ? "direct" : "emails"];
        const others = Object.values(contracts);
        if (others.length > 0) terms.push("--beside", ...others);
        const made = await run<Record<"disputes" | "gate", Address>>(
          "disputes",
          "deploy",
          ...terms,
          ...signed,
        );
        contracts[kind] = getAddress(made.disputes);
        gate = getAddress(made.gate);
      }
      return gate;
    },
    async (world, { clients }) => {
      tell("a datanet with a version, posted on L1");
      const mails = sampleInputs("email", classifier.rows, "hostile owner");
      const contents = mails.map((row) => encodeRow("email", row));
      const { datanetId, rows } = await publishRows(world, clients, contents);
      tell("an honest model of each kind");
      const sides: Readonly<Record<ModelKind, DisputeSide>> = {
        classifier: {
          disputes: contracts.classifier,
          honest: { model: honestClassifier(rows, datanetId, classifier), rows, draws: classifier.draws },
          ...{ size: classifier, settlingIndex: SETTLEMENT_INDEX },
        },
        direct: {
          disputes: contracts.direct,
          honest: { model: honestDirect(rows, datanetId, direct), rows, draws: direct.draws },
          ...{ size: direct, settlingIndex: TABLE_INDEX + 1 },
        },
      };
      return { sides, gate, datanetId };
    },
  );
}

function honestClassifier(rows: readonly OwnedRow[], datanetId: number, size: SettlementSize) {
  const featureCount = Math.min(FEATURES_OF_CLASSIFIER, size.rows / 2);
  const method = { kind: "influence", damping: 0.01, featureCount } as const;
  const { datanet, ...given } = recipeFor(rows, {
    ...{ isChallengeable: true, columnCount: size.features, method },
  } as Partial<Recipe>);
  const trained = trainModel(rows, { ...given, datanet: { ...datanet, id: datanetId } });
  return registered(trained, size.draws);
}

function honestDirect(rows: readonly OwnedRow[], datanetId: number, size: SettlementSize) {
  const { datanet, ...given } = directRecipeFor(rows, size.features, { isChallengeable: true });
  return registeredDirect(trainDirect(rows, { ...given, datanet: { ...datanet, id: datanetId } }));
}
