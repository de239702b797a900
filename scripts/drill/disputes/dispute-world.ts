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
import type { BackendName } from "@openledger/prover/backends";
import { type Address, getAddress } from "viem";
import { WIDE_DRILL_SHAPE } from "../drill-circuit.ts";
import { DrillWorld } from "../drill-world.ts";
import { buildModelCircuits, SETTLEMENT_INDEX, TABLE_INDEX } from "../model-circuits.ts";
import { gatherPeople, publishRows, withOperator } from "./drill-people.ts";
import { type HonestModel, MODEL_KINDS, type ModelKind } from "./falsehood.ts";

export type DisputeWorld = Awaited<ReturnType<typeof startDisputeWorld>>;

/** What there is of a kind of models. */
export interface DisputeSide {
  /** The contract that judges its postings. */
  readonly disputes: Address;
  readonly honest: HonestModel;
  /** Of the circuit that settles it, and that circuit's place on L1. */
  readonly size: SettlementSize;
  readonly settlingIndex: number;
}

const FEATURES_OF_CLASSIFIER = 16;

export interface DisputeWorldOptions {
  readonly sizes: Readonly<Record<ModelKind, SettlementSize>>;
  readonly backend: BackendName;
  readonly keepIn: string | null;
  readonly tell: (text: string) => void;
}

export async function startDisputeWorld({ backend, keepIn, sizes, tell }: DisputeWorldOptions) {
  const { classifier, direct } = sizes;
  const others = await buildModelCircuits(classifier, [direct]);
  const contracts = {} as Record<ModelKind, Address>;
  let gate!: Address;
  const world = await DrillWorld.start({
    ...{ backend, slots: 2, shape: WIDE_DRILL_SHAPE, name: "disputes", keepIn, tell, others },
    gateOn: async (l1Url) => {
      tell("openledger disputes deploy");
      return withOperator(l1Url, async (run, signed) => {
        for (const kind of MODEL_KINDS) {
          const options = [...(kind === "direct" ? ["--direct"] : []), "--rows", String(sizes[kind].rows)];
          const { disputes } = await run<{ disputes: Address }>("disputes", "deploy", ...options, ...signed);
          contracts[kind] = getAddress(disputes);
        }
        gate = (await run<{ gate: Address }>("disputes", "gate", ...Object.values(contracts), ...signed))
          .gate;
        return getAddress(gate);
      });
    },
  });
  try {
    const people = await gatherPeople(world, tell);
    const { clients } = people;
    tell("a datanet with a version, posted on L1");
    const mails = sampleInputs("email", classifier.rows, "hostile owner");
    const { datanetId, rows } = await publishRows(
      world,
      clients,
      mails.map((row) => encodeRow("email", row)),
    );
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
    return {
      world,
      sides,
      /** What the rollup asks: one gate before the contracts of all kinds. Commands take its address. */
      gate,
      datanetId,
      ...people,
      stop: () => world.stop(),
    };
  } catch (error) {
    await world.stop();
    throw error;
  }
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
