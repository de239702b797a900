/**
 * Background work of the pages' frame: sends signed contributions, and uploads the rows of final commits to the host, whichever
 * page is open.
 */

import type { HostAccess, HostedDatanetLocation } from "@openledger/client/datanets/host-request";
import { listHostCommits } from "@openledger/client/datanets/hosted-history";
import type { HostCommitView } from "@openledger/client/datanets/row-schemas";
import type { LedgerClient } from "@openledger/client/ledger-client";
import type { Card } from "@openledger/datanets/card/card";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { type ReadonlySignal, signal } from "@preact/signals";
import { placeOf } from "../../hosts/hosts.ts";
import { readVisitor } from "../../hosts/keys/visitor.ts";
import type { Live } from "../../ledger/live.ts";
import { locked } from "../../ledger/locked.ts";
import type { RollupIdentity } from "../../ledger/rollup-storage.ts";
import type { Site } from "../../ledger/site.ts";
import { showCount, showCounted } from "../../words/format.ts";
import { type Problem, problemOf } from "../../words/problem.tsx";
import { type Contributions, contributionsOf, type Pending } from "./contributions.ts";
import { pendingKey } from "./pending-key.ts";

/** Pause after a failure that may pass. */
const RETRY_MS = 15_000;

export interface Standing {
  /** Commit as the host has it from the ledger; null until the host has it and has been asked. */
  readonly commit: HostCommitView | null;
  /** Rows at the host, while they are sent. */
  readonly received: number | null;
  readonly problem: Problem | null;
}

/** Contribution that the host has. */
interface Arrived extends Pending {
  /** The contributor's labels that the host has not taken. */
  readonly refusedLabelCount: number;
}

/** True if rows of a contribution need labels beside those that its contributor gave with them. */
export const waitsForLabels = (
  { labelling, labels }: Pick<Card, "labelling" | "labels">,
  { labelledCount, rowCount }: Pick<Pending, "labelledCount" | "rowCount">,
): boolean =>
  labels.length > 0 &&
  !(labelling.ownRows === "allowed" && labelling.annotatorsPerRow === 1 && labelledCount === rowCount);

const UNKNOWN: Standing = { commit: null, received: null, problem: null };

interface Carrying {
  /** Signs requests; null while the key is locked: nothing is sent then. */
  readonly client: LedgerClient | null;
  readonly reader: HostAccess;
  findPlace(datanetId: number): Promise<HostedDatanetLocation>;
}

export class Carrier {
  readonly contributions: Contributions;
  readonly #standings = signal<ReadonlyMap<string, Standing>>(new Map());
  readonly #arrived = signal<ReadonlyMap<number, Arrived>>(new Map());
  /** Time of the next try of each failed contribution; infinite if the host has refused it. */
  readonly #pausedUntilMs = new Map<string, number>();
  #isLooking = false;

  constructor(contributions: Contributions) {
    this.contributions = contributions;
  }

  standingOf({ rowsRoot }: Pending): Standing {
    return this.#standings.value.get(rowsRoot) ?? UNKNOWN;
  }

  /** Last contribution that this page has uploaded, by Datanet. */
  get arrived(): ReadonlySignal<ReadonlyMap<number, Arrived>> {
    return this.#arrived;
  }

  /** Retries a failed contribution at the next look, without the pause. */
  retry({ rowsRoot }: Pending): void {
    this.#pausedUntilMs.delete(rowsRoot);
  }

