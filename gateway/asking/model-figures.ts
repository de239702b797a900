/**
 * Figures of the models that the gateway can ask: signed by the models' leaves, checked here against the ledger, with who has recomputed
 * them where a Datanet host is known. `GET /v1/models` lists them.
 */
import { sumsOf } from "@openledger/attribution/model/model-figure";
import { wilson } from "@openledger/attribution/model/unseen-shares";
import {
  type FigureChecks,
  figureChecks,
  figureLine,
  type ReadFigureReturnType,
  readFigure,
} from "@openledger/client/actions/answers/model-figure";
import type { ServedLocation } from "@openledger/client/actions/answers/served-models";
import { findVerified } from "@openledger/client/datanets/verified-records";
import type { LedgerClient } from "@openledger/client/ledger-client";
import { isRollupError } from "@openledger/foundation/rollup-error";

/** Time for which a figure is shown again without a question to the model's server. */
const FIGURE_MS = 60_000;

/** unavailable: the model's server did not answer. */
export type FigureView =
  | { readonly state: "none" | "unavailable" }
  | { readonly state: "refused"; readonly fault: string; readonly text: string }
  | {
      readonly state: "signed";
      readonly id: string;
      /** Figure in words. */
      readonly text: string;
      readonly rowCount: number;
      readonly rightCount: number;
      /** 95 % interval of the accuracy, in shares of 1. */
      readonly low: number;
      readonly high: number;
      readonly majorityCount: number;
      readonly logisticCount: number;
      readonly foldCount: number;
      readonly isByContributor: boolean;
      readonly labels: readonly { label: string; rowCount: number; rightCount: number }[];
      /** null where no Datanet host was asked. */
      readonly recomputed: FigureChecks | null;
    };

export interface FigureModules {
  readonly client: LedgerClient;
  /** The gateway's own account. */
  readonly leafId: number;
  /** Datanet host that is asked who has recomputed a model; null: none. */
  readonly hostUrl: string | null;
}

export class ModelFigures {
  readonly #modules: FigureModules;
  readonly #known = new Map<number, { readonly untilMs: number; readonly view: Promise<FigureView> }>();

  constructor(modules: FigureModules) {
    this.#modules = modules;
  }

  /** Figure of a model. Never fails: the list has the other models all the same. */
  of(location: ServedLocation, datanetIds: readonly number[]): Promise<FigureView> {
    const nowMs = Date.now();
    const known = this.#known.get(location.modelId);
    if (known !== undefined && known.untilMs > nowMs) return known.view;
    const view = this.#read(location, datanetIds);
    this.#known.set(location.modelId, { untilMs: nowMs + FIGURE_MS, view });
    return view;
  }

  async #read({ modelId, serverUrl }: ServedLocation, datanetIds: readonly number[]): Promise<FigureView> {
    let found: ReadFigureReturnType;
    try {
      found = await readFigure(this.#modules.client, { modelId, serverUrl });
    } catch (error) {
      if (!isRollupError(error)) throw error;
      // Asked again with the next list.
      this.#known.delete(modelId);
      return { state: "unavailable" };
    }
    if (found.state === "none") return found;
    if (found.state === "refused") return { ...found, text: figureLine(found, null)! };
    const recomputed = await this.#checks(found.id, modelId, datanetIds);
    const { figure } = found.signed.body;
    const { rightCount, rowCount } = sumsOf(figure);
    const [low, high] = wilson(rightCount / rowCount, rowCount);
    const text = figureLine(found, recomputed)!;
    return { state: "signed", id: found.id, text, rowCount, rightCount, low, high, ...figure, recomputed };
  }

  async #checks(id: string, modelId: number, datanetIds: readonly number[]): Promise<FigureChecks | null> {
    const { client, hostUrl, leafId } = this.#modules;
    if (hostUrl === null) return null;
    // A silent host counts as one that lists nothing.
    const { verifications } = await findVerified(client, { hostUrls: [hostUrl], datanetIds, modelId });
    return figureChecks(verifications, id, leafId);
  }
}
