/**
 * New Datanet that is being written or opened, in the browser's storage: a draft survives a reload of its tab; an opening that was signed
 * survives the tab, since its id is paid for. The page "#/datanets/new" goes on with it.
 */
import type { BegunDatanet } from "@openledger/client/tasks/open-datanet";
import { type RollupIdentity, rollupKey } from "../ledger/rollup-storage.ts";
import { type CardDraft, EMPTY_DRAFT } from "./card-draft.ts";

export interface Begun {
  readonly draft: CardDraft;
  /** How far the opening has come. */
  readonly opening: BegunDatanet;
}

/** Account that opens the Datanet: another one of this browser has a draft of its own. */
interface Opener {
  readonly rollup: RollupIdentity;
  readonly leafId: number;
}

const keyOf = ({ leafId, rollup }: Opener) => `${rollupKey("new-datanet", rollup)} ${leafId}`;

/** True once an opening was signed: what follows pays for no second Datanet. */
export const isSigned = ({ opening }: Begun): boolean =>
  opening.signed !== undefined || opening.datanetId !== undefined;

/** Same draft for another Datanet. */
export const unopened = ({ draft }: Begun): Begun => ({ draft, opening: {} });

/** @param contact place where people reach the owner, unless there is a better one */
export function readBegun(opener: Opener, contact: string): Begun {
  const key = keyOf(opener);
  const empty = { ...EMPTY_DRAFT, contact };
  try {
    const text = localStorage.getItem(key) ?? sessionStorage.getItem(key) ?? "{}";
    const { draft, opening = {} } = JSON.parse(text) as Partial<Begun>;
    return { draft: { ...empty, ...draft }, opening };
  } catch {
    // Nothing that this page has written.
    return { draft: empty, opening: {} };
  }
}

/** Stores what has begun. A draft of this tab leaves another tab's opening alone. */
export function storeBegun(opener: Opener, begun: Begun): void {
  const storage = isSigned(begun) ? localStorage : sessionStorage;
  storage.setItem(keyOf(opener), JSON.stringify(begun));
}

/** Forgets draft and opening: the Datanet is there with its card, or another one is begun instead. */
export function forgetBegun(opener: Opener): void {
  for (const storage of [sessionStorage, localStorage]) storage.removeItem(keyOf(opener));
}
