/** A rollup that waits for claims of a language model's queries, and two models of the same rows: one owner is honest, one is not. */
import { join } from "node:path";
import { writeModel } from "@openledger/attribution/model/model-directory";
import type { AnsweringModel, Trained } from "@openledger/attribution/model/model-family";
import { type PublishedModel, publishedModel } from "@openledger/attribution/model/model-files";
import { registerModel } from "@openledger/attribution/model/registration";
import { encodeTextRow } from "@openledger/attribution/rows/text-rows";
import { withTracing } from "@openledger/challenger/games/traced-recipe";
import { openTracedText } from "@openledger/challenger/internal/games/traced-text";
import type { SettlementSize } from "@openledger/circuits/settlement/settlement-size";
import { folderSource } from "@openledger/models/files/folder-source";
import { describeBase, readFrom } from "@openledger/models/registered/base-files";
import { type TextParts, textFamily } from "@openledger/models/registered/text-family";
import {
  realFeatures,
  type TrainingSetting,
  textTraining,
} from "@openledger/models/registered/text-training";
import { makeModel, writeMadeModel } from "@openledger/models/testing/made-models";
import { byteConfig, sampleTexts, textRecipeFor } from "@openledger/models/testing/text-rows";
import { type Address, getAddress, parseEther } from "viem";
import { drillAccount } from "../../world/accounts.ts";
import { drillError } from "../../world/drill-errors.ts";
import { buildModelCircuits } from "../../world/model-circuits.ts";
import { type GatedOptions, publishRows, startGatedWorld } from "./gated-world.ts";
import type { HonestTexts } from "./language-falsehoods.ts";

export interface LanguageWorldOptions extends GatedOptions {
  readonly size: SettlementSize;
}

export type OpenedWorld = Awaited<ReturnType<typeof startLanguageWorld>>;

/** With both owners' models, which have begun. */
export interface LanguageWorld extends OpenedWorld {
  readonly models: Readonly<Record<Owner, PlayedModel>>;
}

/** On the ledger, without its activation. */
export interface CreatedModel {
  readonly owner: Owner;
  readonly published: PublishedModel<TextParts>;
  readonly modelId: number;
  readonly cap: number;
  /** Its owner's copy, and the one that is published. */
  readonly staged: string;
  readonly folder: string;
}

/** Who owns a model, claims its queries, and signs for it. */
export type Owner = "builder" | "hostile";

export interface PlayedModel {
  readonly modelId: number;
  readonly folder: string;
  readonly published: PublishedModel<TextParts>;
  readonly answering: AnsweringModel<Int16Array>;
  readonly traced: Awaited<ReturnType<typeof openTracedText>>;
}

export const BOND_WEI = parseEther("0.5");
export const STAKE_WEI = parseEther("0.1");
const DAY_SECONDS = 86_400;
const FEATURES_OF_QUERY = 16;

