/**
 * Contributions of this browser that are under way: signed, waiting for Ethereum, or half at the host. The contribute tab begins
 * them, carry-on.ts brings them to the host.
 */

import { removeRowFiles } from "@openledger/client/actions/data/row-files";
import { openRowStore } from "@openledger/client/actions/data/row-store";
import type { SignedSubmission } from "@openledger/client/actions/ledger/send-operation";
import { clientError } from "@openledger/client/client-errors";
import type { HostedDatanetLocation } from "@openledger/client/datanets/host-request";
import type { UploadRowsReturnType } from "@openledger/client/datanets/upload-rows";
import type { LedgerClient } from "@openledger/client/ledger-client";
import { bringContribution, commitContribution, planContribution } from "@openledger/client/tasks/contribute";
import { resendOperation } from "@openledger/client/tasks/send-once";
import type { Card } from "@openledger/datanets/card/card";
import { hex32 } from "@openledger/foundation/hex";
import { type ReadonlySignal, signal } from "@preact/signals";
import { z } from "zod";
import { locked } from "../../ledger/locked.ts";
import type { RollupIdentity } from "../../ledger/rollup-storage.ts";
import { pendingKey } from "./pending-key.ts";

const pendingSchema = z.object({
  datanetId: z.int(),
  leafId: z.int(),
  rowsRoot: z.string().regex(/^0x[0-9a-f]{64}$/),
  rowCount: z.int(),
  /** Rows that go with a label of their contributor. */
  labelledCount: z.int().optional(),
  names: z.array(z.string()),
  startedAtMs: z.number(),
  /** Signed operation, until the ledger has it. */
  signed: z.unknown().optional(),
});
type StoredContribution = z.output<typeof pendingSchema>;
export type Pending = Omit<StoredContribution, "signed"> & { readonly signed?: SignedSubmission | undefined };

export class Contributions {
  readonly #name: string;
  readonly #store: string;
  readonly #cell = signal<readonly Pending[]>([]);

  /** @param store database of the rows until the host has them, so that an upload goes on after a reload */
  constructor(rollup: RollupIdentity, store = pendingKey(rollup)) {
    this.#name = pendingKey(rollup);
    this.#store = store;
    this.#cell.value = readPending(this.#name);
    window.addEventListener("storage", ({ key }) => {
      if (key === null || key === this.#name) this.#cell.value = readPending(this.#name);
    });
  }

  get pending(): ReadonlySignal<readonly Pending[]> {
    return this.#cell;
  }

  /** Keeps the rows here, then signs and sends their root: nobody sees a row before its commit is final. */
  async begin(
    client: LedgerClient,
    {
      agreedLicence,
      card,
      datanetId,
      labels,
      names,
      rows,
    }: {
      /** Card of the Datanet: it says whether rows have salts. */
      card: Card;
      datanetId: number;
      names: readonly string[];
      rows: readonly Uint8Array[];
      /** The contributor's label of each row; null for none. */
      labels: readonly (string | null)[];
      /** Licence whose terms the contributor agrees to sign. */
      agreedLicence?: string | undefined;
    },
  ): Promise<void> {
    // Rows are there before their entry in the list: nobody empties the store meanwhile.
    await locked(this.#store, "shared", async () => {
      const store = await openRowStore(this.#store);
      const planned = await planContribution(client, { agreedLicence, card, datanetId, labels, rows, store });
      const add = (rowsRoot: string, signed: SignedSubmission | undefined) => {
        const pending: Pending = {
          ...{ datanetId, leafId: client.leafId!, rowsRoot, rowCount: rows.length, signed },
          labelledCount: labels.filter((label) => label !== null).length,
          names: [...names],
          startedAtMs: Date.now(),
        };
        this.#change((all) => [...all.filter((one) => one.rowsRoot !== rowsRoot), pending]);
      };
      const { contribution } = await commitContribution(client, {
        ...planned,
        from: client.leafId!,
        onSigned: (signed) => add(signed.body.words[0]!, signed),
      });
      // Also rows of which the ledger had the commit: they go to the host all the same.
      add(hex32(contribution.rowsRoot), undefined);
    });
  }

  /**
   * Sends the signed operation again: the page was closed in between.
   * @throws CLI_OPERATION_DROPPED where the sequencer will never execute it: the rows are contributed anew
   */
  async resend(client: LedgerClient, { rowsRoot, signed }: Pending): Promise<void> {
    if (signed === undefined) return;
    const sent = await resendOperation(client, signed);
    if (!sent.isTaken && sent.refusal !== null) throw sent.refusal;
    if (!sent.isTaken)
      throw clientError("CLI_OPERATION_DROPPED", "the sequencer dropped the commit of these rows", {
        data: { hash: signed.hash },
      });
    this.#update(rowsRoot, { signed: undefined });
  }

  /** Uploads the rows of a final commit with their labels, and deletes them here when the host has them all; null: not final there. */
  async upload(
    client: LedgerClient,
    location: HostedDatanetLocation,
    { rowsRoot }: Pending,
    onProgress: (received: number, rowCount: number) => void,
  ): Promise<UploadRowsReturnType | null> {
    const store = await openRowStore(this.#store);
    const upload = { ...location, store, rowsRoot: BigInt(rowsRoot), from: client.leafId!, onProgress };
    const uploaded = await bringContribution(client, upload);
    if (uploaded !== null) await this.forget(rowsRoot);
    return uploaded;
  }

  async forget(rowsRoot: string): Promise<void> {
    this.#change((all) => all.filter((one) => one.rowsRoot !== rowsRoot));
    if (this.#cell.value.length > 0) return;
    // Nothing of what was on its way stays in the browser, unless somebody is adding to it, here or in another tab.
    await locked(this.#store, "exclusive", async () => {
      if (readPending(this.#name).length > 0) return;
      localStorage.removeItem(this.#name);
      await removeRowFiles(this.#store);
    });
  }

  #update(rowsRoot: string, changes: Partial<Pending>): void {
    this.#change((all) => all.map((one) => (one.rowsRoot === rowsRoot ? { ...one, ...changes } : one)));
  }

  /** Changes the contributions in storage. Reads them again first: another tab may have added to them. */
  #change(change: (all: readonly Pending[]) => readonly Pending[]): void {
    const pending = change(readPending(this.#name));
    this.#cell.value = pending;
    localStorage.setItem(this.#name, JSON.stringify(pending));
  }
}

function readPending(name: string): Pending[] {
  try {
    return z.array(pendingSchema).parse(JSON.parse(localStorage.getItem(name) ?? "[]")) as Pending[];
  } catch {
    // Whatever is there was not written here.
    return [];
  }
}

const opened = new Map<string, Contributions>();

export function contributionsOf(rollup: RollupIdentity): Contributions {
  const name = pendingKey(rollup);
  const known = opened.get(name) ?? new Contributions(rollup);
  opened.set(name, known);
  return known;
}
