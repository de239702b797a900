import { readModel } from "@openledger/attribution/model/model-directory";
import { MOST_CHALLENGED_ROWS } from "@openledger/attribution/model/recipe-fields";
import { readGame } from "@openledger/challenger/events/read-contracts";
import { commitModelCall } from "@openledger/challenger/model-commitments/ledger-proofs";
import { readModelCommitments } from "@openledger/challenger/model-commitments/read-model-commitments";
import { readTerms } from "@openledger/challenger/model-commitments/registry";
import {
  familyNumberOf,
  modelCommitmentKindOf,
  requireRegistry,
} from "@openledger/challenger/playing/disputes-contracts";
import { registryCall, sendingTo } from "@openledger/challenger/playing/trace-sender";
import { againBetweenBatches, isReverted } from "@openledger/challenger/sending/between-batches";
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { missingChunks, storeChunks } from "@openledger/contracts/build/deploy-disputes";
import { disputesAbi } from "@openledger/contracts/build/disputes-abi";
import { modelFamilies } from "@openledger/models/registered/model-families";
import { type Address, formatEther, type Hex, type PublicClient, parseEther, parseEventLogs } from "viem";
import { commandError } from "../../cli/cli-errors.ts";
import { openReader, parseAddress } from "../../cli/context.ts";
import { l1SenderOf } from "../../cli/open-l1-sender.ts";
import { parseId } from "../../cli/parse-id.ts";
import type { CommandContext } from "../../cli/run-command.ts";
import type { PostOptions } from "./disputes-options.ts";

/** @throws CMD_USAGE where a place of the model is wrong: it would cost the bond */
export async function commitModel({ options, args, output }: CommandContext<PostOptions>): Promise<void> {
  await initPoseidon();
  const given = parseAddress(args[0]!);
  const modelId = parseId(options.modelId);
  const model = await readModel(args[1]!, await modelFamilies(options));
  if (model.rows === null) throw commandError("CMD_USAGE", "the model is published without its rows");
  const { rows } = model;
  if (rows.length > MOST_CHALLENGED_ROWS)
    throw commandError(
      "CMD_USAGE",
      `a model commitment has at most ${MOST_CHALLENGED_ROWS} rows, not ${rows.length}`,
    );
  output.progress("computing what is posted");
  const kind = await modelCommitmentKindOf(model, options, output.progress);
  const posted = await kind.honestModelCommitment(model, rows, modelId);
  output.progress("checking every place of it");
  for (const fault of kind.faultsOf({ posted, own: posted, rows }))
    throw commandError("CMD_USAGE", `anyone could refute it: ${JSON.stringify(fault)}; nothing is posted`);
  kind.requirePlayable?.(posted);
  const sender = sendingTo(await l1SenderOf(options), given);
  const { publicClient } = sender;
  const registry = await requireRegistry(publicClient, given);
  const terms = await readTerms(publicClient, given);
  const family = familyNumberOf(registry, model);
  const missing = await missingChunks(publicClient, terms.math, rows.length);
  if (missing.length > 0) {
    output.progress(`storing ${missing.length} chunks of constants that its challenges read`);
    await storeChunks({ walletClient: sender.walletClient, publicClient }, terms.math, missing);
  }
  const valueWei = options.bond === undefined ? terms.leastBondWei : parseEther(options.bond);
  const client = await openReader(options);
  const sent = await againBetweenBatches(
    async () => {
      const call = await commitModelCall(client, family, posted, kind.family);
      return sender.send(registryCall({ ...call, valueWei }), "the model commitment");
    },
    () => output.progress("a batch came between: opening the rows in the new state"),
  ).catch((error: unknown) => {
    if (!isReverted(error, "DisputesModelUnregistered")) throw error;
    const register = `openledger disputes admit ${given} ${args[1]} --model-id ${modelId} --cap PAYMENTS`;
    throw commandError(
      "CMD_USAGE",
      `model ${modelId} is not registered for claims yet: ${register} comes first`,
      {
        cause: error,
      },
    );
  });
  const id = await modelCommitmentOf(publicClient, sent.hash);
  const modelCommitment = (await readModelCommitments(publicClient, given, { modelId })).find(
    (one) => one.id === id,
  )!;
  const until = new Date(Number(modelCommitment.endsAtSeconds) * 1000).toISOString();
  const lines = [
    `model commitment ${id} of model ${modelId}: window until ${until}, bond ${formatEther(valueWei)} ETH`,
    `posted by L1 transaction ${sent.hash}, ${sent.gasUsed} gas`,
    ...(kind.family === "text"
      ? [await playLine(publicClient, registry.games!, `${given} --role defend --model ${args[1]}`)]
      : []),
    `look every day until then: who challenges a leaf has to be answered within one, by openledger challenger ${given} --role defend --model ${args[1]}`,
    `afterwards: openledger disputes admit ${given} ${args[1]} --model-id ${modelId} --cap PAYMENTS`,
  ];
  output.answer(lines, {
    ...{ modelCommitment: id, modelId, endsAtSeconds: modelCommitment.endsAtSeconds, bondWei: valueWei },
    ...sent,
  });
}

/** What the owner of rows that games are about has to do from now on. @param words registry, role and folder */
export async function playLine(client: PublicClient, address: Address, words: string): Promise<string> {
  const hours = Number(await readGame(client, address)("sideSeconds", [])) / 3_600;
  const why = `anyone may open a game over a row, and each side has ${hours} hours for all its moves: silence loses the bond`;
  return `moves are needed within hours, so leave this running: openledger challenger ${words} --every 10 (${why})`;
}

async function modelCommitmentOf(publicClient: PublicClient, hash: Hex): Promise<bigint> {
  const { logs } = await publicClient.getTransactionReceipt({ hash });
  const [event] = parseEventLogs({ abi: disputesAbi, eventName: "ModelCommitted", logs });
  return event!.args.id;
}
