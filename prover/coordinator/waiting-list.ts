/** Who contributes next. One at a time; whoever is silent or too slow loses the place, and the next one has the turn. */
import { randomBytes } from "node:crypto";
import { proverError } from "../prover-errors.ts";

export interface WaitingLimits {
  readonly maxWaiting: number;
  /** Places that one network address may hold; of IPv6 one network of 64 bits. */
  readonly maxPerAddress: number;
  /** A turn, from the moment it is given to the finished upload. */
  readonly turnMs: number;
  /** A place is lost when nobody has asked for it for so long. */
  readonly silentMs: number;
}

export interface Place {
  readonly ticket: string;
  readonly name: string;
  /** As `networkOf` has it. */
  readonly address: string;
}

interface Entry extends Place {
  seenAtMs: number;
  turnSinceMs: number | null;
}

/** Of places that were lost, the reasons, for those who ask later. */
const MAX_LOST = 1_000;

export class WaitingList {
  readonly #limits: WaitingLimits;
  readonly #entries: Entry[] = [];
  readonly #lost = new Map<string, string>();
  /** While a contribution is checked nobody's time runs. */
  #isChecking = false;

  /** @param places of before a restart: each keeps its place, and its time begins anew */
  constructor(limits: WaitingLimits, places: readonly Place[], nowMs: number) {
    this.#limits = limits;
    for (const place of places) this.#entries.push({ ...place, seenAtMs: nowMs, turnSinceMs: null });
  }

  get places(): readonly Place[] {
    return this.#entries.map(({ address, name, ticket }) => ({ ticket, name, address }));
  }

  /** Whose turn it is. */
  get turn(): { readonly ticket: string; readonly name: string; readonly sinceMs: number } | null {
    const first = this.#entries[0];
    if (first === undefined || first.turnSinceMs === null) return null;
    return { ticket: first.ticket, name: first.name, sinceMs: first.turnSinceMs };
  }

  get isChecking(): boolean {
    return this.#isChecking;
  }

  set isChecking(value: boolean) {
    this.#isChecking = value;
  }

  /** @returns the ticket, which nobody else knows @throws RollupError PRV_CEREMONY_FULL */
  join(name: string, address: string, nowMs: number): string {
    const { maxPerAddress, maxWaiting } = this.#limits;
    if (this.#entries.length >= maxWaiting)
      throw proverError("PRV_CEREMONY_FULL", `${maxWaiting} people wait already`, { data: { maxWaiting } });
    // Attack: one person takes the whole list.
    if (this.#entries.filter((entry) => entry.address === address).length >= maxPerAddress)
      throw proverError("PRV_CEREMONY_FULL", `${maxPerAddress} places are held from this address already`, {
        data: { maxPerAddress },
      });
    const ticket = randomBytes(32).toString("hex");
    this.#entries.push({ ticket, name, address, seenAtMs: nowMs, turnSinceMs: null });
    return ticket;
  }

  /** How many come before, 0 for who has the turn; keeps the place. @throws RollupError PRV_CEREMONY_TICKET */
  placeOf(ticket: string, nowMs: number): number {
    const place = this.#entries.findIndex((entry) => entry.ticket === ticket);
    if (place < 0) {
      const reason = this.#lost.get(ticket) ?? "it was never given, or long ago";
      throw proverError("PRV_CEREMONY_TICKET", `there is no such place: ${reason}`, { data: { reason } });
    }
    this.#entries[place]!.seenAtMs = nowMs;
    return place;
  }

  lostReason(ticket: string): string | null {
    return this.#lost.get(ticket) ?? null;
  }

  endOf(ticket: string): number | null {
    const { turn } = this;
    return turn?.ticket === ticket ? turn.sinceMs + this.#limits.turnMs : null;
  }

  /** Takes a place away. @param reason null where its contribution was accepted */
  remove(ticket: string, reason: string | null): void {
    const at = this.#entries.findIndex((entry) => entry.ticket === ticket);
    if (at < 0) return;
    this.#entries.splice(at, 1);
    if (reason === null) return;
    this.#lost.set(ticket, reason);
    for (const oldest of this.#lost.keys()) {
      if (this.#lost.size <= MAX_LOST) return;
      this.#lost.delete(oldest);
    }
  }

  /** Drops who is silent or too slow, and gives the turn on. @returns whether anybody lost or got something */
  sweep(nowMs: number): boolean {
    const { silentMs, turnMs } = this.#limits;
    let hasChanged = false;
    for (const entry of [...this.#entries]) {
      if (this.#isChecking && entry === this.#entries[0]) continue;
      const isSlow = entry.turnSinceMs !== null && nowMs - entry.turnSinceMs > turnMs;
      if (!isSlow && nowMs - entry.seenAtMs <= silentMs) continue;
      const reason = isSlow ? `a turn lasts ${turnMs} ms` : `nothing was heard for ${silentMs} ms`;
      this.remove(entry.ticket, reason);
      hasChanged = true;
    }
    const first = this.#entries[0];
    if (first !== undefined && first.turnSinceMs === null) {
      first.turnSinceMs = nowMs;
      first.seenAtMs = nowMs;
      hasChanged = true;
    }
    return hasChanged;
  }
}
