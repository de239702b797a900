/**
 * Reads the addresses from which the pages get their data: the server of the page, and the Ethereum node, hosts and servers
 * that it names. main.tsx loads it once; every page gets it.
 */

import { requestSequencer, type SequencerAccess } from "@openledger/client/sequencer/sequencer-request";
import { z } from "zod";

const settingsSchema = z.object({
  l1Url: z.url().nullable(),
  answerServers: z.array(z.url()).default([]),
  datanetHosts: z.array(z.url()).default([]),
  factoryUrl: z.url().nullable().default(null),
  sourceUrl: z
    .url({ protocol: /^https?$/ })
    .nullable()
    .default(null),
  governance: z
    .object({ governor: z.string(), registry: z.string(), fromBlock: z.int() })
    .nullable()
    .default(null),
});

export interface Site {
  readonly sequencer: SequencerAccess;
  /** Ethereum node that anyone may ask; null: only the wallet's is asked. */
  readonly l1Url: string | null;
  /** Answer servers: the page asks their models and adapters questions, and which rows an answer paid. */
  readonly answerServers: readonly string[];
  /** Hosts of Datanets: cards, rows, labels. */
  readonly datanetHosts: readonly string[];
  /** Factory, where models are tuned; null if the page itself is all there is. */
  readonly factoryUrl: string | null;
  /** Address of the source code that the operator runs; null if none is named. */
  readonly sourceUrl: string | null;
  /** The contracts that OPEN votes with; null if the deployment has none. */
  readonly governance: {
    readonly governor: string;
    readonly registry: string;
    readonly fromBlock: number;
  } | null;
}

/** Server of the page. */
export const SEQUENCER: SequencerAccess = {
  sequencerUrl: window.location.origin,
  requestTimeoutMs: 10_000,
};

/** @throws CLI_UNREACHABLE, CLI_ANSWER_INVALID */
export async function loadSite(): Promise<Site> {
  const settings = await requestSequencer(SEQUENCER, "/pages.json", settingsSchema);
  return { sequencer: SEQUENCER, ...settings };
}
