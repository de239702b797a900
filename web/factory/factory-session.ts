/**
 * Session of a visitor at a factory: its client with the account that signs. factory-gate.tsx opens it for the factory's pages.
 */
import type { LedgerClient } from "@openledger/client/ledger-client";
import type { FactoryInfo } from "@openledger/models/factory/factory-api";
import { FactoryClient } from "@openledger/models/factory/factory-client";

/** Session of an account at a factory. */
export interface FactorySession {
  readonly factory: FactoryClient;
  readonly client: LedgerClient;
  /** The account that signs, and that jobs belong to. */
  readonly leafId: number;
  readonly info: FactoryInfo;
}

/** @throws CLI_UNREACHABLE, CLI_ANSWER_INVALID */
export async function openFactorySession(
  url: string,
  client: LedgerClient,
  leafId: number,
): Promise<FactorySession> {
  const factory = new FactoryClient(client, url, leafId);
  return { factory, client, leafId, info: await factory.info() };
}
