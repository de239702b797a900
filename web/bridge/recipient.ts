/** Finds the account that a text names: a number, a 0x address, an ENS name, or a name that its owner has chosen. */
import { clientError } from "@openledger/client/client-errors";
import { findDisplayNames } from "@openledger/client/datanets/display-names";
import type { HostAccess } from "@openledger/client/datanets/host-request";
import type { LedgerClient } from "@openledger/client/ledger-client";
import { findLeaves } from "@openledger/client/sequencer/ledger-reads";
import type { LedgerLeaf } from "@openledger/client/sequencer/sequencer-schemas";
import { type Address, isAddress } from "viem";
import { askUntilAnswered, type Later } from "../ledger/ask-again.ts";
import { ensAddressOf, isEnsName } from "../ledger/ens.ts";

export interface FoundRecipient {
  readonly leaf: LedgerLeaf | null;
  /** Why there is none. */
  readonly problem: string | null;
  /** State of the search, in a sentence; null if it is over. */
  readonly note: string | null;
}

export const NOBODY: FoundRecipient = { leaf: null, problem: null, note: null };

export interface RecipientSearch {
  readonly client: LedgerClient;
  /** Hosts that have names; none if `reader` is null, as long as the ledger is not known. */
  readonly hostUrls: readonly string[];
  readonly reader: HostAccess | null;
  /** The payer's own account, for which no address or name stands. */
  readonly ownId: number | undefined;
}

/** Maximum names in one request; as many as a host gives. */
const MAX_NAMES = 100;

/**
 * Looks a text up, again as long as nobody has answered.
 * @param tell what to show, from the first moment on
 * @returns what ends it
 */
export function lookUpRecipient(
  search: RecipientSearch,
  text: string,
  tell: (found: FoundRecipient) => void,
  later?: Later,
): () => void {
  tell({ ...NOBODY, note: `Looking up ${text} …` });
  return askUntilAnswered(
    () => findRecipient(search, text),
    (outcome) => {
      if (outcome.state === "found") tell({ ...NOBODY, leaf: outcome.value });
      else if (outcome.state === "refused") tell({ ...NOBODY, problem: outcome.problem.message });
      else tell({ ...NOBODY, note: `${text} could not be looked up, as no server responds. Trying again.` });
    },
    later,
  );
}

/** The account that a text names. @throws CLI_LEAF_NOT_FOUND, CLI_INPUT_INVALID, CLI_UNREACHABLE */
async function findRecipient(search: RecipientSearch, text: string): Promise<LedgerLeaf> {
  const { client, ownId } = search;
  if (/^\d+$/.test(text)) {
    const [leaf] = await findLeaves(client, { ids: [Number(text)] });
    return leaf ?? nobody(`No account ${text}.`);
  }
  if (!isAddress(text, { strict: false }) && !isEnsName(text)) return byChosenName(search, text);
  const named = isEnsName(text) ? await ensAddressOf(client.l1, client.chain.id, text.toLowerCase()) : text;
  if (named === null) return nobody(`The name ${text} is not registered on ${client.chain.name}.`);
  const leaves = await findLeaves(client, { owner: named as Address });
  const accounts = leaves.filter(({ kind, id }) => kind === "account" && id !== ownId);
  return onlyOne(accounts, `${text} has no account in the ledger.`, text);
}

/** Finds an account by a name. Names are signed, and not unique: if several accounts have one, none is taken. */
async function byChosenName(
  { client, hostUrls, ownId, reader }: RecipientSearch,
  text: string,
): Promise<LedgerLeaf> {
  const why = `No account is named “${text}”. Enter its number, its address (0x…) or an ENS name.`;
  if (reader === null || hostUrls.length === 0) return nobody(why);
  // A host that does not answer may know another of this name.
  const found = await Promise.all(
    hostUrls.map((hostUrl) => findDisplayNames(reader, { hostUrl, text, limit: MAX_NAMES })),
  );
  const isTarget = (name: string) => name.toLowerCase() === text.toLowerCase();
  const ids = new Set(
    found.flat().flatMap(({ kind, leafId, name }) => (kind === "account" && isTarget(name) ? [leafId] : [])),
  );
  if (ids.size === 0) return nobody(why);
  const leaves = await findLeaves(client, { ids: [...ids] });
  return onlyOne(
    leaves.filter(({ id }) => id !== ownId),
    why,
    text,
  );
}

function onlyOne(accounts: readonly LedgerLeaf[], why: string, text: string): LedgerLeaf {
  if (accounts.length > 1) {
    const ids = accounts.map(({ id }) => id).join(", ");
    throw clientError("CLI_INPUT_INVALID", `${text} has the accounts ${ids}. Enter the number of one.`, {
      data: { reason: "leaf-ambiguous" },
    });
  }
  return accounts[0] ?? nobody(why);
}

function nobody(why: string): never {
  throw clientError("CLI_LEAF_NOT_FOUND", why);
}
