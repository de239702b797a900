/** A ceremony that people join by themselves: places, turns, uploads, and the check of each contribution. */
import { open, rm, statfs } from "node:fs/promises";
import { dirname } from "node:path";
import { type CeremonyEntry, type CeremonyInfo, type TicketState, toHex } from "../ceremony/ceremony-api.ts";
import { invalidContribution } from "../ceremony/curve-points.ts";
import { roundFileBytes } from "../ceremony/round-file.ts";
import { proverError } from "../prover-errors.ts";
import { type CeremonyFolder, describeEntry } from "./ceremony-folder.ts";
import { CheckThread } from "./check-thread.ts";
import { type WaitingLimits, WaitingList } from "./waiting-list.ts";

export interface CoordinatorLimits extends WaitingLimits {
  readonly pieceBytes: number;
}

export interface CoordinatorLog {
  info(facts: object, message: string): void;
  warn(facts: object, message: string): void;
}

export class Coordinator {
  readonly #folder: CeremonyFolder;
  readonly #limits: CoordinatorLimits;
  readonly #waiting: WaitingList;
  readonly #nowMs: () => number;
  readonly #log: CoordinatorLog;
  /** Uploads of a turn follow one another, no matter who sends them at once. */
  #uploads: Promise<unknown> = Promise.resolve();
  #check: { readonly ticket: string; readonly entry: Promise<CeremonyEntry> } | null = null;
  readonly #thread = new CheckThread();

  constructor(
    folder: CeremonyFolder,
    limits: CoordinatorLimits,
    modules: { log: CoordinatorLog; nowMs?: () => number },
  ) {
    this.#folder = folder;
    this.#limits = limits;
    this.#log = modules.log;
    this.#nowMs = modules.nowMs ?? Date.now;
    // Who has their entry needs no place: a kill came between the two.
    const places = folder.readPlaces().filter(({ ticket }) => folder.entryOf(ticket) === null);
    this.#waiting = new WaitingList(limits, places, this.#nowMs());
    this.sweep();
  }

  get entries(): readonly CeremonyEntry[] {
    return this.#folder.entries;
  }

