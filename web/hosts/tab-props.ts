/** Properties and rights that all tabs of a Datanet's page share: who owns, reviews and reads, and the addresses of the tabs. */
import type { HostedDatanetLocation, ReadableLocation } from "@openledger/client/datanets/host-request";
import type { HostedDatanetFacts } from "@openledger/client/datanets/host-schemas";
import type { LedgerClient } from "@openledger/client/ledger-client";
import type { PageProps } from "../ledger/page.ts";
import type { Visitor } from "./keys/visitor.ts";

/** Properties of each part of a Datanet's page. */
export interface TabProps extends PageProps {
  readonly place: HostedDatanetLocation;
  readonly facts: HostedDatanetFacts;
  readonly visitor: Visitor;
  /** Called after a signature: the page asks the host again. */
  readonly onChange: () => void;
}

type Who = Pick<TabProps, "facts" | "visitor">;

/** True if the key in this page's memory is the Datanet's own. */
export function isOwnKey({ facts, visitor }: Who): boolean {
  return visitor.client?.l2Key?.keyX === BigInt(facts.ledger.keyX);
}

/** Client that signs for the Datanet with its own key; null if the page does not have it. */
export const ownClient = (who: Who): LedgerClient | null => (isOwnKey(who) ? who.visitor.client : null);

/** Leaf that signs as a reviewer: an account that the card names, else the Datanet itself; null if neither is here. */
export function reviewerOf({ facts, visitor }: Who): number | null {
  const accountId = visitor.client?.leafId ?? null;
  if (accountId !== null && facts.card.labelling.reviewers.includes(accountId)) return accountId;
  return isOwnKey({ facts, visitor }) ? facts.id : null;
}

/** Place where the rows are read; signed if the card asks for it and there is a key to sign with. */
export function readableLocation({ facts, place, visitor }: Who & Pick<TabProps, "place">): ReadableLocation {
  if (facts.card.access === "public" || visitor.client === null) return place;
  return { ...place, isSigned: true, ...(isOwnKey({ facts, visitor }) ? { from: facts.id } : {}) };
}

export const datanetHref = (id: number, tab = "") => `#/datanets/${id}${tab === "" ? "" : `/${tab}`}`;
