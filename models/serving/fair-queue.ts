import { servingError } from "../adapters/serving-errors.ts";

export interface QueueLimits {
  readonly maxQueued: number;
  readonly maxQueuedPerTenant: number;
  /** What a tenant may take in its turn before the next one has his. */
  readonly quantum: number;
}

interface Waiting<T> {
  readonly item: T;
  readonly cost: number;
}

interface Tenant<T> {
  readonly waiting: Waiting<T>[];
  credit: number;
}

/**
 * Deficit round robin (Shreedhar and Varghese 1995): tenants take turns, and each turn gives so much credit. Who asks for
 * long answers has fewer of them in a round; who has nothing waiting saves no credit.
 */
export class FairQueue<T> {
  readonly #limits: QueueLimits;
  /** In the order of their turns; the first has his now. */
  readonly #tenants = new Map<string, Tenant<T>>();
  #size = 0;

  constructor(limits: QueueLimits) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#size;
  }

  /** @param cost of the item, above 0. @throws RollupError MOD_SERVE_OVERLOADED */
  push(name: string, item: T, cost: number): void {
    const { maxQueued, maxQueuedPerTenant, quantum } = this.#limits;
    const tenant = this.#tenants.get(name) ?? { waiting: [], credit: quantum };
    if (this.#size >= maxQueued || tenant.waiting.length >= maxQueuedPerTenant) {
      const isAll = this.#size >= maxQueued;
      throw servingError(
        "MOD_SERVE_OVERLOADED",
        `too many requests wait ${isAll ? "in all" : "of this key"}`,
        {
          data: { waiting: this.#size, ownWaiting: tenant.waiting.length },
        },
      );
    }
    tenant.waiting.push({ item, cost });
    this.#tenants.set(name, tenant);
    this.#size += 1;
  }

  /** Whose turn it is; null if nothing waits, or this one is not taken now: then it is asked about again next time. */
  next(isTaken: (item: T) => boolean): T | null {
    for (;;) {
      const first = this.#tenants.entries().next();
      if (first.done === true) return null;
      const [name, tenant] = first.value;
      const head = tenant.waiting[0]!;
      if (head.cost <= tenant.credit) {
        if (!isTaken(head.item)) return null;
        tenant.waiting.shift();
        tenant.credit -= head.cost;
        this.#size -= 1;
        if (tenant.waiting.length === 0) this.#tenants.delete(name);
        return head.item;
      }
      tenant.credit += this.#limits.quantum;
      this.#tenants.delete(name);
      this.#tenants.set(name, tenant);
    }
  }

  /** Whether it was waiting. */
  remove(name: string, item: T): boolean {
    const tenant = this.#tenants.get(name);
    const index = tenant?.waiting.findIndex((waiting) => waiting.item === item) ?? -1;
    if (tenant === undefined || index < 0) return false;
    tenant.waiting.splice(index, 1);
    this.#size -= 1;
    if (tenant.waiting.length === 0) this.#tenants.delete(name);
    return true;
  }

  /** Empties the queue. */
  drain(): T[] {
    const items = Array.from(this.#tenants.values()).flatMap(({ waiting }) =>
      waiting.map(({ item }) => item),
    );
    this.#tenants.clear();
    this.#size = 0;
    return items;
  }
}
