/**
 * Bases that the factory's jobs may tune: the one that ships, those of FACTORY_BASES, and those that people have added since.
 * Each is opened and hashed once, then stored.
 */
import { createHash } from "node:crypto";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import type { Database } from "@openledger/foundation/database/database";
import { nativeKernelSets } from "../../engine/kernels/native-kernels.ts";
import { factoryError } from "../../model-errors.ts";
import { isAddress, OWN_BASE } from "../../tuning/base/base-address.ts";
import { addedFolder } from "../../tuning/recipe/add-base.ts";
import { hubAddress } from "../../tuning/recipe/hub.ts";
import { parseHubName } from "../../tuning/recipe/hub-name.ts";
import type { FactoryBase, FactoryBaseCopy, FactoryBasePlan } from "../factory-api.ts";
import type { FactoryConfig } from "../factory-config.ts";
import { ChildTask, type TaskLimits } from "../tasks/child-task.ts";
import { describeBaseAt } from "../tasks/describe-base.ts";
import type { FactoryTask, TaskResults } from "../tasks/task-messages.ts";
import type { StoredBase } from "./factory-records.ts";

/** Id of the base that this repository ships. */
const OWN_ID = "own";

/** Describes a base in a process of its own, since large files are hashed. */
type Describe = (task: { readonly mode: "base"; readonly place: string }) => Promise<TaskResults["base"]>;

/** Ending of a setting that means each folder below the one before it. */
const EACH = "/*";
/** Maximum bases that are fetched at a time. */
const MAX_COPIES = 2;
/** Maximum folders that one setting with `/*` lists. */
const MAX_BELOW = 100;

type PlanTask = Extract<FactoryTask, { readonly mode: "basePlan" }>;

interface BaseRow {
  readonly place: string;
  readonly view: string;
  readonly files: string;
}

type BaseConfig = Pick<FactoryConfig, "bases" | "basePlaces" | "kernels" | keyof TaskLimits>;

/** A base that is fetched. */
interface Copying {
  done: number;
  total: number;
  /** Refusal, for the next one who asks. */
  failure: unknown;
}

/** The bases that jobs may use: our own, those of the settings, and what people have named since. */
export class BaseRegistry {
  readonly #config: BaseConfig;
  readonly #database: Database;
  /** Sources of the settings that are no models, until the next start. */
  readonly #refused = new Set<string>();
  /** Sources that are being opened. */
  readonly #opening = new Map<string, Promise<StoredBase>>();
  /** Bases of a hub that are fetched, by their places. */
  readonly #copies = new Map<string, Copying>();
  #seenCount = 1;

  constructor(config: BaseConfig, database: Database) {
    this.#config = config;
    this.#database = database;
  }

  /** Number of bases at the last look. */
  get seenCount(): number {
    return this.#seenCount;
  }

