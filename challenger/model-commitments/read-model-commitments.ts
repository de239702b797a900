/** Model commitments with their statements: what a watcher recomputes. */
import type { Address, PublicClient } from "viem";
import type { DisputeStatement } from "../statements/committed-model.ts";
import { readStatement, type StatementTuple } from "../statements/model-commitment-calls.ts";
import { type ModelCommitmentWindow, readPostedEvents, type WindowOptions } from "./read-windows.ts";

export interface ModelCommitment extends ModelCommitmentWindow {
  readonly statement: DisputeStatement;
}

/** All model commitments, oldest first. */
export async function readModelCommitments(
  client: PublicClient,
  address: Address,
  options: WindowOptions = {},
): Promise<ModelCommitment[]> {
  const found = await readPostedEvents(client, address, options);
  return found.map(({ statement, window }) => ({
    ...window,
    statement: readStatement(statement as StatementTuple),
  }));
}
