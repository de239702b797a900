/** `openledger verify model`: trains a model again, and signs on request that its bytes are the same. */
import type { ModelParts } from "@openledger/attribution/model/model-family";
import { versionsOf } from "@openledger/attribution/model/recipe-fields";
import { datanetIds, unpackBinding } from "@openledger/circuits/ledger/leaf";
import type { LedgerClient } from "@openledger/client/ledger-client";
import { getModel, staticsOf } from "@openledger/client/sequencer/model-reads";
import { commandError } from "../../cli/cli-errors.ts";
import { openReader } from "../../cli/context.ts";
import { parseId } from "../../cli/parse-id.ts";
import type { CommandContext } from "../../cli/run-command.ts";
import { signerClient } from "../datanet/host-options.ts";
import { sendRecords, type WatchResult } from "../watch/send-records.ts";
import { recompute, type VerifyModelOptions } from "./verify-model.ts";

export interface SignModelOptions extends VerifyModelOptions {
  sign?: boolean;
}

/**
 * Prints what was compared. With `--sign` it brings a record "verified", as a watcher's, to the host, for each of the model's
 * Datanets that the host has.
 * @throws CMD_USAGE for `--sign` with `--quick`, without a host or for a folder, before anything is computed; CMD_USAGE too if the
 *   host has none of the model's Datanets; as `recompute`
 */
export async function verifyAndSign({
  args,
  options,
  output,
}: CommandContext<SignModelOptions>): Promise<void> {
  const [what] = args as [string];
  const isSigned = options.sign === true;
  if (isSigned && options.quick === true)
    throw commandError("CMD_USAGE", "--sign is for a whole training: leave out --quick");
  if (isSigned && options.host === undefined)
    throw commandError("CMD_USAGE", "--sign needs --host URL: the host that takes the record");
  const modelId = isSigned ? parseId(what) : undefined;
  const signer = isSigned ? await signerClient(options, null) : null;
  const client = signer ?? (await openReader(options));
  let versions: readonly number[] = [];
  const onPublished = ({ recipe }: ModelParts) => {
    versions = versionsOf(recipe).map(({ version }) => version);
  };
  const { facts, lines } = await recompute(client, { what, onPublished }, options, output);
  if (signer === null) return output.answer(lines, facts);
  const figure = facts.figureId as string | null;
  const signedAt = await signAt(signer, { hostUrl: options.host!, modelId: modelId!, versions, figure });
  output.answer(
    [
      ...lines,
      `signed that you have recomputed it${figure === null ? "" : ", with its figure"}: ${signedAt.join(", ")}`,
    ],
    {
      ...facts,
      signedAt,
    },
  );
}

/** Signs for each of the model's Datanets that the host has. @returns "host's URL#Datanet" of each */
async function signAt(
  signer: LedgerClient,
  { hostUrl, ...found }: { hostUrl: string } & Pick<WatchResult, "figure" | "modelId" | "versions">,
): Promise<string[]> {
  const { modelId } = found;
  const { binding } = staticsOf(await getModel(signer, modelId));
  const places = datanetIds(unpackBinding(binding)).map((datanetId, place) => ({
    datanetId,
    hostUrl,
    place,
  }));
  const result = { ...found, epoch: null, difference: null };
  const sent = await sendRecords(signer, result, { history: signer, places });
  if (sent.length > 0) return sent;
  throw commandError("CMD_USAGE", `${hostUrl} has none of model ${modelId}'s Datanets: name another --host`);
}