  /** Opens the bases of the settings, too. @throws what they are refused for */
  async load(): Promise<void> {
    await this.#put(storedBase(OWN_BASE, await describeBaseAt(OWN_BASE)));
    for (const place of await this.#sources()) await this.#open(place, this.#describeAlone);
    await this.#all();
  }

  /** Lists the bases, with folders that were added since the start. A folder that is no model is left out. */
  async list(): Promise<FactoryBase[]> {
    const known = await this.#all();
    const isListed = new Set(known.map(({ place }) => place));
    const added = (await this.#sources()).filter(
      (place) => !isListed.has(place) && !this.#refused.has(place),
    );
    // Once each: anybody may ask for the list, and each try is a process.
    for (const place of added)
      await this.#open(place, this.#describeAlone).catch(() => this.#refused.add(place));
    const all = added.length === 0 ? known : await this.#all();
    // What the operator names one by one is offered first.
    const rank = ({ place }: StoredBase) => {
      const at = this.#config.bases.indexOf(place);
      return at < 0 ? this.#config.bases.length : at;
    };
    return all.sort((a, b) => rank(a) - rank(b)).map(({ view }) => view);
  }

  /** @throws MOD_FACTORY_UNKNOWN */
  async require(id: string): Promise<StoredBase> {
    const [row] = await this.#database.query<BaseRow>("select * from bases where id = $1", [id]);
    if (row !== undefined) return baseOf(row);
    throw factoryError("MOD_FACTORY_UNKNOWN", `there is no base ${id}`, { data: { kind: "base", id } });
  }

  /**
   * @param describe hashes a source that is new, within the limits of the one who asks
   * @returns how far it is, for a hub's name whose files are fetched
   * @throws MOD_FACTORY_REFUSED, and what no model is refused for
   */
  async add(place: string, describe: Describe): Promise<FactoryBase | FactoryBaseCopy> {
    if (!this.#requireAllowed(place)) return (await this.#open(place, describe)).view;
    const folder = await addedFolder(place, this.#folderOfCopies());
    if (folder !== null) return (await this.#open(folder, describe)).view;
    const copying = this.#copies.get(place) ?? this.#copy(place);
    const { done, failure, total } = copying;
    if (failure === null) return { state: "copying", done, total };
    this.#copies.delete(place);
    throw failure;
  }

  /** @throws MOD_FACTORY_REFUSED, and what the base is refused for */
  async plan(place: string, side: (task: PlanTask) => Promise<FactoryBasePlan>): Promise<FactoryBasePlan> {
    if (this.#requireAllowed(place)) return side({ mode: "basePlan", place, bases: this.#folderOfCopies() });
    throw factoryError(
      "MOD_FACTORY_REFUSED",
      `${place.slice(0, 200)} is no name of a hub: it is read where it is`,
      {
        data: { reason: "no-hub-name" },
      },
    );
  }

  /** @returns true for a hub's name @throws MOD_FACTORY_REFUSED */
  #requireAllowed(place: string): boolean {
    const { basePlaces, bases } = this.#config;
    const isAllowed = (at: string) => basePlaces.some((start) => isBelow(at, start));
    if (bases.includes(place) || isAllowed(place)) return false;
    const hubName = parseHubName(place);
    if (hubName !== null && isAllowed(hubAddress(hubName.name))) return true;
    throw factoryError("MOD_FACTORY_REFUSED", `bases may not be read from ${place.slice(0, 200)}`, {
      data: { reason: "place-refused", basePlaces },
    });
  }

  /** @throws MOD_FACTORY_REFUSED */
  #folderOfCopies(): string {
    const listed = this.#config.bases.find((place) => !isAddress(place) && place.endsWith(EACH));
    if (listed !== undefined) return listed.slice(0, -EACH.length);
    throw factoryError("MOD_FACTORY_REFUSED", "FACTORY_BASES names no FOLDER/* for bases of a hub", {
      data: { reason: "no-folder" },
    });
  }

  #copy(place: string): Copying {
    // Of refusals that nobody has asked for again, none is held for ever.
    for (const [other, { failure }] of this.#copies) if (failure !== null) this.#copies.delete(other);
    if (this.#copies.size >= MAX_COPIES)
      throw factoryError("SRV_QUOTA_USED", `${this.#copies.size} bases are fetched: wait for one`, {
        data: { reason: "copies-full", what: "copies of bases", max: MAX_COPIES },
      });
    const copying: Copying = { done: 0, total: 0, failure: null };
    this.#copies.set(place, copying);
    const fastest = nativeKernelSets().length > 0 ? "native" : "wasm";
    const { kernels } = this.#config;
    const task = {
      mode: "baseCopy",
      place,
      bases: this.#folderOfCopies(),
      kernels: kernels === "fastest" ? fastest : kernels,
    } as const;
    const child = new ChildTask(task, this.#config, async (message) => {
      if (message.kind !== "copy") return;
      copying.done = message.done;
      copying.total = message.total;
    });
    child.ended.then(
      () => this.#copies.delete(place),
      (error: unknown) => {
        copying.failure = error;
      },
    );
    return copying;
  }

  readonly #describeAlone: Describe = async (task) => (await new ChildTask(task, this.#config).ended).result!;

  /** Sources of bases that the settings name. */
  async #sources(): Promise<string[]> {
    const positions = this.#config.bases.map(async (place) => {
      if (isAddress(place) || !place.endsWith(EACH)) return [place];
      const parent = place.slice(0, -EACH.length);
      const below = await readdir(parent, { withFileTypes: true }).catch(() => []);
      const folders = below.filter((entry) => entry.isDirectory() && !entry.name.endsWith(".part"));
      return folders.slice(0, MAX_BELOW).map(({ name }) => join(parent, name));
    });
    return (await Promise.all(positions)).flat();
  }

  async #open(place: string, describe: Describe): Promise<StoredBase> {
    const [known] = await this.#database.query<BaseRow>("select * from bases where place = $1", [place]);
    if (known !== undefined) return baseOf(known);
    const running = this.#opening.get(place) ?? this.#describe(place, describe);
    this.#opening.set(place, running);
    try {
      return await running;
    } finally {
      this.#opening.delete(place);
    }
  }

  async #describe(place: string, describe: Describe): Promise<StoredBase> {
    const base = storedBase(place, await describe({ mode: "base", place }));
    await this.#put(base);
    return base;
  }

  /** Another server may have described it, too. */
  async #put({ files, place, view }: StoredBase): Promise<void> {
    await this.#database.query(
      `insert into bases (id, place, view, files) values ($1, $2, $3, $4)
         on conflict (id) do update set view = excluded.view, files = excluded.files`,
      [view.id, place, JSON.stringify(view), JSON.stringify(files)],
    );
  }

  async #all(): Promise<StoredBase[]> {
    const rows = await this.#database.query<BaseRow>("select * from bases order by id <> $1, number", [
      OWN_ID,
    ]);
    this.#seenCount = rows.length;
    return rows.map(baseOf);
  }
}

const baseOf = ({ files, place, view }: BaseRow): StoredBase => ({
  place,
  view: JSON.parse(view) as StoredBase["view"],
  files: JSON.parse(files) as StoredBase["files"],
});

/** Returns true if a source is below another. It must not contain ".." in any spelling, nor be merely a longer name. */
function isBelow(place: string, start: string): boolean {
  const parts = place.split("/");
  return (
    !parts.includes("..") &&
    (!isAddress(place) || isPlainAddress(place)) &&
    place.startsWith(start.endsWith("/") ? start : `${start}/`)
  );
}

/** Attack: "%2e%2e", a backslash or a tab within ".." leads out of the source once the address is asked for. */
function isPlainAddress(place: string): boolean {
  return !/[%?#]/.test(place) && URL.canParse(place) && new URL(place).href === place;
}

function storedBase(place: string, { files, view }: TaskResults["base"]): StoredBase {
  const source = place === OWN_BASE ? "own" : isAddress(place) ? "address" : "folder";
  const id =
    place === OWN_BASE ? OWN_ID : `base-${createHash("sha256").update(place).digest("hex").slice(0, 16)}`;
  return { place, files, view: { id, source, ...view } };
}
