/**
 * Memory of the answer server for adapters: an arena of floats with those used last, read from `AdapterStore` when a request
 * needs one. A lease holds an adapter in place while a batch uses it. Places are counted in units of 16 floats.
 */
import { servingError } from "../../model-errors.ts";
import type { AdapterTarget } from "../architecture/adapter-layout.ts";
import { NONE, type Place } from "../kernels/kernels.ts";
import { roundUp16 } from "../tensors/arena-plan.ts";
import { pagesOfRank } from "./adapter-pages.ts";
import type { AdapterStore } from "./adapter-store.ts";
import { RangeAllocator } from "./range-allocator.ts";

/** Adapter in the arena; a batch needs no more of it. */
export interface ResidentAdapter {
  readonly at: Place;
  readonly pageFloats: number;
  readonly rank: number;
  readonly factor: number;
  readonly isHalf: boolean;
  readonly targets: readonly AdapterTarget[];
  /** DoRA's changes, part by part; NONE for other adapters. */
  readonly changes: Place;
  /** Hash of its compiled numbers. */
  readonly sha256: string;
}

export interface AdapterLease {
  readonly adapter: ResidentAdapter;
  readonly isCold: boolean;
  /** The adapter may then be overwritten. */
  release(): void;
}

interface Resident {
  readonly key: string;
  readonly adapter: ResidentAdapter;
  readonly size: number;
  pins: number;
}

/** Pool of the adapters that were used last, as many as fit; the others are read from disk when they are asked for. */
export class AdapterPool {
  readonly #arena: Float32Array;
  readonly #at: Place;
  readonly #floatCount: number;
  readonly #store: AdapterStore;
  readonly #ranges: RangeAllocator;
  /** The least recently used first. */
  readonly #residents = new Map<string, Resident>();
  readonly #loading = new Map<string, Promise<void>>();
  #released: (() => void)[] = [];
  readonly counts = { hits: 0, loads: 0, evictions: 0 };

  /** @param at of `floatCount` floats that are the pool's alone, a multiple of 16 */
  constructor(arena: Float32Array, at: Place, floatCount: number, adapterStore: AdapterStore) {
    this.#arena = arena;
    this.#at = at;
    this.#floatCount = floatCount;
    this.#store = adapterStore;
    this.#ranges = new RangeAllocator(floatCount / 16);
  }

  get residentCount(): number {
    return this.#residents.size;
  }

  /**
   * Keeps an adapter in memory until it is released. Waits while all room is in use.
   *
   * @throws RollupError MOD_SERVE_MODEL_UNKNOWN, MOD_SERVE_ADAPTER_UNUSABLE
   */
  async lease(name: string): Promise<AdapterLease> {
    const stamp = this.#store.stamp(name);
    const key = `${name}/${stamp}`;
    for (let isCold = false; ; isCold = true) {
      // Looked up again after loading: another load may have taken its place in between.
      const known = this.#residents.get(key);
      if (known !== undefined) {
        if (!isCold) this.counts.hits += 1;
        return this.#pinned(known, isCold);
      }
      let loading = this.#loading.get(key);
      if (loading === undefined) {
        loading = this.#load(name, key, stamp).finally(() => this.#loading.delete(key));
        this.#loading.set(key, loading);
      }
      await loading;
    }
  }

  #pinned(resident: Resident, isCold: boolean): AdapterLease {
    resident.pins += 1;
    this.#residents.delete(resident.key);
    this.#residents.set(resident.key, resident);
    let isReleased = false;
    const release = () => {
      if (isReleased) return;
      isReleased = true;
      resident.pins -= 1;
      const waiting = this.#released;
      this.#released = [];
      for (const go of waiting) go();
    };
    return { adapter: resident.adapter, isCold, release };
  }

  async #load(name: string, key: string, stamp: string): Promise<void> {
    const opened = await this.#store.open(name, stamp);
    const { byteLength, header, pageBytes } = opened;
    const size = roundUp16(byteLength / 4) / 16;
    const unit = await this.#room(name, size);
    const at = this.#at + 16 * unit;
    try {
      await opened.read(new Uint8Array(this.#arena.buffer, this.#arena.byteOffset + 4 * at, byteLength));
    } catch (error) {
      this.#ranges.give(unit, size);
      throw error;
    }
    const { baseSha256, isHalf, rank, sha256, targets } = header;
    const pageFloats = pageBytes / 4;
    const adapter = {
      at,
      pageFloats,
      rank,
      factor: Math.fround(header.factor),
      isHalf,
      targets: targets as AdapterTarget[],
      changes: baseSha256 === undefined ? NONE : at + pagesOfRank(rank) * pageFloats,
      sha256,
    };
    this.#residents.set(key, { key, adapter, size, pins: 0 });
    this.counts.loads += 1;
  }

  async #room(name: string, size: number): Promise<number> {
    if (16 * size > this.#floatCount) {
      throw servingError(
        "MOD_SERVE_ADAPTER_UNUSABLE",
        `the adapter ${name} is larger than the memory for adapters`,
        {
          data: { param: "model", name, neededBytes: 64 * size, bytes: 4 * this.#floatCount },
        },
      );
    }
    for (;;) {
      const at = this.#ranges.take(size);
      if (at !== null) return at;
      if (!this.#evict()) await new Promise<void>((go) => this.#released.push(go));
    }
  }

  /** The one that was used longest ago and is not in use. */
  #evict(): boolean {
    for (const resident of this.#residents.values()) {
      if (resident.pins > 0) continue;
      this.#residents.delete(resident.key);
      this.#ranges.give((resident.adapter.at - this.#at) / 16, resident.size);
      this.counts.evictions += 1;
      return true;
    }
    return false;
  }
}