  info(): CeremonyInfo {
    const { circuitHash, facts, firstDelta, shape } = this.#folder;
    const { pieceBytes, silentMs, stalledMs, turnMs } = this.#limits;
    const finished = this.#folder.finished();
    const { turn } = this.#waiting;
    return {
      ...facts,
      circuitHash: toHex(circuitHash),
      firstDelta: toHex(firstDelta),
      pointCount: shape.pointCount,
      roundBytes: roundFileBytes(shape),
      pieceBytes,
      state: finished !== null ? "finished" : this.#isFull ? "full" : "open",
      contributionCount: this.entries.length,
      waitingCount: this.#waiting.places.length,
      turn: turn && { name: turn.name, sinceMs: turn.sinceMs, endsAtMs: turn.sinceMs + turnMs },
      ...{ turnMs, silentMs, stalledMs, finished, nowMs: this.#nowMs() },
    };
  }

  /** @throws RollupError SRV_QUOTA_USED, PRV_CEREMONY_OVER */
  join(name: string, address: string): string {
    this.#requireOpen();
    const ticket = this.#waiting.join(name, address, this.#nowMs());
    this.sweep();
    this.#folder.writePlaces(this.#waiting.places);
    return ticket;
  }

  leave(ticket: string): void {
    this.#waiting.placeOf(ticket, this.#nowMs());
    if (this.#waiting.isChecking && this.#waiting.turn?.ticket === ticket) return;
    this.#waiting.remove(ticket, "it was given back");
    this.#folder.writePlaces(this.#waiting.places);
    this.sweep();
  }

  /**
   * @param done how far its holder is, in units of their own; a number that changes keeps their turn
   * @throws RollupError PRV_CEREMONY_TICKET for one that was never given
   */
  async stateOf(ticket: string, done: number | null = null): Promise<TicketState> {
    const entry = this.#folder.entryOf(ticket);
    if (entry !== null) return { state: "accepted", entry };
    if (done !== null) this.#waiting.noteWork(ticket, done, this.#nowMs());
    this.sweep();
    const reason = this.#waiting.lostReason(ticket);
    if (reason !== null) return { state: "lost", reason };
    const place = this.#waiting.placeOf(ticket, this.#nowMs());
    if (this.#isFull) return { state: "lost", reason: "the ceremony takes no contributions any more" };
    if (place > 0) return { state: "waiting", place };
    if (this.#waiting.isChecking) return { state: "checking" };
    const endsAtMs = this.#waiting.endOf(ticket)!;
    const receivedBytes = this.#receivedBytes(ticket);
    return { state: "turn", index: this.entries.length, endsAtMs, receivedBytes };
  }

  /** The file of the round to contribute to. @throws RollupError PRV_CEREMONY_TICKET, PRV_CEREMONY_NOT_YOUR_TURN, … */
  roundFor(ticket: string): string {
    this.#requireTurn(ticket);
    return this.#folder.roundPath;
  }

  get keyPath(): string {
    return this.#folder.at("final.zkey");
  }

  /**
   * @throws RollupError PRV_CEREMONY_INCOMPLETE, SRV_TOO_LARGE, SRV_DISK_FULL, and as `roundFor`
   * @returns bytes of the contribution that are here now
   */
  upload(ticket: string, offset: number, bytes: Uint8Array): Promise<number> {
    const turn = this.#uploads.then(() => this.#append(ticket, offset, bytes));
    this.#uploads = turn.catch(() => {});
    return turn;
  }

  /** Checks and takes what was uploaded; asked again, it answers the same. @throws RollupError PRV_CONTRIBUTION_INVALID, … */
  async submit(ticket: string): Promise<CeremonyEntry> {
    const known = this.#folder.entryOf(ticket);
    if (known !== null) return known;
    this.#requireTurn(ticket);
    if (this.#check?.ticket !== ticket) {
      const check = { ticket, entry: this.#checkAndAccept(ticket) };
      this.#check = check;
      const end = () => {
        if (this.#check === check) this.#check = null;
      };
      check.entry.then(end, end);
    }
    return this.#check.entry;
  }

  /** Gives turns on; to be called now and then. */
  sweep(): void {
    if (!this.#waiting.sweep(this.#nowMs())) return;
    const { turn } = this.#waiting;
    this.#log.info({ name: turn?.name ?? null, waiting: this.#waiting.places.length }, "turns go on");
    this.#folder.writePlaces(this.#waiting.places);
  }

  /** Lets a running check end. */
  async close(): Promise<void> {
    await this.#uploads;
    await this.#check?.entry.catch(() => {});
    await this.#thread.end();
    this.#folder.close();
  }

  get #isFull(): boolean {
    return this.entries.length >= this.#folder.facts.maxContributions || this.#folder.finished() !== null;
  }

  #requireOpen(): void {
    if (this.#isFull)
      throw proverError("PRV_CEREMONY_OVER", "the ceremony takes no contributions any more", {
        data: { contributionCount: this.entries.length },
      });
  }

  #requireTurn(ticket: string): void {
    this.#requireOpen();
    this.sweep();
    const place = this.#waiting.placeOf(ticket, this.#nowMs());
    if (place > 0)
      throw proverError("PRV_CEREMONY_NOT_YOUR_TURN", `${place} come before`, { data: { place } });
  }

  #receivedBytes(ticket: string): number {
    return this.#folder.readUploader() === ticket ? this.#folder.uploadedBytes() : 0;
  }

  async #append(ticket: string, offset: number, bytes: Uint8Array): Promise<number> {
    this.#requireTurn(ticket);
    if (this.#waiting.isChecking)
      throw proverError("PRV_CEREMONY_NOT_YOUR_TURN", "this contribution is being checked", {
        data: { place: 0 },
      });
    const receivedBytes = this.#receivedBytes(ticket);
    const maxBytes = roundFileBytes(this.#folder.shape);
    // From the start again: a page that was reloaded has another contribution.
    if (offset > 0 && offset !== receivedBytes)
      throw proverError(
        "PRV_CEREMONY_INCOMPLETE",
        `${receivedBytes} bytes are here, the piece begins at ${offset}`,
        {
          data: { reason: "ceremony-offset", receivedBytes },
        },
      );
    if (offset + bytes.length > maxBytes)
      throw proverError("SRV_TOO_LARGE", `a contribution has ${maxBytes} bytes`, {
        data: { maxBytes },
      });
    // The disk may fill at any time all the same: then a piece is taken back.
    if (offset === 0) {
      await this.#requireRoom(maxBytes);
      this.#folder.writeUploader(ticket);
    }
    const file = await open(this.#folder.uploadPath, offset === 0 ? "w" : "r+");
    try {
      await file.write(bytes, 0, bytes.length, offset);
    } catch (cause) {
      await file.truncate(offset).catch(() => {});
      throw diskFull(cause);
    } finally {
      await file.close();
    }
    this.#waiting.noteWork(ticket, null, this.#nowMs());
    return offset + bytes.length;
  }

  /** Attack: a full disk in the middle would take everybody's turn. */
  async #requireRoom(byteCount: number): Promise<void> {
    const { bavail, bsize } = await statfs(dirname(this.#folder.uploadPath));
    if (bavail * bsize < 2 * byteCount) throw diskFull(undefined);
  }

  /**
   * The turn is held, and the file is out of any upload's reach, from here on. Attack: a turn that ends, or a piece that
   * comes, between a look and what follows from it. So nothing here may be asynchronous.
   *
   * @returns the name for the entry
   */
  #beginCheck(ticket: string): string {
    this.#requireTurn(ticket);
    const { shape } = this.#folder;
    const receivedBytes = this.#receivedBytes(ticket);
    if (receivedBytes !== roundFileBytes(shape))
      throw proverError(
        "PRV_CEREMONY_INCOMPLETE",
        `${receivedBytes} of ${roundFileBytes(shape)} bytes are here`,
        {
          data: { receivedBytes },
        },
      );
    const { name } = this.#waiting.turn!;
    this.#folder.beginCheck();
    this.#waiting.beginCheck();
    return name;
  }

  async #checkAndAccept(ticket: string): Promise<CeremonyEntry> {
    const begun = this.#uploads.then(() => this.#beginCheck(ticket));
    this.#uploads = begun.catch(() => {});
    const name = await begun;
    try {
      const { checkingPath, circuitHash, records, roundPath, shape } = this.#folder;
      const task = { circuitHash, shape, records, beforePath: roundPath, afterPath: checkingPath };
      const answer = await this.#thread.run(task);
      if ("message" in answer) {
        if (answer.code !== "PRV_CONTRIBUTION_INVALID") throw new Error(answer.message);
        this.#log.warn({ name, reason: answer.reason }, "a contribution was refused");
        this.#waiting.remove(ticket, `the contribution was refused: ${answer.reason}`);
        await rm(checkingPath, { force: true });
        throw invalidContribution(answer.reason);
      }
      const entry = describeEntry(this.entries.length + 1, name, this.#nowMs(), answer);
      await this.#folder.accept(entry, ticket);
      this.#waiting.remove(ticket, null);
      this.#log.info({ index: entry.index, name, hash: entry.hash }, "a contribution was accepted");
      return entry;
    } finally {
      this.#folder.cancelCheck();
      this.#waiting.endCheck(this.#nowMs());
      this.sweep();
      this.#folder.writePlaces(this.#waiting.places);
    }
  }
}

function diskFull(cause: unknown) {
  return proverError("SRV_DISK_FULL", "there is no room for a contribution on the coordinator's disk", {
    cause,
  });
}
