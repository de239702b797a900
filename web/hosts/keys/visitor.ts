/**
 * Visitor of a Datanet's page, as hosts know them: anybody, an account, or one whose ledger key signs in this page. Every tab
 * of a Datanet's page gets it.
 */
import type { HostAccess } from "@openledger/client/datanets/host-request";
import type { LedgerClient } from "@openledger/client/ledger-client";
import type { LedgerLeaf } from "@openledger/client/sequencer/sequencer-schemas";
import { holdings, mainAccount } from "../../ledger/holdings.ts";
import type { Live } from "../../ledger/live.ts";
import { type Session, session, unlock } from "../../ledger/session.ts";
import type { Site } from "../../ledger/site.ts";

export interface Visitor {
  /** Asks hosts: without a key as long as nothing is unlocked. */
  readonly reader: HostAccess;
  readonly isConnected: boolean;
  /** The wallet's first account; null if it has none, or is not known yet. */
  readonly account: LedgerLeaf | null;
  /** True if the ledger has told which accounts the wallet has. */
  readonly isAccountKnown: boolean;
  /** Signs in this page's memory; null until `unlock`. */
  readonly client: LedgerClient | null;
  /** Asks the wallet for the signature that the ledger key is made of. @throws CLI_WALLET_REJECTED and its like */
  unlock(): Promise<LedgerClient>;
}

/** One object for each client and account: hosts' sessions are remembered by it. */
const acting = new WeakMap<LedgerClient, Map<number, LedgerClient>>();

function actingAs(client: LedgerClient, leafId: number): LedgerClient {
  const known = acting.get(client)?.get(leafId);
  if (known !== undefined) return known;
  const made = { ...client, leafId };
  acting.set(client, (acting.get(client) ?? new Map<number, LedgerClient>()).set(leafId, made));
  return made;
}

const strangers = new WeakMap<Live, HostAccess>();

/** Reads the visitor; null until the sequencer has told its ledger. Reads signals: call it while rendering. */
export function readVisitor(site: Site, live: Live): Visitor | null {
  const info = live.info.value;
  if (info === null) return null;
  const stranger = strangers.get(live) ?? {
    ...site.sequencer,
    domain: info.domain,
    l2Key: null,
    leafId: null,
  };
  strangers.set(live, stranger);
  const now = session.value;
  const owned = now !== null && holdings.value?.address === now.address ? holdings.value : null;
  const account = mainAccount(owned);
  const client =
    now === null || account === null || now.client.l2Key === null ? null : actingAs(now.client, account.id);
  return {
    reader: client ?? stranger,
    isConnected: now !== null,
    account,
    isAccountKnown: owned !== null,
    client,
    unlock: () => unlocked(now!, account!, owned!.accounts),
  };
}

async function unlocked(
  now: Session,
  account: LedgerLeaf,
  accounts: readonly LedgerLeaf[],
): Promise<LedgerClient> {
  const client = await unlock(
    now,
    accounts.map(({ keyX }) => keyX),
  );
  return actingAs(client, account.id);
}