export async function startLanguageWorld(options: LanguageWorldOptions) {
  const { backend, size, tell } = options;
  let deployed!: Readonly<Record<"game" | "gate", Address>>;
  return startGatedWorld(
    options,
    { name: "language", others: await buildModelCircuits(size) },
    async (run, signed) => {
      tell("openledger disputes deploy");
      const { game, gate } = await run<typeof deployed>("disputes", "deploy", ...signed);
      deployed = { game: getAddress(game), gate: getAddress(gate) };
      return deployed.gate;
    },
    async (world, people) => {
      const { gate } = deployed;
      tell("a datanet with a version, posted on L1");
      const contents = sampleTexts(size.rows).map(encodeTextRow);
      const { datanetId, rows } = await publishRows(world, people.clients, contents);
      const base = join(world.folder, "base");
      await writeMadeModel(base, makeModel({ ...byteConfig, num_hidden_layers: 1 }, "text"));
      const setting: TrainingSetting = {
        ...{ bases: [readFrom(folderSource(base))], kernels: "wasm", threadCount: 1 },
      };
      const recipe = textRecipeFor(rows, await describeBase(folderSource(base), "made"), {
        columnCount: size.features,
        method: { kind: "influence", scaling: "rms", ridge: 3, featureCount: FEATURES_OF_QUERY },
      });
      const datanet = { ...recipe.datanet, id: datanetId };
      const family = textFamily(setting);
      const parts = await textTraining(family, setting).train(rows, { ...recipe, datanet }, {});

      const split = { ownerParts: 13_107n, validatorParts: 8_192n };
      /** A model with its statics, whoever it lies to. */
      const registered = (trained: Trained<TextParts>) =>
        publishedModel(trained as never, registerModel(trained as never, { split }, size), {
          publishRows: true,
        }) as unknown as PublishedModel<TextParts>;
      const promised = async (owner: Owner) =>
        withTracing(parts, drillAccount(owner).address, setting, contents) as Promise<Trained<TextParts>>;

      const known = new Map<bigint, CreatedModel>();
      /** Created, published, and registered on L1 for claims, once. It has not begun: its rows are to be posted. */
      const created = async (
        owner: Owner,
        published: PublishedModel<TextParts>,
        name: string,
      ): Promise<CreatedModel> => {
        const before = known.get(published.staticsHash);
        if (before !== undefined) return before;
        const staged = join(world.folder, `staged-${name}`);
        await writeModel(staged, published as never);
        const signed = people.as(owner);
        const register = ["models", "register", staged, "--prover", backend, ...signed] as const;
        const { cap, modelId } = await people.run.run<{ modelId: number; cap: number }>(...register);
        const folder = join(people.published, String(modelId));
        await writeModel(folder, published as never);
        await world.allPosted();
        const named = ["--model-id", String(modelId), "--cap", String(cap), "--base", base];
        await people.run.run("disputes", "admit", gate, staged, ...named, ...signed);
        const model = { owner, published, modelId, cap, staged, folder };
        known.set(published.staticsHash, model);
        return model;
      };

      /** After its window: admitted, and begun. */
      const begun = async ({
        cap,
        folder,
        modelId,
        owner,
        published,
        staged,
      }: CreatedModel): Promise<PlayedModel> => {
        const signed = people.as(owner);
        const named = ["--model-id", String(modelId), "--cap", String(cap)];
        await people.run.run("disputes", "admit", gate, staged, ...named, ...signed);
        const register = ["models", "register", staged, "--prover", backend, ...signed] as const;
        const { activation } = await people.run.run<{ activation: object | null }>(...register);
        if (activation === null) throw drillError("DRL_UNEXPECTED", `model ${modelId} has no activation`);
        const { rollupAddress: rollup } = people.clients.builder;
        const traced = await openTracedText({ rollup, modelId: BigInt(modelId) }, published, setting);
        const answering = (await family.open(published)) as AnsweringModel<Int16Array>;
        return { modelId, folder, published, answering, traced };
      };
      /** Both have begun: the datanet approves them. */
      const approved = async (models: readonly PlayedModel[]): Promise<void> => {
        await world.passTime(2 * DAY_SECONDS);
        for (const { modelId } of models) {
          const approve = ["datanet", "approve-model", String(datanetId), String(modelId)];
          await people.run.run(...approve, ...people.as("builder"));
        }
        await world.allPosted();
      };
      /** What the liar knows of the model that he makes false ones of. */
      const honestTexts = async (owner: Owner): Promise<HonestTexts> => {
        const trained = await promised(owner);
        const { rollupAddress: rollup } = people.clients.builder;
        const traced = await openTracedText({ rollup, modelId: 0n }, trained, setting);
        const real = await realFeatures(trained, rows, setting, {});
        return { trained, rows, traced, real, setting, register: registered };
      };
      return { ...deployed, base, approved, begun, created, honestTexts, promised, registered };
    },
  );
}