  /** @returns whether rows have arrived; one look at a time */
  async look({ client, findPlace, reader }: Carrying): Promise<boolean> {
    if (this.#isLooking) return false;
    this.#isLooking = true;
    let hasArrived = false;
    try {
      const all = this.contributions.pending.value;
      for (const datanetId of new Set(all.map((one) => one.datanetId))) {
        const here = all.filter((one) => one.datanetId === datanetId);
        try {
          const location = await findPlace(datanetId);
          const commits = await listHostCommits(client ?? reader, location);
          for (const one of here) {
            const commit = commits.find(({ rowsRoot }) => rowsRoot === one.rowsRoot) ?? null;
            this.#set(one, { ...this.standingOf(one), commit });
            if (await this.#advance(one, commit, location, client)) hasArrived = true;
          }
        } catch (error) {
          for (const one of here) this.#set(one, { ...this.standingOf(one), problem: problemOf(error) });
        }
      }
    } finally {
      this.#isLooking = false;
    }
    return hasArrived;
  }

  async #advance(
    one: Pending,
    commit: HostCommitView | null,
    location: HostedDatanetLocation,
    client: LedgerClient | null,
  ): Promise<boolean> {
    if (client === null || client.leafId !== one.leafId) return false;
    if (Date.now() < (this.#pausedUntilMs.get(one.rowsRoot) ?? 0)) return false;
    try {
      // The page was closed between the signature and its answer.
      if (one.signed !== undefined && commit === null) await this.contributions.resend(client, one);
      const arrived = commit?.isFinal === true ? await this.#upload(one, location, client) : null;
      this.#pausedUntilMs.delete(one.rowsRoot);
      if (arrived !== null) {
        this.#arrived.value = new Map([...this.#arrived.value, [one.datanetId, arrived]]);
        this.#set(one, null);
      } else this.#set(one, { ...this.standingOf(one), problem: null });
      return arrived !== null;
    } catch (error) {
      const mayPass = !isRollupError(error) || error.isRetryable;
      this.#pausedUntilMs.set(one.rowsRoot, mayPass ? Date.now() + RETRY_MS : Number.POSITIVE_INFINITY);
      this.#set(one, { ...this.standingOf(one), received: null, problem: problemOf(error) });
      return false;
    }
  }

  /** @returns null if another tab uploads it */
  async #upload(
    one: Pending,
    location: HostedDatanetLocation,
    client: LedgerClient,
  ): Promise<Arrived | null> {
    const uploaded = await locked(`openledger.upload.${one.rowsRoot}`, "exclusive", () =>
      this.contributions.upload(client, location, one, (received) =>
        this.#set(one, { ...this.standingOf(one), received, problem: null }),
      ),
    );
    return uploaded === null ? null : { ...one, refusedLabelCount: uploaded.refusedLabels.length };
  }

  #set({ rowsRoot }: Pending, standing: Standing | null): void {
    const all = new Map(this.#standings.value);
    if (standing === null) all.delete(rowsRoot);
    else all.set(rowsRoot, standing);
    this.#standings.value = all;
  }
}

const carriers = new Map<string, Carrier>();

export function carrierOf(rollup: RollupIdentity): Carrier {
  const name = pendingKey(rollup);
  const known = carriers.get(name) ?? new Carrier(contributionsOf(rollup));
  carriers.set(name, known);
  return known;
}

/** One look at all that is under way. Nothing is thrown: each contribution has its own problem. */
export async function carryOn(site: Site, live: Live): Promise<void> {
  const visitor = readVisitor(site, live);
  const rollup = live.info.value;
  if (visitor === null || rollup === null) return;
  const { client, reader } = visitor;
  const findPlace = async (datanetId: number) => (await placeOf(site, reader, datanetId)).place;
  if (await carrierOf(rollup).look({ client, reader, findPlace })) live.ring();
}

/**
 * Describes the state of a contribution in a sentence.
 * @param hasKey whether the key that signs its upload is unlocked
 */
export function sayStanding(
  { rowCount }: Pending,
  { commit, problem, received }: Standing,
  hasKey: boolean,
): string {
  const rows = showCounted(rowCount, "row");
  const [wait, go] = rowCount === 1 ? ["waits", "it goes"] : ["wait", "they go"];
  if (received !== null) return `${rows}: ${showCount(received)} uploaded, more follow.`;
  if (problem !== null) return `${rows} could not be uploaded yet.`;
  if (!hasKey) return `${rows} ${wait} to be uploaded: unlock your key, and ${go} on.`;
  if (commit?.isFinal === true) return `${rows} ${wait} to be uploaded: ${go} to the host now.`;
  return `${rows} ${wait} to be uploaded: ${go} to the host once the commit is final on Ethereum.`;
}
