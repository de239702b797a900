/**
 * Outbox of the label tab: labels that a labeller gave and that are not with the host yet. The last ones stay here so that they
 * can be taken back: what the host has is signed and public. They survive a reload, in this browser's storage, which all tabs
 * share. The label tab puts every label here first.
 */

import { FLAGS } from "@openledger/datanets/records/record";
import { type ReadonlySignal, signal } from "@preact/signals";
import { z } from "zod";

export const FLAG_NAMES = FLAGS;

const heldSchema = z.object({
  row: z.string().regex(/^[0-9a-f]{64}$/),
  label: z.string(),
  flags: z.array(z.enum(FLAGS)),
  note: z.string(),
  atMs: z.number(),
  /** A model's suggestion was in sight. */
  sawSuggestion: z.literal(true).optional(),
  /** Excerpt of the row, so that the row can be shown again. */
  excerpt: z.string(),
});
export type HeldLabel = z.output<typeof heldSchema>;

/** Number of labels that can be taken back. */
export const HELD_COUNT = 3;

export class LabelOutbox {
  readonly #name: string;
  readonly #send: (labels: readonly HeldLabel[]) => Promise<void>;
  readonly #cell = signal<readonly HeldLabel[]>([]);
  #turn: Promise<void> = Promise.resolve();

  /** @param name of its place in the browser's storage @param send signs and brings them to the host */
  constructor(name: string, send: (labels: readonly HeldLabel[]) => Promise<void>) {
    this.#name = name;
    this.#send = send;
    this.#cell.value = readHeld(name);
    window.addEventListener("storage", ({ key }) => {
      if (key === null || key === name) this.#cell.value = readHeld(name);
    });
  }

  /** Oldest first. */
  get held(): ReadonlySignal<readonly HeldLabel[]> {
    return this.#cell;
  }

  /** Keeps a label; what is older than the last few goes to the host. @throws what `send` throws: nothing is lost then */
  give(label: HeldLabel): Promise<void> {
    this.#change((all) => [...all, label]);
    return this.flush(HELD_COUNT);
  }

  /** Takes the last label back; null if all are with the host. */
  undo(): HeldLabel | null {
    const last = this.#cell.value.at(-1) ?? null;
    if (last !== null) this.#change((all) => all.filter((one) => !isSame(one, last)));
    return last;
  }

  /** Sends all but the last ones, one request after another. */
  flush(keptCount = 0): Promise<void> {
    const turn = this.#turn.catch(() => {}).then(() => this.#flush(keptCount));
    this.#turn = turn;
    return turn;
  }

  async #flush(keptCount: number): Promise<void> {
    const sent = this.#cell.value.slice(0, Math.max(0, this.#cell.value.length - keptCount));
    if (sent.length === 0) return;
    await this.#send(sent);
    this.#change((all) => all.filter((one) => !sent.some((label) => isSame(one, label))));
  }

  /** Changes the labels in storage. Reads them again first: another tab of the same Datanet may have added to them. */
  #change(change: (all: readonly HeldLabel[]) => readonly HeldLabel[]): void {
    const labels = change(readHeld(this.#name));
    this.#cell.value = labels;
    if (labels.length === 0) localStorage.removeItem(this.#name);
    else localStorage.setItem(this.#name, JSON.stringify(labels));
  }
}

const isSame = (a: HeldLabel, b: HeldLabel) => a.row === b.row && a.atMs === b.atMs;

function readHeld(name: string): HeldLabel[] {
  try {
    return z.array(heldSchema).parse(JSON.parse(localStorage.getItem(name) ?? "[]"));
  } catch {
    // Somebody else has written there: nothing of it was given here.
    return [];
  }
}
