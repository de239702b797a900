/**
 * Counts how much of the engine each network address holds while its answers are made; serving-engine.ts begins no answer that
 * would exceed the address's share. A place is one answer's seat in a batch, a page room for keys and values.
 */

/**
 * Maximum part of all places and pages for one address: a newcomer's first token waits for no other answer's end, and
 * its answer gets half the cores.
 */
const MAX_OF_ADDRESS = 1 / 2;

interface Held {
  places: number;
  pages: number;
}

/**
 * Places and pages of each address while its answers are made. Attack: turns bound who begins next, and answers are
 * long: an address that has begun as many as there are places keeps everybody else out until they end.
 */
export class RunningShares {
  readonly #locationCount: number;
  readonly #pageCount: number;
  readonly #heldBy = new Map<string, Held>();

  constructor(positionCount: number, pageCount: number) {
    this.#locationCount = positionCount;
    this.#pageCount = pageCount;
  }

  /** True if the address has less than an equal part of the places, among those that run or wait. */
  isBelowShare(address: string, waiting: Iterable<string>): boolean {
    const count = new Set([...waiting, ...this.#heldBy.keys()]).size;
    return (this.#heldBy.get(address)?.places ?? 0) < Math.max(1, this.#locationCount / count);
  }

  /** True if the address holds no more than one may with these pages; its first answer may have all of them. */
  hasRoom(address: string, pages: number): boolean {
    const held = this.#heldBy.get(address);
    if (held === undefined) return true;
    const { ceil } = Math;
    return (
      held.places < ceil(MAX_OF_ADDRESS * this.#locationCount) &&
      held.pages + pages <= ceil(MAX_OF_ADDRESS * this.#pageCount)
    );
  }

  begin(address: string, pages: number): void {
    const held = this.#heldBy.get(address) ?? { places: 0, pages: 0 };
    this.#heldBy.set(address, { places: held.places + 1, pages: held.pages + pages });
  }

  end(address: string, pages: number): void {
    const held = this.#heldBy.get(address)!;
    held.places -= 1;
    held.pages -= pages;
    if (held.places === 0) this.#heldBy.delete(address);
  }
}
