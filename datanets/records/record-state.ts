/**
 * State of a row by the signed records about it: waiting for labels, disputed, accepted with a label, or left out. Hosts
 * compute it to show rows, clients to publish and check versions.
 */
import { type Card, mayVouch } from "../card/card.ts";
import { grantedUntilMs } from "./grants.ts";
import { type BodyOf, type RecordBody, recordSubject } from "./record.ts";

/** Outcome of a row by the records that people have signed. */
export type RowOutcome =
  /** Fewer labels of others than the contributor than the card asks for. */
  | { readonly state: "waiting" }
  /** The labels differ, and no reviewer has settled them. */
  | { readonly state: "disputed" }
  /**
   * `label`: null where the card has no labels. `accepters`: leaves whose label was accepted, ascending, with the reviewer
   * where none of them may vouch for the row.
   */
  | { readonly state: "accepted"; readonly label: string | null; readonly accepters: readonly number[] }
  | { readonly state: "leftOut"; readonly why: string; readonly note: string; readonly byId: number };

/** Records about one row: the newest of each leaf. */
export interface RowRecords {
  readonly labels: ReadonlyMap<number, BodyOf<"label">>;
  readonly gold: BodyOf<"gold"> | null;
  readonly settled: BodyOf<"settle"> | null;
  readonly leaveOut: BodyOf<"leaveOut"> | null;
  readonly suggestion: BodyOf<"suggestion"> | null;
  readonly objections: readonly BodyOf<"objection">[];
  /** Withdrawals by leaf: that of the row's contributor counts, which is the first to have committed it. */
  readonly withdrawals: ReadonlyMap<number, BodyOf<"withdrawal">>;
}

/** Reason of a row that its contributor has withdrawn. */
export const WITHDRAWN = "withdrawn";

interface MutableRow {
  labels: Map<number, BodyOf<"label">>;
  gold: BodyOf<"gold"> | null;
  settled: BodyOf<"settle"> | null;
  leaveOut: BodyOf<"leaveOut"> | null;
  suggestion: BodyOf<"suggestion"> | null;
  objections: BodyOf<"objection">[];
  withdrawals: Map<number, BodyOf<"withdrawal">>;
}

/** A request for access, and the owner's last answer to it. */
interface AccessCase {
  readonly id: string;
  readonly request: BodyOf<"accessRequest">;
  readonly answer: BodyOf<"accessAnswer"> | null;
}

const nothing = (): MutableRow => ({
  labels: new Map(),
  gold: null,
  settled: null,
  leaveOut: null,
  suggestion: null,
  objections: [],
  withdrawals: new Map(),
});
const NOTHING: RowRecords = nothing();

/**
 * A Datanet's records, folded in the order in which they came. Signatures and who may say what are checked by the one who adds
 * them. Host and client use this one state, so both come to the same outcome.
 */
export class RecordState {
  readonly #rows = new Map<string, MutableRow>();
  /** Verdicts by commit, then by leaf. */
  readonly #verdicts = new Map<string, Map<number, BodyOf<"verdict">>>();
  readonly #cases = new Map<
    string,
    { request: BodyOf<"accessRequest">; answer: BodyOf<"accessAnswer"> | null }
  >();
  /** Time of each leaf's last record about each subject. */
  readonly #lastAtMs = new Map<string, number>();
  /** Labels that each leaf has given, of different rows. */
  readonly labelCounts = new Map<number, number>();

  /** Time of the record that holds about this subject; −1 if none does. */
  lastAtMs(body: RecordBody): number {
    return this.#lastAtMs.get(recordSubject(body)) ?? -1;
  }

