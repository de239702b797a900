import {
  answeringFiles,
  rawAnsweringHash,
  unchallengedModel,
} from "@openledger/attribution/model/answering-hash";
import { readModel } from "@openledger/attribution/model/model-directory";
import { claimantOf } from "@openledger/attribution/model/recipe-fields";
import { registerCall } from "@openledger/challenger/games/claims/ledger-claims";
import { isRegisteredIn, readGames } from "@openledger/challenger/games/trace-contracts";
import { admitCall, openUnbegunModel } from "@openledger/challenger/model-commitments/ledger-proofs";
import { readModelCommitments } from "@openledger/challenger/model-commitments/read-model-commitments";
import { modelCommitmentLines } from "@openledger/challenger/model-commitments/read-windows";
import { promisesModelCommitment, requireRegistry } from "@openledger/challenger/playing/disputes-contracts";
import {
  type RegistryCall,
  registryCall,
  sendingTo,
  traceSenderOf,
} from "@openledger/challenger/playing/trace-sender";
import { againBetweenBatches } from "@openledger/challenger/sending/between-batches";
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { columnsCommitment } from "@openledger/circuits/settlement/feature-commitment";
import { admitUnchallengedCall } from "@openledger/client/actions/l1/send-settlement";
import { modelFamilies } from "@openledger/models/registered/model-families";
import { commandError } from "../../cli/cli-errors.ts";
import { openReader, parseAddress, resolveEndpoints } from "../../cli/context.ts";
import { l1SenderOf } from "../../cli/open-l1-sender.ts";
import { parseId } from "../../cli/parse-id.ts";
import type { CommandContext } from "../../cli/run-command.ts";
import type { AdmitOptions } from "./disputes-options.ts";
import { openPromised } from "./query-disputes.ts";

/** The next step of a model that is not admitted: its registration for claims, or its activation. @throws CMD_USAGE where no model commitment of the model counts */
export async function admitModel(context: CommandContext<AdmitOptions>): Promise<void> {
  const { options, args, output } = context;
  await initPoseidon();
  const given = parseAddress(args[0]!);
  const [modelId, cap] = [parseId(options.modelId), BigInt(parseId(options.cap))];
  const { rollupAddress } = resolveEndpoints(options);
  const model = await readModel(args[1]!, await modelFamilies(options));
  if (claimantOf(model.recipe) !== null) {
    const { publicClient } = await l1SenderOf(options);
    const games = await readGames(publicClient, given);
    const isRegistered =
      games !== null && (await isRegisteredIn(publicClient, games, rollupAddress, modelId));
    if (!isRegistered && (games !== null || !promisesModelCommitment(model)))
      return registerForClaims(context);
    if (!promisesModelCommitment(model)) {
      const line = `model ${modelId} is registered with ${games}, and may have its activation: openledger models register ${args[1]}`;
      output.answer([line], { modelId, game: games });
      return;
    }
  }
  const sender = sendingTo(await l1SenderOf(options), given);
  await requireRegistry(sender.publicClient, given);
  let call: RegistryCall;
  if (promisesModelCommitment(model)) {
    const own = (await readModelCommitments(sender.publicClient, given, { modelId })).filter(
      ({ rollup, statement }) => rollup === rollupAddress && statement.staticsHash === model.staticsHash,
    );
    const counting = own.find(({ state }) => state === "counts");
    if (counting === undefined)
      throw commandError(
        "CMD_USAGE",
        own.length === 0
          ? `there is no commitment of model ${modelId} of this rollup: openledger disputes commit-model ${given} ${args[1]} --model-id ${modelId}`
          : `no model commitment of model ${modelId} counts yet:\n${own.flatMap(modelCommitmentLines).join("\n")}`,
      );
    call = admitCall(model, counting.id, counting.statement, cap);
  } else call = admitUnchallengedCall(modelId, model.statics, unchallengedModel(model), cap);
  const sent = await sender.send(registryCall(call), call.functionName);
  const how = promisesModelCommitment(model) ? "its window has ended" : "its statics promise no window";
  output.answer(
    [
      `model ${modelId} may have its activation: ${how}; L1 transaction ${sent.hash}, ${sent.gasUsed} gas`,
      `once the sequencer sees it: openledger models register ${args[1]}`,
    ],
    { modelId, isChallenged: promisesModelCommitment(model), ...sent },
  );
}

/** @throws CMD_USAGE for a model without the promise; CLI_LEAF_UNPROVEN where L1 does not have it, or it has begun */
async function registerForClaims({ options, args, output }: CommandContext<AdmitOptions>): Promise<void> {
  const [modelId, cap] = [parseId(options.modelId), parseId(options.cap)];
  const { game, ...sender } = await traceSenderOf(await l1SenderOf(options), parseAddress(args[0]!));
  const { parts, terms, traced } = await openPromised(args[1]!, options, output.progress);
  const client = await openReader(options);
  const own = {
    columnsCommitment: columnsCommitment(parts.columns[0]!),
    filesHash: rawAnsweringHash(answeringFiles(parts)),
  };
  const sent = await againBetweenBatches(
    async () => {
      const opened = await openUnbegunModel(client, modelId);
      const data = registerCall(traced.model, terms, { ...opened, ...own, cap });
      return sender.send({ data, valueWei: 0n }, "the registration");
    },
    () => output.progress("a batch came between: opening the model in the new state"),
    "LedgerTracesRootMismatch",
  );
  const isPosted = promisesModelCommitment(parts);
  const named = `${args[0]} ${args[1]} --model-id ${modelId}`;
  output.answer(
    [
      `the draws of model ${modelId} wait for claims of ${terms.claimant}${isPosted ? "" : ", and it may have its activation"}`,
      `L1 transaction ${sent.hash}, ${sent.gasUsed} gas`,
      ...(isPosted
        ? [
            `its activation waits for its rows: openledger disputes commit-model ${named}`,
            `when their window is over: openledger disputes admit ${named} --cap ${cap}`,
          ]
        : [`once the sequencer sees it: openledger models register ${args[1]}`]),
    ],
    { modelId, game, claimant: terms.claimant, comparesPrompts: terms.vocabularySize > 0, isPosted, ...sent },
  );
}
