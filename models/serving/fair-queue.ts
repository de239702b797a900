/**
 * A queue in which strangers take turns, so that nobody's many or long items keep others waiting. Questions wait in it
 * for the engine (cost in tokens), prompts for their encoding (cost in characters).
 */
import type { RollupError } from "@openledger/foundation/rollup-error";
import { servingError } from "../model-errors.ts";

export interface QueueLimits {
  /** Maximum items of all together. */
  readonly maxQueued: number;
  /** Maximum items of one address, whatever tenants it has. */
  readonly maxQueuedPerTenant: number;
  /** Cost that a tenant may take in its turn before the next one has its own. */
  readonly quantum: number;
}

interface QueueOptions<T> extends QueueLimits {
  /** Called with an item that gave its place to an address with fewer. */
  onDropped(item: T, overloaded: RollupError): void;
}

/** Owner of a turn, and its address. An address has one turn, but for tenants who have shown who they are. */
export interface QueueTenant {
  readonly tenant: string;
  readonly address: string;
}

interface Waiting<T> {
  readonly item: T;
  readonly cost: number;
  readonly address: string;
}

interface Tenant<T> {
  readonly waiting: Waiting<T>[];
  credit: number;
}

/**
 * Deficit round robin (Shreedhar and Varghese 1995): tenants take turns, and each turn gives `quantum` of credit. A
 * tenant with long answers gets fewer of them in a round; a tenant with nothing waiting saves no credit. If all places are
 * taken, the address with most of them gives its last one (McKenney 1990, longest queue drop): a few addresses cannot keep
 * the others out.
 */
export class FairQueue<T> {
  readonly #options: QueueOptions<T>;
  /** Tenants in the order of their turns; the first has its own now. */
  readonly #tenants = new Map<string, Tenant<T>>();
  readonly #countOf = new Map<string, number>();
  #size = 0;

  constructor(options: QueueOptions<T>) {
    this.#options = options;
  }

  get size(): number {
    return this.#size;
  }

  /** @param cost of the item, above 0. @throws RollupError SRV_OVERLOADED */
  push({ address, tenant: name }: QueueTenant, item: T, cost: number): void {
    const { maxQueued, maxQueuedPerTenant, quantum } = this.#options;
    const own = this.#countOf.get(address) ?? 0;
    if (own >= maxQueuedPerTenant) throw this.#overloaded("of this address", own);
    if (this.#size >= maxQueued) this.#makeRoom(own);
    const tenant = this.#tenants.get(name) ?? { waiting: [], credit: quantum };
    tenant.waiting.push({ item, cost, address });
    this.#tenants.set(name, tenant);
    this.#count(address, 1);
  }

  /** Addresses with something that waits. */
  get addresses(): Iterable<string> {
    return this.#countOf.keys();
  }

  /**
   * Returns the item whose turn it is; null if nothing waits, or this one is not taken now: then it is offered again
   * next time.
   * @param mayRun those that may not are passed over, and keep their turn
   */
  next(isTaken: (item: T) => boolean, mayRun: (item: T) => boolean = () => true): T | null {
    for (;;) {
      const first = this.#first(mayRun);
      if (first === null) return null;
      const [name, tenant] = first;
      const head = tenant.waiting[0]!;
      if (head.cost <= tenant.credit) {
        if (!isTaken(head.item)) return null;
        tenant.credit -= head.cost;
        this.#take(name, tenant, 0);
        return head.item;
      }
      tenant.credit += this.#options.quantum;
      this.#tenants.delete(name);
      this.#tenants.set(name, tenant);
    }
  }

  /** Removes an item. Returns true if it was waiting. */
  remove(name: string, item: T): boolean {
    const tenant = this.#tenants.get(name);
    const index = tenant?.waiting.findIndex((waiting) => waiting.item === item) ?? -1;
    if (tenant === undefined || index < 0) return false;
    this.#take(name, tenant, index);
    return true;
  }

  /** Empties the queue. */
  drain(): T[] {
    const items = Array.from(this.#tenants.values()).flatMap(({ waiting }) =>
      waiting.map(({ item }) => item),
    );
    this.#tenants.clear();
    this.#countOf.clear();
    this.#size = 0;
    return items;
  }

  #first(mayRun: (item: T) => boolean): [string, Tenant<T>] | null {
    for (const entry of this.#tenants) if (mayRun(entry[1].waiting[0]!.item)) return entry;
    return null;
  }

  #take(name: string, tenant: Tenant<T>, index: number): void {
    const [{ address }] = tenant.waiting.splice(index, 1) as [Waiting<T>];
    this.#count(address, -1);
    if (tenant.waiting.length === 0) this.#tenants.delete(name);
  }

  #count(address: string, by: 1 | -1): void {
    this.#size += by;
    const count = (this.#countOf.get(address) ?? 0) + by;
    if (count === 0) this.#countOf.delete(address);
    else this.#countOf.set(address, count);
  }

  /** @param own places of the one who comes. @throws RollupError SRV_OVERLOADED if nobody has more */
  #makeRoom(own: number): void {
    const [longest, max] = [...this.#countOf].reduce((a, b) => (b[1] > a[1] ? b : a));
    if (max <= own + 1) throw this.#overloaded("in all", own);
    for (const [name, tenant] of [...this.#tenants].reverse()) {
      const index = tenant.waiting.findLastIndex(({ address }) => address === longest);
      if (index < 0) continue;
      const { item } = tenant.waiting[index]!;
      this.#take(name, tenant, index);
      this.#options.onDropped(item, this.#overloaded("in all", max));
      return;
    }
  }

  #overloaded(where: string, ownWaiting: number): RollupError {
    return servingError("SRV_OVERLOADED", `too many requests wait ${where}`, {
      data: { reason: "overloaded", waiting: this.#size, ownWaiting },
    });
  }
}