  /** Takes over a record unless a later one about the same holds. @param id of the record */
  add(id: string, body: RecordBody): void {
    const subject = recordSubject(body);
    if (body.atMs <= (this.#lastAtMs.get(subject) ?? -1)) return;
    this.#lastAtMs.set(subject, body.atMs);
    switch (body.kind) {
      case "label": {
        const { labels } = this.#row(body.row);
        if (!labels.has(body.leafId))
          this.labelCounts.set(body.leafId, (this.labelCounts.get(body.leafId) ?? 0) + 1);
        labels.set(body.leafId, body);
        break;
      }
      case "gold":
        this.#row(body.row).gold = body;
        break;
      case "settle":
        this.#row(body.row).settled = newer(this.#row(body.row).settled, body);
        break;
      case "leaveOut":
        this.#row(body.row).leaveOut = newer(this.#row(body.row).leaveOut, body);
        break;
      case "suggestion":
        this.#row(body.row).suggestion = newer(this.#row(body.row).suggestion, body);
        break;
      case "objection": {
        const row = this.#row(body.row);
        row.objections = [...row.objections.filter(({ leafId }) => leafId !== body.leafId), body];
        break;
      }
      case "withdrawal":
        this.#row(body.row).withdrawals.set(body.leafId, body);
        break;
      case "verdict": {
        const verdicts = this.#verdicts.get(body.commit) ?? new Map<number, BodyOf<"verdict">>();
        this.#verdicts.set(body.commit, verdicts.set(body.leafId, body));
        break;
      }
      case "accessRequest":
        this.#cases.set(id, { request: body, answer: null });
        break;
      case "accessAnswer": {
        const found = this.#cases.get(body.request);
        if (found !== undefined) found.answer = newer(found.answer, body);
        break;
      }
      case "terms":
        // Read commit by commit (store/signed-terms.ts).
        break;
      case "verified":
        // The host lists these with their signatures, model by model (store/verified-records.ts).
        break;
      case "showEarnings":
        // The host lists these with their signatures (store/listed-records.ts).
        break;
      case "report":
        // The host lists these with their signatures (store/reports.ts).
        break;
      default:
        body satisfies never;
    }
  }

  row(digest: string): RowRecords {
    return this.#rows.get(digest) ?? NOTHING;
  }

  /** Every row with at least one record. */
  rows(): IterableIterator<[string, RowRecords]> {
    return this.#rows.entries();
  }

  /** Last verdict on a contribution, and all of them; null if there is none. */
  verdict(commit: string): BodyOf<"verdict"> | null {
    const all = [...(this.#verdicts.get(commit)?.values() ?? [])];
    return all.reduce<BodyOf<"verdict"> | null>(newer, null);
  }

  verdicts(commit: string): BodyOf<"verdict">[] {
    return [...(this.#verdicts.get(commit)?.values() ?? [])];
  }

  accessCases(): AccessCase[] {
    return [...this.#cases].map(([id, { answer, request }]) => ({ id, request, answer }));
  }

  /** Returns the time until which a leaf may read (grants.ts); null if it was never granted. */
  grantedUntilMs(leafId: number): number | null {
    return grantedUntilMs(
      this.accessCases().map(({ answer, request }) => ({ leafId: request.leafId, answer })),
      leafId,
    );
  }

  #row(digest: string): MutableRow {
    let row = this.#rows.get(digest);
    if (row === undefined) {
      row = nothing();
      this.#rows.set(digest, row);
    }
    return row;
  }
}

/**
 * Number of labels that count towards the card's `annotatorsPerRow`: those of others than the row's contributor. With
 * `ownRows` the contributor's counts too.
 */
export function countedLabels(
  { labelling }: Card,
  labels: RowRecords["labels"],
  contributorId: number,
): number {
  const hasOwn = labelling.ownRows !== "allowed" && labels.has(contributorId);
  return labels.size - (hasOwn ? 1 : 0);
}

/**
 * The outcome of a row by the card's rules: the contributor's withdrawal before everything, then leaving out, then a reviewer's
 * word, then labels. Once a row has
 * `annotatorsPerRow` labels, all of them are counted, the contributor's with them. A card without labels accepts each row
 * that nobody has left out.
 */
export function outcomeOf(
  card: Card,
  { labels, leaveOut, settled, withdrawals }: RowRecords,
  contributorId: number,
): RowOutcome {
  const { labelling } = card;
  const withdrawal = withdrawals.get(contributorId);
  if (withdrawal !== undefined)
    return { state: "leftOut", why: WITHDRAWN, note: withdrawal.note, byId: contributorId };
  if (leaveOut?.isLeftOut === true)
    return { state: "leftOut", why: leaveOut.why, note: leaveOut.note, byId: leaveOut.leafId };
  if (settled !== null && settled.label === null)
    return { state: "leftOut", why: "wrong-label", note: settled.note, byId: settled.leafId };
  if (card.labels.length === 0) return { state: "accepted", label: null, accepters: [] };
  if (settled !== null && settled.label !== null) {
    const agreeing = leavesSaying(labels, settled.label);
    const isVouched = agreeing.some((leafId) => mayVouch(card, leafId, contributorId));
    const accepters = isVouched ? agreeing : [...new Set([...agreeing, settled.leafId])];
    return { state: "accepted", label: settled.label, accepters: accepters.sort((a, b) => a - b) };
  }
  if (countedLabels(card, labels, contributorId) < labelling.annotatorsPerRow) return { state: "waiting" };
  const counts = new Map<string, number>();
  for (const { label } of labels.values()) counts.set(label, (counts.get(label) ?? 0) + 1);
  const [best] = [...counts].sort(([, a], [, b]) => b - a);
  const needed = labelling.accept === "all" ? labels.size : Math.floor(labels.size / 2) + 1;
  if (best === undefined || best[1] < needed) return { state: "disputed" };
  return { state: "accepted", label: best[0], accepters: leavesSaying(labels, best[0]) };
}

function leavesSaying(labels: RowRecords["labels"], label: string): number[] {
  return [...labels.values()]
    .filter((record) => record.label === label)
    .map(({ leafId }) => leafId)
    .sort((a, b) => a - b);
}

/** Returns the later record; of two at the same time the first that came. */
function newer<T extends { readonly atMs: number }>(held: T | null, next: T): T {
  return held !== null && held.atMs >= next.atMs ? held : next;
}
