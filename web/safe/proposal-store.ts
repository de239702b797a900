/**
 * Proposals to a Safe that this browser knows, with their signatures: a list in its storage for each Safe of a rollup. They are public,
 * and hold no key. A signature is judged by L1 each time it is shown.
 */
import { readProposal, type SafeProposal, safeTxHashOf } from "@openledger/client/safe/safe-transaction";
import { signal } from "@preact/signals";
import { type RollupIdentity, rollupKey } from "../ledger/rollup-storage.ts";

/** Maximum proposals of a Safe; those of the lowest nonces are dropped. */
const MAX_PROPOSALS = 50;

export const proposals = signal<readonly SafeProposal[]>([]);

const keyOf = (rollup: RollupIdentity, safe: string) => rollupKey(`safe.${safe.toLowerCase()}`, rollup);

/** Reads the list of a Safe. One that cannot be read is left out. */
export function loadProposals(rollup: RollupIdentity, safe: string): void {
  let stored: unknown = [];
  try {
    stored = JSON.parse(localStorage.getItem(keyOf(rollup, safe)) ?? "[]");
  } catch {
    // Of another release, or cut off: nothing of it can be shown.
  }
  proposals.value = (Array.isArray(stored) ? stored : []).flatMap((one) => {
    try {
      return [readProposal(JSON.stringify(one))];
    } catch {
      return [];
    }
  });
}

/** Adds a proposal to the list, and to the signatures that are known of it. */
export function storeProposal(rollup: RollupIdentity, proposal: SafeProposal): void {
  // Read again: another tab of the same page may have added to the list.
  loadProposals(rollup, proposal.safe);
  const hash = safeTxHashOf(proposal);
  const known = proposals.value.find((one) => safeTxHashOf(one) === hash);
  const others = proposals.value.filter((one) => one !== known);
  const isNew = (owner: string) => proposal.signatures.some((one) => one.owner === owner);
  const earlier = known?.signatures.filter(({ owner }) => !isNew(owner)) ?? [];
  const merged = { ...proposal, signatures: [...earlier, ...proposal.signatures] };
  const all = [...others, merged].sort((a, b) => b.nonce - a.nonce);
  write(rollup, proposal.safe, all.slice(0, MAX_PROPOSALS));
}

export function forgetProposal(rollup: RollupIdentity, proposal: SafeProposal): void {
  loadProposals(rollup, proposal.safe);
  const hash = safeTxHashOf(proposal);
  write(
    rollup,
    proposal.safe,
    proposals.value.filter((one) => safeTxHashOf(one) !== hash),
  );
}

function write(rollup: RollupIdentity, safe: string, all: readonly SafeProposal[]): void {
  localStorage.setItem(keyOf(rollup, safe), JSON.stringify(all));
  proposals.value = all;
}
