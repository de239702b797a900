/** Where the page has its data from: whoever served it, and the Ethereum node that it names. */
import { z } from "zod";
import { requestSequencer, type SequencerAccess } from "../../client/sequencer/sequencer-request.ts";

const settingsSchema = z.object({
  l1Url: z.url().nullable(),
  modelServers: z.array(z.url()).default([]),
  datanetHosts: z.array(z.url()).default([]),
});

export interface Site {
  readonly sequencer: SequencerAccess;
  /** An Ethereum node that anyone may ask; null: only the wallet's is asked. */
  readonly l1Url: string | null;
  /** Servers of models: the page asks them questions, and which rows an answer paid. */
  readonly modelServers: readonly string[];
  /** Hosts of Datanets: cards, rows, labels. */
  readonly datanetHosts: readonly string[];
}

const REQUEST_TIMEOUT_MS = 10_000;

/** @throws CLI_SEQUENCER_UNREACHABLE, CLI_SEQUENCER_ANSWER_INVALID */
export async function loadSite(): Promise<Site> {
  const sequencer = { sequencerUrl: window.location.origin, requestTimeoutMs: REQUEST_TIMEOUT_MS };
  const settings = await requestSequencer(sequencer, "/pages.json", settingsSchema);
  return { sequencer, ...settings };
}
