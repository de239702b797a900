import { join } from "node:path";
import type { Address } from "viem";

/** Where models' published files are. */
export interface ModelPlaces {
  /** Folder of one published model, instead of its server. */
  readonly model?: string | undefined;
  /** Folder of published models, each in a folder named by its id. */
  readonly models?: string | undefined;
  /** Folder or address of a language model's base, beside the base of this software. */
  readonly base?: string | undefined;
  /** Address of a model's server; null where none is known. */
  readonly serverOf?: (modelId: number) => string | null;
}

/** Folder of a model's published files; undefined where its server is asked. */
export const folderOf = ({ model, models }: ModelPlaces, modelId: number): string | undefined =>
  models === undefined ? model : join(models, String(modelId));

/** What players of a contract's games need to know. */
export interface GameWatchSetting {
  /** Rollup whose models are played; null plays none. */
  readonly rollup: Address | null;
  readonly places: ModelPlaces;
  /** Keeps how far L1 was read, so that a restart reads new blocks alone; undefined for nowhere. */
  readonly folder?: string;
  /** Whether there are further looks: a single one traces everything at once. */
  readonly isRepeated: boolean;
  /** The most that one challenge may cost; default: eight times the contract's stake. */
  readonly mostStakeWei?: bigint;
}
