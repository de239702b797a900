/**
 * Models that the gateway can ask, with the addresses of their servers and their prices by the ledger. Lists of models and
 * questions read it. Prices are in wei.
 */

import { fetchFiles } from "@openledger/attribution/model/model-download";
import { familyOf, type ModelFamily } from "@openledger/attribution/model/model-family";
import { decodeManifest, parseJson } from "@openledger/attribution/model/model-manifest";
import { assuranceOf } from "@openledger/attribution/model/reply-assurance";
import type { ReplyAssurance } from "@openledger/client/actions/answers/model-answers";
import type { ServedLocation } from "@openledger/client/actions/answers/served-models";
import type { LedgerClient } from "@openledger/client/ledger-client";
import { getModel, whyNotPayable } from "@openledger/client/sequencer/model-reads";
import type { LedgerModelLeaf } from "@openledger/client/sequencer/model-schemas";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { gatewayError } from "../gateway-errors.ts";
import { type FamiliesOf, MAX_ENTRIES } from "./checkable-models.ts";
import type { FigureView, ModelFigures } from "./model-figures.ts";

/** Reads the models' locations: of servers that were named, and of those that this machine knows. */
export type ListLocations = () => Promise<readonly ServedLocation[]>;

/** Time for which a list of locations is used again. */
const PLACES_MS = 10_000;

/** A model that the gateway can ask. */
export interface PricedModel {
  /** Name of the model in requests. */
  readonly name: string;
  readonly modelId: number;
  readonly serverUrl: string;
  readonly priceWei: bigint;
  /** True if the ledger takes payments for it. */
  readonly isPayable: boolean;
  /** Datanets whose rows it pays. */
  readonly datanets: readonly number[];
  readonly version: number;
  /** Assurance of the parts of its replies; null where its server did not give its recipe. */
  readonly assurance: ReplyAssurance | null;
  /** Figure of unseen rows that the model's leaf has signed. */
  readonly figure: FigureView;
}

const nameOf = (modelId: number): string => `model-${modelId}`;

export class ModelLocations {
  readonly #client: LedgerClient;
  readonly #listLocations: ListLocations;
  readonly #familiesOf: FamiliesOf;
  readonly #isAnsweredAgain: boolean;
  readonly #figures: Pick<ModelFigures, "of">;
  readonly #assurances = new Map<number, ReplyAssurance>();
  #locations: { readonly untilMs: number; readonly list: Promise<readonly ServedLocation[]> } | null = null;

  /** @param isAnsweredAgain whether the gateway has each answer computed again */
  constructor(
    client: LedgerClient,
    listLocations: ListLocations,
    familiesOf: FamiliesOf,
    isAnsweredAgain: boolean,
    figures: Pick<ModelFigures, "of">,
  ) {
    this.#client = client;
    this.#listLocations = listLocations;
    this.#familiesOf = familiesOf;
    this.#isAnsweredAgain = isAnsweredAgain;
    this.#figures = figures;
  }

  #list(): Promise<readonly ServedLocation[]> {
    const nowMs = Date.now();
    if (this.#locations === null || this.#locations.untilMs < nowMs) {
      const list = this.#listLocations();
      this.#locations = { untilMs: nowMs + PLACES_MS, list };
      list.catch(() => {
        this.#locations = null;
      });
    }
    return this.#locations.list;
  }

  /** Finds a model by its name in a request: `model-15`. @throws GAT_MODEL_UNKNOWN */
  async find(name: string): Promise<ServedLocation> {
    const location = (await this.#list()).find(({ modelId }) => nameOf(modelId) === name);
    if (location !== undefined) return location;
    throw gatewayError("GAT_MODEL_UNKNOWN", `no known server has a registered model ${name.slice(0, 80)}`, {
      data: { param: "model" },
    });
  }

  /** Address of the model's server; null where none is known. */
  async urlOf(modelId: number): Promise<string | null> {
    return (await this.#list()).find((location) => location.modelId === modelId)?.serverUrl ?? null;
  }

  /** Lists the models that the ledger has, in the order of their ids. */
  async models(): Promise<PricedModel[]> {
    const locations = await this.#list();
    const models = await Promise.all(locations.map((location) => this.#priced(location)));
    return models.filter((model) => model !== null).sort((a, b) => a.modelId - b.modelId);
  }

  async model(name: string): Promise<PricedModel> {
    const model = await this.#priced(await this.find(name));
    if (model !== null) return model;
    throw gatewayError("GAT_MODEL_UNKNOWN", `the ledger has no model ${name.slice(0, 80)}`, {
      data: { param: "model" },
    });
  }

  async #priced(location: ServedLocation): Promise<PricedModel | null> {
    const { modelId, serverUrl } = location;
    let leaf: LedgerModelLeaf;
    try {
      leaf = await getModel(this.#client, modelId);
    } catch (error) {
      // A server of another rollup.
      if (isRollupError(error, "CLI_LEAF_NOT_FOUND") || isRollupError(error, "OP_WRONG_LEAF_KIND"))
        return null;
      throw error;
    }
    const { counters, model } = leaf;
    const datanets = [model.datanetId, ...model.furtherDatanets];
    const [assurance, figure] = await Promise.all([
      this.#assurance(location),
      this.#figures.of(location, datanets),
    ]);
    return {
      name: nameOf(modelId),
      modelId,
      serverUrl,
      priceWei: counters.priceWei,
      isPayable: whyNotPayable(counters) === null,
      datanets,
      version: model.version,
      assurance,
      figure,
    };
  }

  async #assurance({ modelId, serverUrl }: ServedLocation): Promise<ReplyAssurance | null> {
    const known = this.#assurances.get(modelId);
    if (known !== undefined) return known;
    try {
      const families = await this.#familiesOf(serverUrl);
      const { manifest, recipe } = await fetchRecipe(serverUrl, families);
      const assurance = assuranceOf(recipe, {
        isAnsweredAgain: this.#isAnsweredAgain,
        areRowsRecomputed: manifest.rowCount * manifest.columnCount <= MAX_ENTRIES,
      });
      this.#assurances.set(modelId, assurance);
      return assurance;
    } catch {
      // The list has the other models all the same.
      return null;
    }
  }
}

async function fetchRecipe(serverUrl: string, families: readonly ModelFamily[]) {
  const files = await fetchFiles(serverUrl, ["recipe.json"], families, {});
  const json = parseJson(files.get("recipe.json") ?? new Uint8Array(), "recipe.json");
  return { manifest: decodeManifest(files), recipe: familyOf(json, families).parseRecipe(json) };
}
