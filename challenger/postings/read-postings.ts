/** Postings with their statements: what a watcher recomputes. */
import type { Address, PublicClient } from "viem";
import type { DisputeStatement } from "../statements/posted-model.ts";
import { readStatement, type StatementTuple } from "../statements/posting-calls.ts";
import { type PostingWindow, readPostedEvents, type WindowOptions } from "./read-windows.ts";

export interface Posting extends PostingWindow {
  readonly statement: DisputeStatement;
}

/** All postings, oldest first. */
export async function readPostings(
  client: PublicClient,
  address: Address,
  options: WindowOptions = {},
): Promise<Posting[]> {
  const found = await readPostedEvents(client, address, options);
  return found.map(({ statement, window }) => ({
    ...window,
    statement: readStatement(statement as StatementTuple),
  }));
}
