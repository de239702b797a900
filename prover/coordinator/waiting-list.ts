/** Who contributes next. One at a time; anyone who is silent, makes no progress or is too slow loses the place to the next one. */
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
  /** A turn is lost when no work was heard of for so long, however often somebody asks. */
  readonly stalledMs: number;
}

export interface Place {
  readonly ticket: string;
  readonly name: string;
  /** As `clientNetwork` has it. */
  readonly address: string;
}

interface Entry extends Place {
  seenAtMs: number;
  turnSinceMs: number | null;
  /** What its holder says that is done, in units of their own: another number than before is a sign of work. */
  workDone: number;
  workedAtMs: number;
}

/** Of places that were lost, the reasons, for those who ask later. */
const MAX_LOST = 1_000;

export class WaitingList {
  readonly #limits: WaitingLimits;
  readonly #entries: Entry[] = [];
  readonly #lost = new Map<string, string>();
  #isChecking = false;

  /** @param places of before a restart: each keeps its place, and its time begins again */
  constructor(limits: WaitingLimits, places: readonly Place[], nowMs: number) {
    this.#limits = limits;
    for (const place of places) this.#add(place, nowMs);
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

  /** While a contribution is checked its sender's time does not run. */
  beginCheck(): void {
    this.#isChecking = true;
  }

  endCheck(nowMs: number): void {
    this.#isChecking = false;
    // It may have failed for no fault of theirs.
    if (this.#entries[0] !== undefined) this.#entries[0].workedAtMs = nowMs;
  }

  #add(place: Place, nowMs: number): void {
    this.#entries.push({ ...place, seenAtMs: nowMs, turnSinceMs: null, workDone: 0, workedAtMs: nowMs });
  }

  /** @returns the ticket, which nobody else knows @throws RollupError SRV_QUOTA_USED */
  join(name: string, address: string, nowMs: number): string {
    const { maxPerAddress, maxWaiting } = this.#limits;
    if (this.#entries.length >= maxWaiting)
      throw proverError("SRV_QUOTA_USED", `${maxWaiting} people wait already`, {
        data: { reason: "ceremony-full", maxWaiting },
      });
    // Attack: one person takes the whole list.
    if (this.#entries.filter((entry) => entry.address === address).length >= maxPerAddress)
      throw proverError("SRV_QUOTA_USED", `${maxPerAddress} places are held from this address already`, {
        data: { reason: "ceremony-full", maxPerAddress },
      });
    const ticket = randomBytes(32).toString("hex");
    this.#add({ ticket, name, address }, nowMs);
    return ticket;
  }

  /**
   * Somebody has done something for their contribution.
   * @param done as they count it themselves; null for what the coordinator has seen
   */
  noteWork(ticket: string, done: number | null, nowMs: number): void {
    const entry = this.#entries.find((one) => one.ticket === ticket);
    // Less than before: a page that was reloaded begins again.
    if (entry === undefined || done === entry.workDone) return;
    entry.workDone = done ?? entry.workDone;
    entry.workedAtMs = nowMs;
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

  /** Drops who is silent, idle or too slow, and gives the turn on. @returns whether anybody lost or got something */
  sweep(nowMs: number): boolean {
    let hasChanged = false;
    for (const entry of [...this.#entries]) {
      if (this.#isChecking && entry === this.#entries[0]) continue;
      const reason = this.#whyLost(entry, nowMs);
      if (reason === null) continue;
      this.remove(entry.ticket, reason);
      hasChanged = true;
    }
    const first = this.#entries[0];
    if (first !== undefined && first.turnSinceMs === null) {
      first.turnSinceMs = nowMs;
      first.seenAtMs = nowMs;
      first.workedAtMs = nowMs;
      hasChanged = true;
    }
    return hasChanged;
  }

  #whyLost({ seenAtMs, turnSinceMs, workedAtMs }: Entry, nowMs: number): string | null {
    const { silentMs, stalledMs, turnMs } = this.#limits;
    if (turnSinceMs !== null && nowMs - turnSinceMs > turnMs) return `a turn lasts ${turnMs} ms`;
    // Attack: somebody asks for their place every second, and never contributes.
    if (turnSinceMs !== null && nowMs - workedAtMs > stalledMs) return `nothing was done for ${stalledMs} ms`;
    return nowMs - seenAtMs > silentMs ? `nothing was heard for ${silentMs} ms` : null;
  }
}
