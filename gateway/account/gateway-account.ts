/**
 * Account of a gateway: a fresh key, opened by one operation of the wallet's account that brings the budget, and closed by one
 * that returns what is left. Each of them is on disk, signed, before it is sent: a restart sends the same one. Amounts are in wei.
 */
import { join } from "node:path";
import { createRandomKey, keyFromSecret, type L2Key } from "@openledger/client/l2-key";
import type { LedgerClient } from "@openledger/client/ledger-client";
import { resolveSigner } from "@openledger/client/sequencer/ledger-reads";
import { formatOpen } from "@openledger/client/sequencer/open-amount";
import { endFundedAccount, openFundedAccount } from "@openledger/client/tasks/funded-account";
import { hex32 } from "@openledger/foundation/hex";
import { readSecretFile } from "@openledger/foundation/secret-file";
import { readIfPresent, writeFileWhole } from "@openledger/foundation/whole-file";
import type { Hex } from "viem";
import { gatewayError } from "../gateway-errors.ts";
import { type AccountRecord, accountSchema } from "./account-record.ts";
import { type GatewayStore, writeLeaf } from "./gateway-store.ts";

/** Key of the record in its part of the store. */
const RECORD = "account";

/** Wallet's account that opens the gateway's: `client` signs for it. */
export interface Funding {
  readonly client: LedgerClient;
  readonly budgetWei: bigint;
}

export interface GatewayAccount {
  readonly leafId: number;
  /** Signs for the account alone. */
  readonly client: LedgerClient;
  readonly record: AccountRecord;
  /** True if this call has opened it. */
  readonly isNew: boolean;
}

interface Location {
  readonly folder: string;
  readonly store: GatewayStore;
  /** Any client of the rollup: its key is not used. */
  readonly reader: LedgerClient;
}

const keyPath = (folder: string, name = "key") => join(folder, name);

async function readRecord(store: GatewayStore): Promise<AccountRecord | null> {
  const stored = await store.account.get(RECORD);
  return stored === undefined ? null : accountSchema.parse(stored);
}

/**
 * Takes up the account of the folder, or opens one.
 * @param funding called only where there is no account yet
 * @throws GAT_NO_ACCOUNT, CIR_SECRET_FILE, and the errors of `openFundedAccount`
 */
export async function openAccount(
  location: Location,
  funding: (() => Promise<Funding>) | null,
): Promise<GatewayAccount> {
  const { folder, store } = location;
  const known = await readRecord(store);
  if (known !== null && !known.isEnded && known.leafId !== null) return takenUp(location, known, false);
  if (funding === null) {
    const why =
      known?.isEnded === true ? `the account of ${folder} has ended` : `there is no account in ${folder}`;
    throw gatewayError("GAT_NO_ACCOUNT", `${why}, and no budget for a new one`, { data: { folder } });
  }
  const begun = known === null || known.isEnded ? await begin(location, known, await funding()) : known;
  const opened = await finishOpening(location, begun, funding);
  return takenUp(location, opened, true);
}

async function takenUp(
  { folder, reader }: Location,
  record: AccountRecord,
  isNew: boolean,
): Promise<GatewayAccount> {
  const l2Key = await readKey(folder);
  const leafId = record.leafId!;
  await writeLeaf(join(folder, "store"), leafId);
  return { leafId, record, isNew, client: { ...reader, wallet: null, l2Key, leafId } };
}

/** @throws CIR_SECRET_FILE */
const readKey = (folder: string): Promise<L2Key> => keyFromSecret(readSecretFile(keyPath(folder)) as Hex);

/** Makes the key, and the record of an account that nobody has signed for yet. */
async function begin(
  { folder, store }: Location,
  ended: AccountRecord | null,
  { budgetWei, client }: Funding,
): Promise<AccountRecord> {
  // An ended account has a last crumb, and one whose record is lost all of its money: their keys stay.
  const before = readIfPresent(keyPath(folder));
  if (before !== null) {
    const name = `key-${ended?.leafId ?? `of-${Date.now()}`}`;
    await writeFileWhole(keyPath(folder, name), before, { mode: 0o600 });
  }
  const [key, funder] = await Promise.all([createRandomKey(), resolveSigner(client)]);
  await writeFileWhole(keyPath(folder), `${key.secret.reveal()}\n`, { mode: 0o600 });
  const record: AccountRecord = {
    keyX: hex32(key.keyX),
    funder: { leafId: funder.id, l1Owner: funder.l1Owner },
    budgetWei: String(budgetWei),
    opening: null,
    leafId: null,
    ending: null,
    isEnded: false,
  };
  await store.account.put(RECORD, record);
  return record;
}

/** Sends the operation that opens the account, and waits until the ledger has it. */
async function finishOpening(
  location: Location,
  begun: AccountRecord,
  funding: () => Promise<Funding>,
): Promise<AccountRecord> {
  const { reader, store } = location;
  let record = begun;
  const save = async (changes: Partial<AccountRecord>) => {
    record = { ...record, ...changes };
    await store.account.put(RECORD, record);
  };
  const { funder, keyX } = record;
  const leafId = await openFundedAccount(reader, {
    ...{ from: funder.leafId, l1Owner: funder.l1Owner as Hex, keyX: BigInt(keyX) },
    amountWei: BigInt(record.budgetWei),
    signer: async () => (await funding()).client,
    stored: record.opening,
    onSigned: (opening) => save({ opening }),
  });
  if (leafId === null)
    throw gatewayError("GAT_NO_ACCOUNT", "the ledger has no account with the gateway's key", {
      data: { keyX },
    });
  await save({ leafId });
  return record;
}

export interface EndedAccount {
  readonly leafId: number;
  /** Leaf that got the money. */
  readonly to: number;
  /** 0 where the account had no more than a fee. */
  readonly returnedWei: bigint;
  /** Balance that stays: less than a transfer can carry. */
  readonly leftWei: bigint;
}

/**
 * Returns what is left to the account that paid the budget. The wallet stays the owner of the leaf.
 * @throws GAT_NO_ACCOUNT, and the errors of `endFundedAccount`
 */
export async function endAccount(location: Location): Promise<EndedAccount> {
  const { folder, store } = location;
  const record = await readRecord(store);
  if (record === null || record.isEnded || record.leafId === null)
    throw gatewayError("GAT_NO_ACCOUNT", `there is no open account in ${folder}`, { data: { folder } });
  const { client, leafId } = await takenUp(location, record, false);
  const { ending: stored, funder } = record;
  const { returnedWei, leftWei, signed } = await endFundedAccount(client, {
    ...{ leafId, to: funder.leafId, expectedOwner: funder.l1Owner as Hex, stored },
    onSigned: (ending) => store.account.put(RECORD, { ...record, ending: { ...ending } }),
  });
  const ending = signed === null ? null : { ...signed };
  await store.account.put(RECORD, { ...record, ending, isEnded: true });
  return { leafId, to: funder.leafId, returnedWei, leftWei };
}

/** Describes an ended account in a line. */
export const endedLine = ({ leafId, leftWei, returnedWei, to }: EndedAccount): string => {
  const returned = `${formatOpen(returnedWei)} OPEN of the gateway's account (leaf ${leafId}) went back to leaf ${to}`;
  return leftWei === 0n
    ? returned
    : `${returned}; ${formatOpen(leftWei)} OPEN stay, less than a transfer can carry`;
};
