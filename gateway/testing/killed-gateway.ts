/** A gateway's HTTP as a process of its own, which a test kills: many-kills.all.test.ts starts it with its options in JSON. */
import { createFixtureClient } from "@openledger/client/testing/ledger-fixture";
import { z } from "zod";
import { openAppOf } from "./paid-ledger.ts";

/** Time between two sendings of a payment that the sequencer has not answered for. */
const RETRY_INTERVAL_MS = 1_000;

const optionsSchema = z.strictObject({
  sequencerUrl: z.string(),
  place: z.strictObject({ modelId: z.int(), serverUrl: z.string() }),
  own: z.string(),
  models: z.string(),
});
export type KilledGatewayOptions = z.input<typeof optionsSchema>;

const { place, sequencerUrl, ...folders } = optionsSchema.parse(JSON.parse(process.argv.at(-1)!));
const client = await createFixtureClient(sequencerUrl);
const { modules, token, url } = await openAppOf(client, folders, place);
await modules.asker.resume();
setInterval(() => void modules.asker.settleUnsure().catch(() => {}), RETRY_INTERVAL_MS);
process.stdout.write(`${JSON.stringify({ url, token })}\n`);
