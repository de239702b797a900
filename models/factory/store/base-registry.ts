/**
 * Bases that the factory's jobs may tune: the one that ships, those of FACTORY_BASES, and those that people have added since.
 * Each is opened and hashed once, then stored.
 */
import { createHash } from "node:crypto";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import type { Database } from "@openledger/foundation/database/database";
import { factoryError } from "../../model-errors.ts";
import { isAddress, OWN_BASE } from "../../tuning/base/base-place.ts";
import type { FactoryBase } from "../factory-api.ts";
import type { FactoryConfig } from "../factory-config.ts";
import { ChildTask, type TaskLimits } from "../tasks/child-task.ts";
import { describePlace } from "../tasks/describe-base.ts";
import type { TaskResults } from "../tasks/task-messages.ts";
import type { StoredBase } from "./factory-records.ts";

/** Id of the base that this repository ships. */
const OWN_ID = "own";

/** Describes a base in a process of its own, since large files are hashed. */
type Describe = (task: { readonly mode: "base"; readonly place: string }) => Promise<TaskResults["base"]>;

/** Ending of a setting that means each folder below the one before it. */
const EACH = "/*";
/** Maximum folders that one setting with `/*` lists. */
const MAX_BELOW = 100;

interface BaseRow {
  readonly place: string;
  readonly view: string;
  readonly files: string;
}

type BaseConfig = Pick<FactoryConfig, "bases" | "basePlaces" | keyof TaskLimits>;

/** The bases that jobs may use: our own, those of the settings, and what people have named since. */
export class BaseRegistry {
  readonly #config: BaseConfig;
  readonly #database: Database;
  /** Places of the settings that are no models, until the next start. */
  readonly #refused = new Set<string>();
  /** Places that are being opened. */
  readonly #opening = new Map<string, Promise<StoredBase>>();
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
    await this.#put(storedBase(OWN_BASE, await describePlace(OWN_BASE)));
    for (const place of await this.#places()) await this.#open(place, this.#describeAlone);
    await this.#all();
  }

  /** Lists the bases, with folders that were added since the start. A folder that is no model is left out. */
  async list(): Promise<FactoryBase[]> {
    const known = await this.#all();
    const isListed = new Set(known.map(({ place }) => place));
    const added = (await this.#places()).filter((place) => !isListed.has(place) && !this.#refused.has(place));
    // Once each: anybody may ask for the list, and each try is a process.
    for (const place of added)
      await this.#open(place, this.#describeAlone).catch(() => this.#refused.add(place));
    return (added.length === 0 ? known : await this.#all()).map(({ view }) => view);
  }

  /** @throws MOD_FACTORY_UNKNOWN */
  async require(id: string): Promise<StoredBase> {
    const [row] = await this.#database.query<BaseRow>("select * from bases where id = $1", [id]);
    if (row !== undefined) return baseOf(row);
    throw factoryError("MOD_FACTORY_UNKNOWN", `there is no base ${id}`, { data: { kind: "base", id } });
  }

  /**
   * @param describe hashes a place that is new, within the limits of the one who asks
   * @throws MOD_FACTORY_REFUSED, and what no model is refused for
   */
  async add(place: string, describe: Describe): Promise<FactoryBase> {
    const { basePlaces, bases } = this.#config;
    if (!bases.includes(place) && !basePlaces.some((start) => isBelow(place, start)))
      throw factoryError("MOD_FACTORY_REFUSED", `bases may not be read from ${place.slice(0, 200)}`, {
        data: { reason: "place-refused", basePlaces },
      });
    return (await this.#open(place, describe)).view;
  }

  readonly #describeAlone: Describe = async (task) => (await new ChildTask(task, this.#config).ended).result!;

  /** Places of bases that the settings name. */
  async #places(): Promise<string[]> {
    const places = this.#config.bases.map(async (place) => {
      if (isAddress(place) || !place.endsWith(EACH)) return [place];
      const parent = place.slice(0, -EACH.length);
      const below = await readdir(parent, { withFileTypes: true }).catch(() => []);
      const folders = below.filter((entry) => entry.isDirectory() && !entry.name.endsWith(".part"));
      return folders.slice(0, MAX_BELOW).map(({ name }) => join(parent, name));
    });
    return (await Promise.all(places)).flat();
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

/** Returns true if a place is below another. It must not contain ".." in any spelling, nor be merely a longer name. */
function isBelow(place: string, start: string): boolean {
  const parts = place.split("/");
  return (
    !parts.includes("..") &&
    (!isAddress(place) || isPlainAddress(place)) &&
    place.startsWith(start.endsWith("/") ? start : `${start}/`)
  );
}

/** Attack: "%2e%2e", a backslash or a tab within ".." leads out of the place once the address is asked for. */
function isPlainAddress(place: string): boolean {
  return !/[%?#]/.test(place) && URL.canParse(place) && new URL(place).href === place;
}

function storedBase(place: string, { files, view }: TaskResults["base"]): StoredBase {
  const source = place === OWN_BASE ? "own" : isAddress(place) ? "address" : "folder";
  const id =
    place === OWN_BASE ? OWN_ID : `base-${createHash("sha256").update(place).digest("hex").slice(0, 16)}`;
  return { place, files, view: { id, source, ...view } };
}
